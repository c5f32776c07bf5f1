package rgoipc

import (
	"container/list"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// cancelTime is how long a call that is cancelled may take to end before it
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
	givenUpPerCall = 4
)

// calls are those that a server has taken and not answered. A call waits for its
// turn, runs, and may be given up before it ends: its turn is then another one's.
type calls struct {
	limits limits

	mu      sync.Mutex // protects what follows
	ids     map[string]*pendingCall
	running map[*pendingCall]struct{}
	givenUp callSet
	queue   list.List // of those that wait, and how many bytes they have
	queued  int64
	timer   *time.Timer // for the next deadline, while somebody waits
}

// callSet is a set of calls that knows how many bytes their requests have.
type callSet struct {
	calls map[*pendingCall]struct{}
	bytes int64
}

func newCalls(l limits) *calls {
	return &calls{
		limits:  l,
		ids:     make(map[string]*pendingCall),
		running: make(map[*pendingCall]struct{}),
		givenUp: callSet{calls: make(map[*pendingCall]struct{})},
	}
}

// pendingCall is one of the calls.
type pendingCall struct {
	name     string // of the function
	id       string // a cancel names it; empty: the call cannot be cancelled
	bytes    int64  // of its request
	ctx      context.Context
	cancel   context.CancelFunc
	deadline time.Time // zero: there is none

	turn  chan struct{} // closed when its turn has come; nil: that was at once
	place *list.Element // in the queue, while it waits
	ended chan struct{} // closed when it has; nil: nobody wants to know
}

// over tells whether the call is no longer waited for.
func (k *pendingCall) over(now time.Time) bool {
	return k.ctx.Err() != nil || !k.deadline.IsZero() && !now.Before(k.deadline)
}

// begin adds a call, and waits until it may run, which is mostly at once. One that
// is given up before never runs. Who has begun a call ends it.
func (c *calls) begin(ctx context.Context, name string, m metadata, bytes int) (*pendingCall, error) {
	k := &pendingCall{name: name, id: m.id, bytes: int64(bytes), ctx: ctx, cancel: func() {}}
	if m.limit > 0 {
		k.deadline = time.Now().Add(m.limit)
	}
	if m.id != "" {
		k.ctx, k.cancel = context.WithCancel(ctx)
	}
	if err := c.add(k); err != nil {
		k.cancel()
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
	if len(c.running) >= c.limits.running {
		c.giveUp()
	}
	l := c.limits
	switch {
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
		c.setTimer(time.Now())
	}
	if k.id != "" {
		c.ids[k.id] = k // of calls with the same id the last one can be cancelled
	}
	return nil
}

// wait waits for the turn of a call.
func (c *calls) wait(k *pendingCall) error {
	ctx, cancel := k.ctx, context.CancelFunc(func() {})
	if !k.deadline.IsZero() {
		ctx, cancel = context.WithDeadline(ctx, k.deadline)
	}
	defer cancel()
	select {
	case <-k.turn:
	case <-ctx.Done():
	}
	if err := ctx.Err(); err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		return fmt.Errorf("it waited for its turn all the time, while %s ran: %w", listed(c.running), err)
	}
	return nil
}

// end forgets a call.
func (c *calls) end(k *pendingCall) {
	k.cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	if k.place != nil {
		c.leaveQueue(k)
	}
	delete(c.running, k)
	c.givenUp.remove(k)
	if c.ids[k.id] == k {
		delete(c.ids, k.id)
	}
	if k.ended != nil {
		close(k.ended)
	}
	c.passOn()
}

// review gives up the calls that are no longer waited for. It need not be called
// at once: nothing depends on it but the calls that wait.
func (c *calls) review() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.passOn()
}

// passOn gives the turns that are free, and those of calls that are no longer waited
// for, to the calls that wait.
func (c *calls) passOn() {
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	if c.queue.Len() > 0 {
		c.giveUp()
	}
}

// giveUp takes the turns of the calls that are no longer waited for, as long as not
// too many go on, and gives them to those that wait, the one first that has waited
// longest.
func (c *calls) giveUp() {
	now := time.Now()
	for k := range c.running {
		if k.over(now) && !c.areTooManyGivenUp() {
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

// setTimer has the calls reviewed at the next deadline of one that runs, if
// somebody waits for its turn.
func (c *calls) setTimer(now time.Time) {
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	if c.queue.Len() == 0 {
		return
	}
	var next time.Time
	for k := range c.running {
		if k.deadline.After(now) && (next.IsZero() || k.deadline.Before(next)) {
			next = k.deadline
		}
	}
	if !next.IsZero() {
		c.timer = time.AfterFunc(next.Sub(now), c.review)
	}
}

// cancel gives a call up, and waits a moment for its end. One that has ended is none,
// and one whose time is nearly over ends by that, and hears so.
func (c *calls) cancel(id string) {
	c.mu.Lock()
	k := c.ids[id]
	if k == nil {
		c.mu.Unlock()
		return
	}
	patience := cancelTime
	if left := time.Until(k.deadline); !k.deadline.IsZero() && left < cancelTime {
		patience += max(left, 0)
	} else {
		k.cancel()
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
		if n[a] != n[b] {
			return n[b] - n[a]
		}
		return strings.Compare(a, b)
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
