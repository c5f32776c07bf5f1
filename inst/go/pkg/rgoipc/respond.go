package rgoipc

import (
	"context"
	"runtime/debug"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

// maxStack is as much of a panic's stack as travels to R.
const maxStack = 64 << 10

// respond answers a request. It never fails: what goes wrong is the answer. The
// context is that of the server; the call's own ends with it at the latest.
func (r *Registry) respond(ctx context.Context, request []byte) []byte {
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

func (r *Registry) dispatch(ctx context.Context, message *RPCMessage) ([]byte, error) {
	switch message.Type {
	case MsgTypeManifest:
		manifest, err := r.Manifest()
		return (&RPCMessage{Type: MsgTypeManifest, ArrowData: manifest}).Marshal(), err
	case MsgTypeCall:
		return r.call(ctx, message)
	default:
		return nil, errorf(CodeProtocol, "this server does not know messages of type %d", message.Type)
	}
}

// call runs a function and returns its reply. A panic, of the handler or while
// its result is written, is an error of [CodePanic].
func (r *Registry) call(ctx context.Context, message *RPCMessage) (reply []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicError(p)
		}
	}()
	fn, ok := r.Get(message.FuncName)
	if !ok {
		return nil, errorf(CodeNotFound, "there is no function %q; the functions are %q", message.FuncName, r.List())
	}
	ctx, cancel := fn.context(ctx, r.timeouts.of(message.ErrorMsg))
	defer cancel()
	record, err := readRecord(&r.schemas, message.ArrowData)
	if err != nil {
		return nil, &Error{Code: CodeProtocol, Err: err}
	}
	defer record.Release()

	result, err := fn.run(ctx, record)
	if err != nil {
		return nil, err
	}
	return fn.reply(result)
}

// reply returns the reply that carries a result, and releases it. No result is a
// record without columns.
func (f *Function) reply(result arrow.Record) ([]byte, error) {
	header := (&RPCMessage{Type: MsgTypeResult, FuncName: f.Name}).appendHeader(make([]byte, 0, headerLen+len(f.Name)))
	if result == nil {
		empty, err := readRecord(nil, nil)
		if err != nil {
			return nil, err
		}
		result = empty
	}
	defer result.Release()
	return appendArrowRecord(f.writer, header, result)
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
