package rgoipc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mangoro.local/internal/lane"
	"mangoro.local/internal/object"
	"mangoro.local/internal/segment"
)

// exchange is what a call that lives and R say to each other until the call ends. Between
// two requests of R's there is one reply, so whoever wants to say something needs R's
// request that waits: after the reply R has the word, until it goes on with the call.
//
// Over a lane no other goroutine reads what comes next: whoever needs it does.
type exchange struct {
	connection *connection
	call       *pendingCall
	request    *request // that opened the call
	first      waitingRequest
	// deferred: nothing can be said before the result, since R writes to a ring.
	deferred bool

	asking  sync.Mutex  // one question at a time
	stopped atomic.Bool // nobody waits for the result any more

	mu        sync.Mutex      // protects what follows
	questions []*lastQuestion // by target
	heard     []byte          // the header of the last request that was nothing but an answer
	changed   sync.Cond
	ctx       context.Context // of the function
	unwatch   func() bool     // no more stops when the context ends; nil: that is not watched
	waiting   *waitingRequest // nil: R has the word
	onLane    bool            // R's requests come over the lane
	reading   bool            // a goroutine waits for the next one there
	answering bool            // the next one answers a question
	answer    *rAnswer        // the one that did
	failed    error           // of a source, which the function may not have looked at
	pending   events
	last      time.Time // of the last message of events
	timer     stopper   // for the next one
	returned  bool      // the function has returned
	ended     bool      // nothing is said any more
}

// waitingRequest is a request of R's that waits.
type waitingRequest struct {
	send  func(reply []byte)
	offer *segment.Result // where a part may lie, or nil
}

// rAnswer is what R has said to a question.
type rAnswer struct {
	payload []byte
	failure *failure // nil: there was none
}

// failure is a condition that R code has raised.
type failure struct {
	Number  int // by which R knows it
	Message string
	Class   string
}

// said is the metadata of a request that goes on with a call:
// {"call_id": "5f0a", "over": "socket"}. Other keys are ignored.
type said struct {
	ID      string   `json:"call_id"`
	Offer   []uint32 `json:"offer"` // descriptor and generation
	Over    string   `json:"over"`  // "socket": that is where the next one comes
	Failed  int      `json:"failed"`
	Message string   `json:"message"`
	Class   string   `json:"class"`
}

func readSaid(metadata string) (s said, err error) {
	if err := json.Unmarshal([]byte(metadata), &s); err != nil {
		return s, errorf(CodeProtocol, "the metadata of a message that goes on with a call is not valid: %w", err)
	}
	return s, nil
}

// overSocket moves a call from the lane to the socket.
const overSocket = "socket"

// stopper is a timer.
type stopper interface{ Stop() bool }

// clock is the time of exchanges.
type clock struct {
	now   func() time.Time
	after func(time.Duration, func()) stopper
}

func systemClock() clock {
	return clock{time.Now, func(d time.Duration, f func()) stopper { return time.AfterFunc(d, f) }}
}

// eventInterval is the time between two messages that have events only.
const eventInterval = 100 * time.Millisecond

// errEnded is the error of what comes when a call has ended.
var errEnded = errorf(CodeNotFound, "the call has ended")

// newExchange returns the exchange of a call that has its turn. It ends with finish.
func newExchange(c *connection, k *pendingCall, r *request) *exchange {
	x := &exchange{
		connection: c, call: k, request: r, deferred: r.RPCMessage != nil && r.Type == MsgTypeRingCall,
		first: waitingRequest{send: r.send}, onLane: r.mail != nil,
	}
	x.waiting, x.changed.L = &x.first, &x.mu
	c.calls.setExchange(k, x)
	return x
}

// caller is a call as its function and the kinds of its values know it.
type caller struct {
	connection *connection
	exchange   *exchange    // nil: the call does not live
	uses       *object.Uses // nil: it has no objects
}

type callerKey struct{}

func callerOf(ctx context.Context) *caller {
	c, _ := ctx.Value(callerKey{}).(*caller)
	return c
}

