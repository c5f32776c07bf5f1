package rgoipc

import (
	"cmp"
	"container/list"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// cancelTime is how long a cancelled call may take to end. A call that takes longer
// counts as one that goes on.
const cancelTime = 20 * time.Millisecond

// limits are how many calls there may be at the same time.
type limits struct {
	running int
	waiting int   // for their turn
	givenUp int   // that go on after they were given up
	bytes   int64 // of the requests that wait, and of those that were given up
}

func newLimits(c config) limits {
	return limits{running: c.maxCalls, waiting: maxWaiting, givenUp: givenUpPerCall * c.maxCalls, bytes: c.maxMessageSize}
}

const (
	maxWaiting     = 1024
	maxPaused      = 1024 // calls of a connection that wait for R
	givenUpPerCall = 4
)

// calls is the table of the calls that a server has taken and not answered. Each
// belongs to an owner. It waits for its turn, runs, and may be given up before it
// ends: its turn then goes to another call.
type calls struct {
	ctx    context.Context // of the server
	limits limits

	mu      sync.Mutex     // protects what follows
	table   []*pendingCall // the oldest first
	running map[*pendingCall]struct{}
	givenUp callSet
	queue   list.List   // of the calls that wait
	queued  int64       // bytes of their requests
	timer   *time.Timer // for the next deadline of a call that runs, while others wait
}

// owner is the connection that calls came over. It belongs to one R process, which may
// have several: a server does not know which ones belong together.
type owner struct {
	// Protected by the mutex of the calls:
	gone   bool // the connection has ended
	paused int  // how many of its calls wait for R
}

// callSet is a set of calls that knows how many bytes their requests have.
type callSet struct {
	calls map[*pendingCall]struct{}
	bytes int64
}

// newCalls returns a table without calls. All of its calls end with ctx.
func newCalls(ctx context.Context, l limits) *calls {
	return &calls{
		ctx:     ctx,
		limits:  l,
		running: make(map[*pendingCall]struct{}),
		givenUp: callSet{calls: make(map[*pendingCall]struct{})},
	}
}

// pendingCall is a call in the table.
type pendingCall struct {
	owner *owner
	name  string // of the function
	id    string // by which it is cancelled; empty: it cannot be
	bytes int64  // of its request
	ctx   callContext

	turn  chan struct{} // closed when its turn has come; nil: that was at once
	place *list.Element // in the queue, while it waits
	ended chan struct{} // closed when it has ended; nil: nobody waits for that

	exchange *exchange // nil: the call does not live
	pauses   int       // how many goroutines of it wait for R
	left     bool      // it has left the table, but some of its goroutines may go on
}

// over tells whether nobody waits for the result of the call any more.
func (k *pendingCall) over() bool { return k.ctx.Err() != nil }

// disconnect gives up the calls of an owner, whose connection has ended.
func (c *calls) disconnect(o *owner) {
	c.mu.Lock()
	defer c.mu.Unlock()
	o.gone = true
	for _, k := range c.table {
		if k.owner == o {
			k.ctx.cancel()
		}
	}
	c.passOn()
}

// begin adds a call and waits until it may run, which is mostly at once. A call that is
// given up before that never runs. The caller ends each call that has begun.
func (c *calls) begin(o *owner, name string, m metadata, bytes int) (*pendingCall, error) {
	k := &pendingCall{owner: o, name: name, id: m.id, bytes: int64(bytes)}
	k.ctx.Context = c.ctx
	if m.limit > 0 {
		k.ctx.deadline = time.Now().Add(m.limit)
	}
	if err := c.add(k); err != nil {
		k.ctx.cancel()
		return nil, err
	}
	if k.turn == nil {
		return k, nil
	}
	if err := c.wait(k); err != nil {
		c.end(k)
		return nil, err
	}
	return k, nil
}

// add lets a call run, or wait for its turn, or refuses it.
func (c *calls) add(k *pendingCall) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var now time.Time // before it is seen which calls are over: the timer is for the others
	if len(c.running) >= c.limits.running {
		now = time.Now()
		c.giveUp()
	}
	l := c.limits
	switch {
	case k.owner.gone:
		return context.Canceled
	case c.areTooManyGivenUp():
		return errorf(CodeResourceExhausted,
			"the server takes no more calls: %s go on after they were given up (%d bytes; at most %d calls, and %d bytes); start it again, which ends them",
			listed(c.givenUp.calls), c.givenUp.bytes, l.givenUp, l.bytes)
	case len(c.running) < l.running:
		c.running[k] = struct{}{}
	case c.queue.Len() >= l.waiting || c.queue.Len() > 0 && c.queued+k.bytes > l.bytes:
		return errorf(CodeResourceExhausted,
			"the server takes no more calls: %s run, and %d wait for their turn (%d bytes; at most %d calls, and %d bytes); try again when some have ended",
			listed(c.running), c.queue.Len(), c.queued, l.waiting, l.bytes)
	default:
		k.turn, k.place = make(chan struct{}), c.queue.PushBack(k)
		c.queued += k.bytes
		c.setTimer(now)
	}
	c.table = append(c.table, k)
	return nil
}

func (c *calls) wait(k *pendingCall) error {
	ctx, cancel := k.ctx.waitable()
	defer cancel()
	select {
	case <-k.turn:
	case <-ctx.Done():
	}
	if err := ctx.Err(); err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		return fmt.Errorf("it waited for its turn while %s ran: %w", listed(c.running), err)
	}
	return nil
}

func (c *calls) end(k *pendingCall) {
	k.ctx.cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	if k.place != nil {
		c.leaveQueue(k)
	}
	delete(c.running, k)
	c.givenUp.remove(k)
	if k.pauses > 0 {
		k.owner.paused--
	}
	k.left = true
	if i := slices.Index(c.table, k); i >= 0 {
		c.table = slices.Delete(c.table, i, i+1)
	}
	if k.ended != nil {
		close(k.ended)
	}
	c.passOn()
}

