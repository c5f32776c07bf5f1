package rgoipc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"

	"mangoro.local/internal/arrowipc"
	"mangoro.local/internal/codec"
	"mangoro.local/internal/lane"
	"mangoro.local/internal/object"
	"mangoro.local/internal/rep"
	"mangoro.local/internal/segment"
)

// maxStack is how many bytes of a panic's stack are sent to R.
const maxStack = 64 << 10

// dispatcher answers the requests of a server.
type dispatcher struct {
	registry *Registry
	calls    *calls
	schemas  arrowipc.Schemas
	clock    clock
	lapsed   segment.Lapsed // what functions were lent of R's memory, and R has for itself again
	objects  *object.Store

	shared bool        // connections may attach shared memory
	begin  func() bool // counts a request that comes over it, and tells whether it is accepted
	end    func()      // follows when it has been answered
}

// newDispatcher returns a dispatcher whose calls end with ctx.
func newDispatcher(ctx context.Context, registry *Registry, l limits) *dispatcher {
	return &dispatcher{
		registry: registry, calls: newCalls(ctx, l), clock: systemClock(), objects: object.NewStore(),
		begin: func() bool { return true }, end: func() {},
	}
}

// connect returns what answers the requests of a new connection.
func (d *dispatcher) connect() rep.Handler {
	return &connection{dispatcher: d, owner: new(owner), objects: d.objects.NewTable()}
}

// connection answers the requests that come over one connection.
type connection struct {
	*dispatcher
	owner    *owner
	metadata metadataReader
	attached attached
	last     templates
	objects  *object.Table
}

// Gone gives up the calls of the connection, which has ended.
func (c *connection) Gone() {
	c.calls.disconnect(c.owner)
	c.attached.close()
	if c.begin() { // so that a server that stops waits for them
		defer c.end()
	}
	c.objects.Close()
}

// Answer answers a request by one call of send, whatever happens: if the function fails or
// panics, if its goroutine ends, or if its result cannot be written, the reply says so. The
// next request of a call that lives may be answered after it has returned.
func (c *connection) Answer(message []byte, send func(reply []byte)) {
	c.answer(&request{bytes: message, send: send})
}

// request is a request as it has come.
type request struct {
	bytes []byte
	send  func(reply []byte)
	*RPCMessage
	mail  *lane.Request   // nil: it has not come over a lane
	offer *segment.Result // where its result may lie, or nil
	// Of a call by reference.
	refs   references
	stream []byte
	uses   *object.Uses // the objects that the call uses; nil: it has none
	over   bool         // nobody waits for the call any more

	exchange *exchange // of a call that lives, which sends the reply
	handed   bool      // to the exchange of such a call
}

func (c *connection) answer(r *request) {
	defer guardFaults()()
	var name string
	var reply []byte
	defer func() {
		if r.handed {
			return
		}
		if reply == nil {
			reply = errorReply(name, c.explained(panicError(recover())))
		}
		if r.exchange != nil {
			r.exchange.finish(reply)
		} else {
			r.send(reply)
		}
	}()
	var err error
	if like := c.last.take(r.bytes); like != nil {
		name = like.fn.Name
		reply, err = c.callAgain(like, r)
	} else if r.RPCMessage, err = UnmarshalRPCMessage(r.bytes); err != nil {
		err = &Error{Code: CodeProtocol, Err: err}
	} else {
		name = r.FuncName
		reply, err = c.dispatch(r)
	}
	if err != nil {
		reply = errorReply(name, c.explained(err))
	}
}

// errLapsed is why a function faults that has kept a slice of [Make].
var errLapsed = errors.New("a slice of rgoipc.Make belongs to R once it has been returned; make those that are kept by make()")

// explained has the error of a panic say why the function faulted, if that is known.
func (c *connection) explained(err error) error {
	cause := err
	if row, ok := err.(*rowError); ok {
		cause = row.err
	}
	if e, ok := cause.(*Error); ok && e != nil && e.Code == CodePanic {
		fault, ok := e.Err.(interface {
			runtime.Error
			Addr() uintptr
		})
		if ok && c.lapsed.Has(fault.Addr()) {
			e.Err = errLapsed
		}
	}
	return err
}

func (c *connection) dispatch(r *request) ([]byte, error) {
	if err := c.openOffer(r); err != nil {
		return nil, err
	}
	switch {
	case r.Type == MsgTypeManifest:
		return c.manifest()
	case r.Type == MsgTypeCall:
		return c.call(r)
	case r.Type == MsgTypeCancel:
		c.calls.cancel(c.owner, c.metadata.read(r.ErrorMsg).id)
		load, err := json.Marshal(c.calls.load())
		return (&RPCMessage{Type: MsgTypeResult, ErrorMsg: string(load)}).Marshal(), err
	case r.Type == MsgTypeAttach && c.shared:
		return (&RPCMessage{Type: MsgTypeAttach}).Marshal(), c.attach(r.ArrowData)
	case r.Type == MsgTypeReferCall && c.shared:
		return c.callByReference(r)
	case r.Type == MsgTypeRingCall && r.mail != nil:
		return c.call(r)
	case r.Type == MsgTypeContinue:
		return nil, c.continueCall(r)
	case r.Type == MsgTypeRelease:
		return (&RPCMessage{Type: MsgTypeResult}).Marshal(), c.release(r.ArrowData)
	default:
		return nil, unknownType(r.Type)
	}
}

func unknownType(messageType uint8) error {
	return errorf(CodeProtocol, "this server does not know messages of type %d", messageType)
}

func (c *connection) manifest() ([]byte, error) {
	manifest, err := c.registry.Manifest()
	if err != nil {
		return nil, err
	}
	metadata, err := c.registry.manifestMetadata(c.shared, c.calls.limits.running)
	return (&RPCMessage{Type: MsgTypeManifest, ErrorMsg: metadata, ArrowData: manifest}).Marshal(), err
}

