package rgoipc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"

	"mangoro.local/internal/arrowipc"
	"mangoro.local/internal/rep"
)

// maxStack is how many bytes of a panic's stack are sent to R.
const maxStack = 64 << 10

// dispatcher answers the requests of a server.
type dispatcher struct {
	registry *Registry
	calls    *calls
	schemas  arrowipc.Schemas
}

// newDispatcher returns a dispatcher whose calls end with ctx.
func newDispatcher(ctx context.Context, registry *Registry, l limits) *dispatcher {
	return &dispatcher{registry: registry, calls: newCalls(ctx, l)}
}

// connect returns what answers the requests of a new connection.
func (d *dispatcher) connect() rep.Handler {
	return &connection{dispatcher: d, owner: new(owner)}
}

// connection answers the requests that come over one connection.
type connection struct {
	*dispatcher
	owner    *owner
	metadata metadataReader
}

// Gone gives up the calls of the connection, which has ended.
func (c *connection) Gone() { c.calls.disconnect(c.owner) }

// Answer answers a request by one call of send, whatever happens: if the function fails or
// panics, if its goroutine ends, or if its result cannot be written, the reply says so.
func (c *connection) Answer(request []byte, send func(reply []byte)) {
	var name string
	var reply []byte
	defer func() {
		if reply == nil {
			reply = errorReply(name, panicError(recover()))
		}
		send(reply)
	}()
	message, err := UnmarshalRPCMessage(request)
	if err != nil {
		reply = errorReply("", &Error{Code: CodeProtocol, Err: err})
		return
	}
	name = message.FuncName
	if reply, err = c.dispatch(message); err != nil {
		reply = errorReply(name, err)
	}
}

func (c *connection) dispatch(message *RPCMessage) ([]byte, error) {
	switch message.Type {
	case MsgTypeManifest:
		return c.manifest()
	case MsgTypeCall:
		return c.call(message)
	case MsgTypeCancel:
		c.calls.cancel(c.owner, c.metadata.read(message.ErrorMsg).id)
		load, err := json.Marshal(c.calls.load())
		return (&RPCMessage{Type: MsgTypeResult, ErrorMsg: string(load)}).Marshal(), err
	default:
		return nil, errorf(CodeProtocol, "this server does not know messages of type %d", message.Type)
	}
}

func (c *connection) manifest() ([]byte, error) {
	manifest, err := c.registry.Manifest()
	if err != nil {
		return nil, err
	}
	metadata, err := c.registry.manifestMetadata()
	return (&RPCMessage{Type: MsgTypeManifest, ErrorMsg: metadata, ArrowData: manifest}).Marshal(), err
}

// call has a function invoked in its turn, and returns the reply with its result.
func (c *connection) call(message *RPCMessage) ([]byte, error) {
	fn, ok := c.registry.Get(message.FuncName)
	if !ok {
		return nil, c.registry.noFunction(message.FuncName)
	}
	call, err := c.calls.begin(c.owner, fn.Name, c.metadata.read(message.ErrorMsg), len(message.ArrowData))
	if err != nil {
		return nil, err
	}
	defer c.calls.end(call)
	ctx, cancel := call.context(fn.typed != nil && fn.typed.context)
	defer cancel()
	record, err := readRecord(&c.schemas, message.ArrowData)
	if err != nil {
		return nil, &Error{Code: CodeProtocol, Err: err}
	}
	defer record.Release()

	header := &RPCMessage{Type: MsgTypeResult, FuncName: fn.Name}
	out := reply{bytes: header.appendHeader(make([]byte, 0, headerLen+len(fn.Name))), writer: fn.writer}
	if err := fn.invoke(ctx, record, out.take); err != nil {
		return nil, err
	}
	return out.bytes, nil
}

// errGoexit is the error of a function that neither returned nor panicked.
var errGoexit = errors.New("it ended its goroutine with runtime.Goexit, and so returned nothing")

// panicError returns an error for the value that recover has returned, which is nil if the
// goroutine ends instead. It must be called while the stack is still there.
func panicError(p any) *Error {
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