// exchangeOf returns the exchange of the call whose context that is. Nil: it does not live.
func exchangeOf(ctx context.Context) *exchange {
	if c := callerOf(ctx); c != nil {
		return c.exchange
	}
	return nil
}

// Fail is for kinds, see [codec.Caller].
func (c *caller) Fail(err error) { c.exchange.fail(err) }

// HasFailed is for kinds, see [codec.Caller].
func (c *caller) HasFailed(err error) { c.exchange.hasFailed(err) }

// Objects is for kinds, see [codec.Caller].
func (c *caller) Objects() *object.Uses { return c.uses }

// --- What a call says ---

// notify has R told of an event, as soon as it waits and the last one is a while ago. It
// never blocks.
func (x *exchange) notify(e event) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.ended || x.deferred && e.Kind == eventProgress {
		return
	}
	x.pending.add(e)
	if x.timer == nil {
		x.flush()
	}
}

// flush sends events that are pending, or has that done later.
func (x *exchange) flush() {
	if x.deferred || len(x.pending.list) == 0 || x.over() != nil {
		return
	}
	wait := eventInterval - x.connection.clock.now().Sub(x.last)
	switch {
	case wait > 0:
	case !x.isAwaited():
		if !x.onLane {
			return // arrive calls it again
		}
		wait = eventInterval // nobody reads what comes over the lane
	default:
		message := &RPCMessage{Type: MsgTypeEvent, FuncName: x.call.name, ErrorMsg: metadataOf(x.pending.list)}
		if bytes := message.Marshal(); x.fits(bytes) {
			x.last = x.connection.clock.now()
			x.pending.take()
			x.reply(bytes)
		}
		return
	}
	if x.timer == nil {
		x.timer = x.connection.clock.after(wait, func() {
			x.mu.Lock()
			defer x.mu.Unlock()
			x.timer = nil
			x.flush()
		})
	}
}

// isAwaited tells whether R waits. It takes R's next request from the lane if it is there.
func (x *exchange) isAwaited() bool {
	if x.waiting == nil && x.onLane && !x.reading && x.request.mail.HasNext() {
		x.takeMail()
	}
	return x.waiting != nil
}

// ask asks R for what a target says to the payload, and waits for the answer.
func (x *exchange) ask(target int, payload []byte) (*rAnswer, error) {
	return x.askBy(func(events []event) []byte { return questionMessage(x.call.name, target, events, payload) })
}

// askBy asks R a question, whose message has the events that are pending.
func (x *exchange) askBy(question func(events []event) []byte) (*rAnswer, error) {
	x.asking.Lock()
	defer x.asking.Unlock()
	if err := x.connection.calls.pause(x.call); err != nil {
		return nil, err
	}
	defer x.connection.calls.resume(x.call)
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.deferred {
		return nil, errorf(CodeProtocol, "R cannot be asked while it sends the arguments")
	}
	for said := false; !said; {
		if err := x.await(x.isAwaited); err != nil {
			return nil, err
		}
		bytes := question(x.pending.list)
		if most := x.connection.calls.limits.bytes; int64(len(bytes)) > most {
			return nil, errorf(CodeResourceExhausted, "the arguments of an R function have %d bytes, but at most %d are sent", len(bytes), most)
		}
		if said = x.fits(bytes); said {
			x.pending.take()
			x.answering, x.answer = true, nil
			x.reply(bytes)
		}
	}
	if err := x.await(func() bool { return x.answer != nil }); err != nil {
		return nil, err
	}
	a := x.answer
	x.answer = nil
	return a, nil
}