// pause takes the turn of a call that waits for R, which could otherwise not be there for
// the call that R waits for.
func (c *calls) pause(k *pendingCall) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k.left {
		return errEnded
	}
	if k.pauses == 0 {
		if k.owner.paused >= maxPaused {
			return errorf(CodeResourceExhausted, "%d calls of this session wait for R already", k.owner.paused)
		}
		k.owner.paused++
		delete(c.running, k)
		c.passOn()
	}
	k.pauses++
	return nil
}

// resume gives a call its turn back, at once.
func (c *calls) resume(k *pendingCall) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k.pauses--; k.pauses == 0 && !k.left {
		k.owner.paused--
		c.running[k] = struct{}{}
	}
}

func (c *calls) setExchange(k *pendingCall, x *exchange) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k.exchange = x
}

// findExchange returns that of a call of an owner, or nil.
func (c *calls) findExchange(o *owner, id string) *exchange {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := c.find(o, id); k != nil && k.owner == o {
		return k.exchange
	}
	return nil
}

// passOn passes turns on, if a call waits for one.
func (c *calls) passOn() {
	c.stopTimer()
	if c.queue.Len() > 0 {
		c.giveUp()
	}
}

// giveUp takes the turns of the calls whose results nobody waits for, unless too many
// such calls go on already, and gives them to the calls that wait, in their order.
func (c *calls) giveUp() {
	now := time.Now()
	for k := range c.running {
		if k.over() && !c.areTooManyGivenUp() {
			delete(c.running, k)
			c.givenUp.add(k)
		}
	}
	for c.queue.Len() > 0 && len(c.running) < c.limits.running {
		k := c.queue.Front().Value.(*pendingCall)
		c.leaveQueue(k)
		c.running[k] = struct{}{}
		close(k.turn)
	}
	c.setTimer(now)
}

func (c *calls) areTooManyGivenUp() bool {
	return len(c.givenUp.calls) >= c.limits.givenUp || c.givenUp.bytes > c.limits.bytes
}

func (c *calls) leaveQueue(k *pendingCall) {
	c.queue.Remove(k.place)
	c.queued -= k.bytes
	k.place = nil
}

// setTimer has turns passed on at the next deadline of a call that runs, if another one
// waits for its turn.
func (c *calls) setTimer(now time.Time) {
	c.stopTimer()
	if c.queue.Len() == 0 {
		return
	}
	var next time.Time
	for k := range c.running {
		if k.ctx.deadline.After(now) && (next.IsZero() || k.ctx.deadline.Before(next)) {
			next = k.ctx.deadline
		}
	}
	if !next.IsZero() {
		c.timer = time.AfterFunc(next.Sub(now), func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.passOn()
		})
	}
}

func (c *calls) stopTimer() {
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
}

// cancel gives up the call that an owner names, and waits a moment for its end. A call
// that has ended is not there any more. One whose time is nearly over ends by that, and
// its caller is told so.
func (c *calls) cancel(o *owner, id string) {
	c.mu.Lock()
	k := c.find(o, id)
	if k == nil {
		c.mu.Unlock()
		return
	}
	patience := cancelTime
	if left := time.Until(k.ctx.deadline); !k.ctx.deadline.IsZero() && left < cancelTime {
		patience += max(left, 0)
	} else {
		k.ctx.cancel()
	}
	if k.ended == nil {
		k.ended = make(chan struct{})
	}
	ended := k.ended
	c.giveUp()
	c.mu.Unlock()
	select {
	case <-ended:
	case <-time.After(patience):
	}
}

// find returns the last call of that id: of the owner, or if it has none of another
// one, which may be another connection of the same process. Nil: there is none.
func (c *calls) find(o *owner, id string) (found *pendingCall) {
	if id == "" {
		return nil
	}
	for _, k := range slices.Backward(c.table) {
		switch {
		case k.id != id:
		case k.owner == o:
			return k
		case found == nil:
			found = k
		}
	}
	return found
}

// load is what a server is busy with: how many calls of which function.
type load struct {
	MaxCalls int            `json:"max_calls"`          // that run at the same time
	Running  map[string]int `json:"running,omitempty"`  // those that do
	GivenUp  map[string]int `json:"given_up,omitempty"` // those that go on after they were given up
}

func (c *calls) load() load {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.giveUp()
	return load{c.limits.running, count(c.running), count(c.givenUp.calls)}
}

func (s *callSet) add(k *pendingCall) {
	s.calls[k] = struct{}{}
	s.bytes += k.bytes
}

func (s *callSet) remove(k *pendingCall) {
	if _, ok := s.calls[k]; ok {
		delete(s.calls, k)
		s.bytes -= k.bytes
	}
}

func count(calls map[*pendingCall]struct{}) map[string]int {
	n := make(map[string]int)
	for k := range calls {
		n[k.name]++
	}
	return n
}

// maxListed is how many functions a text names.
const maxListed = 3

// listed says which calls these are: "64 calls (60 of `slow()`, 4 of `wait()`)".
func listed(calls map[*pendingCall]struct{}) string {
	n := count(calls)
	names := slices.SortedFunc(maps.Keys(n), func(a, b string) int {
		return cmp.Or(n[b]-n[a], strings.Compare(a, b))
	})
	var texts []string
	for _, name := range names[:min(len(names), maxListed)] {
		texts = append(texts, fmt.Sprintf("%d of `%s()`", n[name], name))
	}
	if len(names) > maxListed {
		texts = append(texts, "...")
	}
	return fmt.Sprintf("%d calls (%s)", len(calls), strings.Join(texts, ", "))
}
