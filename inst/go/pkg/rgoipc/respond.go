package rgoipc

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"mangoro.local/internal/arrowipc"
)

// maxStack is as much of a panic's stack as travels to R.
const maxStack = 64 << 10

// responder answers the requests of a server.
type responder struct {
	registry *Registry
	turns    chan struct{} // has room for the calls that may run at the same time
	calls    calls
	metadata metadataReader
	schemas  arrowipc.Schemas
}

func newResponder(registry *Registry, maxCalls int) *responder {
	return &responder{registry: registry, turns: make(chan struct{}, maxCalls)}
}

// respond answers a request. It never fails: what goes wrong is the answer. The
// context is that of the server; the call's own ends with it at the latest.
func (r *responder) respond(ctx context.Context, request []byte) []byte {
	message, err := UnmarshalRPCMessage(request)
	if err != nil {
		return errorReply("", &Error{Code: CodeProtocol, Err: err})
	}
	reply, err := r.dispatch(ctx, message)
	if err != nil {
		return errorReply(message.FuncName, err)
	}
	return reply
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
		return (&RPCMessage{Type: MsgTypeResult}).Marshal(), nil
	default:
		return nil, errorf(CodeProtocol, "this server does not know messages of type %d", message.Type)
	}
}

// call runs a function and returns its reply. A panic, of the handler or while
// its result is written, is an error of [CodePanic].
func (r *responder) call(ctx context.Context, message *RPCMessage) (answer []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicError(p)
		}
	}()
	fn, ok := r.registry.Get(message.FuncName)
	if !ok {
		return nil, errorf(CodeNotFound, "there is no function %q; the functions are %q", message.FuncName, r.registry.List())
	}
	m := r.metadata.read(message.ErrorMsg)
	ctx, end := r.calls.begin(ctx, m.id)
	defer end()
	if err := r.takeTurn(ctx, m.limit); err != nil {
		return nil, err
	}
	defer func() { <-r.turns }()
	ctx, cancel := fn.context(ctx, m.limit)
	defer cancel()
	record, err := readRecord(&r.schemas, message.ArrowData)
	if err != nil {
		return nil, &Error{Code: CodeProtocol, Err: err}
	}
	defer record.Release()

	header := &RPCMessage{Type: MsgTypeResult, FuncName: fn.Name}
	out := reply{bytes: header.appendHeader(make([]byte, 0, headerLen+len(fn.Name))), writer: fn.writer}
	if err := fn.run(ctx, record, &out); err != nil {
		return nil, err
	}
	return out.bytes, nil
}

// takeTurn waits until a call may run, which is mostly at once. One that is given up
// before never runs.
func (r *responder) takeTurn(ctx context.Context, limit time.Duration) error {
	select {
	case r.turns <- struct{}{}:
		return nil
	default:
	}
	ctx, cancel := callContext(ctx, limit)
	defer cancel()
	select {
	case r.turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%d other calls ran all the time: %w", cap(r.turns), ctx.Err())
	}
}

func panicError(p any) *Error {
	stack := debug.Stack()
	e := errorf(CodePanic, "%v", p)
	if cause, ok := p.(error); ok {
		e.Err = cause
	}
	e.Stack, e.frames = string(stack[:min(len(stack), maxStack)]), userFrames()
	return e
}

// errorReply returns the reply that reports a failure, with its detail as JSON.
func errorReply(name string, err error) []byte {
	return (&RPCMessage{
		Type:      MsgTypeError,
		FuncName:  name,
		ErrorMsg:  strings.ToValidUTF8(err.Error(), "\uFFFD"),
		ArrowData: detailOf(err).marshal(),
	}).Marshal()
}