// put waits until R waits, has a part written, with the metadata of the message and for the
// offer that it has, and sends it. The part may have to be written twice.
func (x *exchange) put(part func(metadata string, offer *segment.Result) (reply []byte, err error)) error {
	for sent := false; !sent; {
		w, list, err := x.word()
		if err != nil {
			return err
		}
		bytes, err := part(metadataOf(list), w.offer)
		w.offer.Release()
		x.mu.Lock()
		x.waiting = w
		if sent = err == nil && x.fits(bytes); sent {
			x.reply(bytes)
		} else {
			x.pending.putBack(list)
			x.changed.Broadcast()
		}
		x.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// word waits until R waits, and takes its request and the events that are pending. The
// call has no turn meanwhile.
func (x *exchange) word() (*waitingRequest, []event, error) {
	if err := x.connection.calls.pause(x.call); err != nil {
		return nil, nil, err
	}
	defer x.connection.calls.resume(x.call)
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.await(x.isAwaited); err != nil {
		return nil, nil, err
	}
	w := x.waiting
	x.waiting = nil
	return w, x.pending.take(), nil
}

// canPut tells whether R waits now.
func (x *exchange) canPut() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return !x.ended && x.isAwaited()
}

// fits tells whether R's request can be answered with a message. If that is too large for the
// lane, R is asked to go on over the socket.
func (x *exchange) fits(message []byte) bool {
	if !x.onLane || len(message) <= lane.MaxMessage {
		return true
	}
	x.move()
	return false
}

// move has R go on over the socket.
func (x *exchange) move() {
	message := &RPCMessage{Type: MsgTypeEvent, FuncName: x.call.name, ErrorMsg: jsonText(struct {
		Events []event `json:"events"`
		Over   string  `json:"over"`
	}{[]event{}, overSocket})}
	x.reply(message.Marshal())
	x.onLane = false
}

// reply answers R's request, which must be there. R has the word then.
func (x *exchange) reply(message []byte) {
	w := x.waiting
	x.waiting = nil
	w.offer.Release() // R may offer it again
	if x.onLane {
		x.request.mail.Reply(message, 0)
	} else {
		go w.send(message) // which may take as long as the peer likes
	}
}

// --- How it ends ---

// finish ends the exchange by the reply that ends the call. If R has the word, it waits.
func (x *exchange) finish(reply []byte) {
	x.mu.Lock()
	x.returned = true
	x.changed.Broadcast()
	if !x.ended && !x.isAwaited() {
		x.awaitLast()
	}
	send := x.end(reply)
	x.mu.Unlock()
	x.connection.calls.end(x.call)
	send()
	x.request.offer.Release()
}

// awaitLast waits until R waits, or the call is over. Its function has returned, and so the
// context that it had has ended.
func (x *exchange) awaitLast() {
	if x.connection.calls.pause(x.call) == nil {
		defer x.connection.calls.resume(x.call)
	}
	x.unwatched()
	var stop context.CancelFunc
	x.ctx, stop = x.call.ctx.waitable()
	defer stop()
	for !x.isAwaited() && x.over() == nil {
		x.sleep()
	}
}

// fail ends the exchange by an error, and the context of the call. Its function may go on,
// and so may what it does with the memory that R has offered.
func (x *exchange) fail(err error) {
	reply := errorReply(x.call.name, err)
	if len(reply) > lane.MaxMessage {
		reply = errorReply(x.call.name, errorf(CodeOf(err), "%s", shortened(textOf(err), lane.MaxMessage/4)))
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.returned {
		x.call.ctx.cancel()
		return
	}
	_ = x.await(x.isAwaited)
	mail := x.request.mail
	if x.onLane {
		x.request.send = func(reply []byte) { mail.Reply(reply, 0) }
	}
	send := x.end(reply)
	x.call.ctx.cancel() // before R has the reply, since its next call may ask
	send()
	if mail != nil {
		mail.Leave()
	}
}

func (x *exchange) hasFailed(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.failed == nil {
		x.failed = err
	}
}

// failure returns an error for a function that has returned none.
func (x *exchange) failure() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.failed
}

// end returns what sends the reply that ends the call, if R waits for it. Nothing is said
// any more after that.
func (x *exchange) end(reply []byte) (send func()) {
	defer x.unwatched()
	if x.timer != nil {
		x.timer.Stop()
		x.timer = nil
	}
	w, ended := x.waiting, x.ended
	x.waiting, x.ended = nil, true
	x.stopped.Store(true)
	x.changed.Broadcast()
	for x.reading { // the lane is read by others after that
		x.request.mail.Wake()
		x.changed.Wait()
	}
	if w == nil || ended {
		return func() {}
	}
	w.offer.Release()
	reply = withEvents(reply, x.pending.take())
	if x.onLane {
		return func() { x.request.send(reply) }
	}
	return func() { w.send(reply) }
}

// unwatched ends the watch over the context.
func (x *exchange) unwatched() {
	if x.unwatch != nil {
		x.unwatch()
		x.unwatch = nil
	}
}

// --- What R says ---

// arrive takes a request that goes on with the call. It is answered when the call says
// something.
func (x *exchange) arrive(s said, payload []byte, send func(reply []byte)) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.ended {
		return errEnded
	}
	if x.onLane {
		return errorf(CodeProtocol, "the call goes on over the lane")
	}
	if x.waiting != nil {
		return errorf(CodeProtocol, "the call has a request that waits")
	}
	return x.take(s, payload, send)
}