// call has a function invoked in its turn, and returns the reply with its result.
func (c *connection) call(r *request) (reply []byte, err error) {
	m := c.metadata.read(r.ErrorMsg)
	fn, err := c.function(r.FuncName, m.object)
	if err != nil {
		return nil, err
	}
	if fn.typed != nil && fn.typed.objects {
		r.uses = c.objects.Begin()
		defer func() { r.uses.End(reply != nil && !r.over) }()
		if fn, err = fn.bound(r.uses, m.object); err != nil {
			return nil, err
		}
	}
	out := fn.reply(r.offer)
	err = c.inTurn(fn, m, r, len(r.ArrowData)+int(r.refs.bytes()), func(ctx context.Context) error {
		if r.offer != nil {
			ctx = segment.WithResult(ctx, r.offer)
		}
		return c.invoke(ctx, fn, r, out.take)
	})
	if err != nil {
		return nil, err
	}
	if r.Type == MsgTypeCall {
		c.last.remember(fn, m, r, out.bytes, &c.schemas)
	}
	return out.bytes, nil
}

// callAgain is [connection.call] for a request that is like the last one of its function.
func (c *connection) callAgain(like *template, r *request) (reply []byte, err error) {
	defer c.last.put(like)
	err = c.inTurn(like.fn, like.metadata, r, like.payload, func(ctx context.Context) error {
		reply, err = like.invoke(ctx, r.bytes)
		return err
	})
	return reply, err
}

// inTurn runs a call of a function in its turn. Its request has so many bytes.
func (c *connection) inTurn(fn *Function, m metadata, r *request, bytes int, run func(context.Context) error) error {
	call, err := c.calls.begin(c.owner, fn.Name, m, bytes)
	if err != nil {
		return err
	}
	lives := m.lives && fn.Signature.Lives && fn.typed != nil
	if !lives {
		defer c.calls.end(call)
	} else {
		r.exchange = newExchange(c, call, r) // which ends the call
	}
	ctx, cancel := call.ctx.forFunction(fn.typed != nil && (fn.typed.context || lives))
	defer cancel()
	if lives || r.uses != nil {
		ctx = c.within(ctx, r.exchange, r.uses)
	}
	err = run(ctx)
	if lives && err == nil {
		err = r.exchange.failure()
	}
	if r.uses != nil {
		r.over = call.over()
	}
	return err
}

// invoke invokes a function with the arguments of a request, and hands over its result.
func (c *connection) invoke(ctx context.Context, fn *Function, r *request, take func(context.Context, returned) error) error {
	switch r.Type {
	case MsgTypeReferCall:
		return c.invokeByReference(ctx, fn, r, take)
	case MsgTypeRingCall:
		return c.invokeRing(ctx, fn, r, take)
	}
	record, err := readRecord(&c.schemas, r.ArrowData)
	if err != nil {
		return &Error{Code: CodeProtocol, Err: err}
	}
	defer record.Release()
	return fn.invoke(ctx, record, take)
}

// callByReference is [connection.call] for arguments that lie in segments. These are in use
// until the function has returned, also if the call is given up before.
func (c *connection) callByReference(r *request) (reply []byte, err error) {
	if r.refs, r.stream, err = cutReferences(r.ArrowData, c.calls.limits.bytes); err != nil {
		return nil, err
	}
	if r.mail == nil {
		if r.offer, err = c.attached.offered(r.refs.offer); err != nil {
			return nil, err
		}
		defer r.offer.Release()
	}
	return c.call(r)
}

// invokeByReference is [connection.invoke] for arguments that lie in segments.
func (c *connection) invokeByReference(ctx context.Context, fn *Function, r *request, take func(context.Context, returned) error) error {
	table, err := c.attached.segments()
	if err != nil {
		return err
	}
	parts, release, err := r.refs.open(table)
	if err != nil {
		return &Error{Code: CodeProtocol, Err: err}
	}
	defer release()
	if fn.mayKeepArguments() {
		if err := arrowipc.CheckParts(r.stream, parts); err != nil {
			return &Error{Code: CodeProtocol, Err: err}
		}
		parts = r.refs.copied(parts)
	}
	record, err := readRecordOfParts(&c.schemas, r.stream, parts)
	if err != nil {
		return &Error{Code: CodeProtocol, Err: err}
	}
	defer record.Release()
	return fn.invoke(ctx, record, take)
}

// errGoexit is the error of a function that neither returned nor panicked.
var errGoexit = errors.New("it ended its goroutine with runtime.Goexit, and so returned nothing")

// panicError returns an error for the value that recover has returned, which is nil if the
// goroutine ends instead. It must be called while the stack is still there.
func panicError(p any) *Error {
	if method, ok := p.(codec.MethodPanic); ok {
		p = method.Value
	}
	stack := debug.Stack()
	e := &Error{Code: CodePanic, Stack: string(stack[:min(len(stack), maxStack)]), frames: userFrames()}
	switch p := p.(type) {
	case nil:
		e.Err = errGoexit
	case error:
		e.Err = p
	default:
		e.Err = panicValue{p}
	}
	return e
}

// panicValue is the value of a panic as an error. Its text is not made before it is asked
// for: the value may have a method that fails.
type panicValue struct{ value any }

func (p panicValue) Error() string { return fmt.Sprint(p.value) }

// errorReply returns the reply that reports a failure, with its detail as JSON.
func errorReply(name string, err error) []byte {
	text, d := described(err)
	return (&RPCMessage{Type: MsgTypeError, FuncName: name, ErrorMsg: text, ArrowData: d.marshal()}).Marshal()
}
