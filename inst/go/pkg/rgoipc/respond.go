package rgoipc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"

	"mangoro.local/internal/arrowipc"
)

// maxStack is as much of a panic's stack as travels to R.
const maxStack = 64 << 10

// responder answers the requests of a server.
type responder struct {
	registry *Registry
	calls    *calls
	metadata metadataReader
	schemas  arrowipc.Schemas
}

func newResponder(registry *Registry, l limits) *responder {
	return &responder{registry: registry, calls: newCalls(l)}
}

// answer answers a request, with one call of send. It never fails: what goes wrong
// is the answer, be it a panic of the handler, or while its result is written, or
// that the goroutine ends. The context ends when nobody waits for the answer.
func (r *responder) answer(ctx context.Context, request []byte, send func(reply []byte)) {
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
	if reply, err = r.dispatch(ctx, message); err != nil {
		reply = errorReply(name, err)
	}
}

func (r *responder) dispatch(ctx context.Context, message *RPCMessage) ([]byte, error) {
	switch message.Type {
	case MsgTypeManifest:
		manifest, err := r.registry.Manifest()
		return (&RPCMessage{Type: MsgTypeManifest, ArrowData: manifest}).Marshal(), err
	case MsgTypeCall:
		return r.call(ctx, message)
	case MsgTypeCancel:
		r.calls.cancel(r.metadata.read(message.ErrorMsg).id)
		load, err := json.Marshal(r.calls.load())
		return (&RPCMessage{Type: MsgTypeResult, ErrorMsg: string(load)}).Marshal(), err
	default:
		return nil, errorf(CodeProtocol, "this server does not know messages of type %d", message.Type)
	}
}

// call runs a function and returns its reply.
func (r *responder) call(ctx context.Context, message *RPCMessage) ([]byte, error) {
	fn, ok := r.registry.Get(message.FuncName)
	if !ok {
		return nil, errorf(CodeNotFound, "there is no function %q; the functions are %q", message.FuncName, r.registry.List())
	}
	call, err := r.calls.begin(ctx, fn.Name, r.metadata.read(message.ErrorMsg), len(message.ArrowData))
	if err != nil {
		return nil, err
	}
	defer r.calls.end(call)
	ctx, cancel := fn.context(call)
	defer cancel()
	record, err := readRecord(&r.schemas, message.ArrowData)
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

// errGoexit is what a function did that neither returned nor panicked.
var errGoexit = errors.New("it ended its goroutine with runtime.Goexit, and so returned nothing")

// panicError returns the error of what recover has returned, which is nil if the
// goroutine ends instead. It is called while the stack is still there.
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

// panicValue is what a panic was called with, as an error. Its text is made when it
// is asked for: the value may have a method that fails.
type panicValue struct{ value any }

func (p panicValue) Error() string { return fmt.Sprint(p.value) }

// errorReply returns the reply that reports a failure, with its detail as JSON.
func errorReply(name string, err error) []byte {
	text, d := described(err)
	return (&RPCMessage{Type: MsgTypeError, FuncName: name, ErrorMsg: text, ArrowData: d.marshal()}).Marshal()
}