// take takes a request, which is the answer to the question that R was asked.
func (x *exchange) take(s said, payload []byte, send func(reply []byte)) error {
	w := &waitingRequest{send: send}
	if len(s.Offer) == 2 {
		var err error
		if w.offer, err = x.connection.attached.offered(segment.Name{FD: s.Offer[0], Generation: s.Offer[1]}); err != nil {
			return err
		}
	}
	x.waiting = w
	if s.Over == overSocket && x.onLane {
		x.move()
		return nil
	}
	if x.answering {
		x.answering = false
		x.answer = &rAnswer{payload: payload}
		if s.Failed > 0 {
			x.answer.failure = &failure{s.Failed, s.Message, s.Class}
		}
	}
	if !x.returned {
		x.flush()
	}
	x.changed.Broadcast()
	return nil
}

// takeMail takes the next request from the lane, or waits for it, unless the call is over.
func (x *exchange) takeMail() {
	x.reading = true
	mail := x.request.mail
	x.mu.Unlock()
	next, ok := mail.Next(x.stopped.Load)
	x.mu.Lock()
	x.reading = false
	x.changed.Broadcast()
	if !ok || x.ended { // it was given up, or the lane is closed, or what comes is not for us
		x.stopped.Store(true)
		return
	}
	x.request.mail = &next
	if payload, ok := x.isAnswer(next.Message); ok {
		_ = x.take(said{}, payload, nil) // only an offer could be wrong
		return
	}
	message, err := UnmarshalRPCMessage(next.Message)
	if err == nil && message.Type != MsgTypeContinue {
		err = fmt.Errorf("a call that lives does not go on by a message of type %d", message.Type)
	}
	if err == nil {
		var s said
		if s, err = readSaid(message.ErrorMsg); err == nil && s.ID != x.call.id {
			err = errors.New("another call goes on over the lane")
		}
		if err == nil {
			x.hear(s, next.Message, message.ArrowData)
			err = x.take(s, message.ArrowData, nil)
		}
	}
	if err != nil {
		next.Reply(errorReply(x.call.name, &Error{Code: CodeProtocol, Err: err}), 0)
		x.call.ctx.cancel()
	}
}

// await waits until something is done, or returns why it will not be.
func (x *exchange) await(done func() bool) error {
	for {
		if err := x.over(); err != nil {
			return err
		}
		if x.returned {
			return errEnded
		}
		if done() {
			return nil
		}
		x.sleep()
	}
}

// over returns an error if nothing can be said any more.
func (x *exchange) over() error {
	if x.ended {
		return errEnded
	}
	err := x.call.ctx.Err()
	if err == nil && (x.stopped.Load() || x.onLane && x.request.mail.IsGivenUp()) {
		err = context.Canceled
	}
	if err != nil {
		return fmt.Errorf("nobody waits for the call any more: %w", err)
	}
	return nil
}

// sleep waits until R has said something, or the call is over.
func (x *exchange) sleep() {
	if x.unwatch == nil {
		x.unwatch = context.AfterFunc(x.ctx, x.wake)
	}
	if x.onLane && !x.reading && x.waiting == nil {
		x.takeMail()
	} else {
		x.changed.Wait()
	}
}

// wake wakes who sleeps if the call is over.
func (x *exchange) wake() {
	if !x.call.over() {
		return
	}
	x.stopped.Store(true)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.changed.Broadcast()
	if x.reading {
		x.request.mail.Wake()
	}
}

// --- Its events ---

// The kinds of events.
const (
	eventProgress = "progress"
	eventWarning  = "warning"
	eventDropped  = "dropped"
)

// maxWarnings is how many warnings of a call are kept until R is told of them.
const maxWarnings = 50

// maxLabel is how many bytes of a label are sent.
const maxLabel = 256

// event is something that R is told of while it waits.
type event struct {
	Kind        string
	Done, Total int64  // of progress
	Label       string // of progress
	Text        string // of a warning
	Warnings    int    // that were dropped
}

// MarshalJSON writes what the kind has.
func (e event) MarshalJSON() ([]byte, error) {
	switch e.Kind {
	case eventProgress:
		return json.Marshal(struct {
			Kind  string `json:"kind"`
			Done  int64  `json:"done"`
			Total int64  `json:"total"`
			Label string `json:"label"`
		}{e.Kind, e.Done, e.Total, shortened(e.Label, maxLabel)})
	case eventWarning:
		return json.Marshal(struct {
			Kind string `json:"kind"`
			Text string `json:"text"`
		}{e.Kind, e.Text})
	default:
		return json.Marshal(struct {
			Kind     string `json:"kind"`
			Warnings int    `json:"warnings"`
		}{e.Kind, e.Warnings})
	}
}

// events are those that R is not told of yet, in their order.
type events struct {
	list     []event
	warnings int // of them
}

// add adds an event. Of progress only the newest is kept.
func (s *events) add(e event) {
	n := len(s.list)
	switch {
	case e.Kind == eventProgress:
		for i := range s.list {
			if s.list[i].Kind == eventProgress {
				copy(s.list[i:], s.list[i+1:])
				s.list[n-1] = e
				return
			}
		}
	case s.warnings == maxWarnings:
		for i := range s.list {
			if s.list[i].Kind == eventDropped {
				s.list[i].Warnings++
				return
			}
		}
		e = event{Kind: eventDropped, Warnings: 1}
	default:
		s.warnings++
	}
	s.list = append(s.list, e)
}

// putBack puts events before those that have come since.
func (s *events) putBack(list []event) {
	later := s.take()
	for _, e := range append(list, later...) {
		s.add(e)
	}
}

// take returns the events, and has none then.
func (s *events) take() []event {
	list := s.list
	*s = events{}
	return list
}

// continueCall goes on with a call that lives, which answers the request when it says
// something.
func (c *connection) continueCall(r *request) error {
	s, err := readSaid(r.ErrorMsg)
	if err != nil {
		return err
	}
	x := c.calls.findExchange(c.owner, s.ID)
	if x == nil || r.mail != nil {
		return errEnded
	}
	if err := x.arrive(s, r.ArrowData, r.send); err != nil {
		return err
	}
	r.handed = true
	return nil
}

// within returns a context of the function, by which it finds its call.
func (c *connection) within(ctx context.Context, x *exchange, uses *object.Uses) context.Context {
	ctx = context.WithValue(ctx, callerKey{}, &caller{c, x, uses})
	if x != nil {
		x.ctx = ctx
	}
	return ctx
}

// metadataOf returns the metadata of a message that has events, or "".
func metadataOf(list []event) string {
	if len(list) == 0 {
		return ""
	}
	return jsonText(struct {
		Events []event `json:"events"`
	}{list})
}

func jsonText(value any) string {
	text, _ := json.Marshal(value) // of our own types
	return strings.ReplaceAll(string(text), `\u0000`, `\ufffd`)
}

// withEvents returns the reply that ends a call, with events: in its metadata, or in the
// detail of an error.
func withEvents(reply []byte, list []event) []byte {
	if len(list) == 0 {
		return reply
	}
	message, err := UnmarshalRPCMessage(reply)
	if err != nil {
		return reply
	}
	if message.Type != MsgTypeError {
		message.ErrorMsg = metadataOf(list)
		return message.Marshal()
	}
	detail := make(map[string]any)
	if json.Unmarshal(message.ArrowData, &detail) == nil {
		detail["events"] = list
		if text, err := json.Marshal(detail); err == nil {
			message.ArrowData = text
		}
	}
	return message.Marshal()
}
