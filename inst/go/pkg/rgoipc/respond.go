package rgoipc

import (
	"encoding/json"
	"errors"
	"runtime/debug"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

// maxStack is as much of a panic's stack as travels to R.
const maxStack = 64 << 10

// respond answers a request. It never fails: what goes wrong is the answer.
func (r *Registry) respond(request []byte) []byte {
	message, err := UnmarshalRPCMessage(request)
	if err != nil {
		return errorReply("", &Error{Code: CodeProtocol, Err: err})
	}
	reply, err := r.dispatch(message)
	if err != nil {
		return errorReply(message.FuncName, err)
	}
	return reply
}

func (r *Registry) dispatch(message *RPCMessage) ([]byte, error) {
	switch message.Type {
	case MsgTypeManifest:
		manifest, err := r.Manifest()
		return (&RPCMessage{Type: MsgTypeManifest, ArrowData: manifest}).Marshal(), err
	case MsgTypeCall:
		return r.call(message)
	default:
		return nil, errorf(CodeProtocol, "this server does not know messages of type %d", message.Type)
	}
}

// call runs a function and returns its reply. A panic, of the handler or while
// its result is written, is an error of [CodePanic].
func (r *Registry) call(message *RPCMessage) (reply []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicError(p)
		}
	}()
	fn, ok := r.Get(message.FuncName)
	if !ok {
		return nil, errorf(CodeNotFound, "there is no function %q; the functions are %q", message.FuncName, r.List())
	}
	record, err := readRecord(message.ArrowData)
	if err != nil {
		return nil, &Error{Code: CodeProtocol, Err: err}
	}
	defer record.Release()
	arguments, err := fn.Signature.arguments(record)
	if err != nil {
		return nil, err
	}
	defer arguments.Release()

	result, err := fn.Handler(arguments)
	if err != nil {
		return nil, err
	}
	return resultReply(message.FuncName, result)
}

// resultReply returns the reply that carries a result, and releases it. No
// result is a record without columns.
func resultReply(name string, result arrow.Record) ([]byte, error) {
	header := (&RPCMessage{Type: MsgTypeResult, FuncName: name}).appendHeader(nil)
	if result == nil {
		empty, err := readRecord(nil)
		if err != nil {
			return nil, err
		}
		result = empty
	}
	defer result.Release()
	return appendArrowRecord(header, result)
}

func panicError(p any) *Error {
	stack := debug.Stack()
	e := errorf(CodePanic, "%v", p)
	if cause, ok := p.(error); ok {
		e.Err = cause
	}
	e.Stack = string(stack[:min(len(stack), maxStack)])
	return e
}

// errorReply returns the reply that reports a failure, with its code and, of a
// panic, its stack as JSON detail.
func errorReply(name string, err error) []byte {
	detail := struct {
		Code  Code   `json:"code"`
		Stack string `json:"stack,omitempty"`
	}{Code: CodeOf(err)}
	var e *Error
	if errors.As(err, &e) {
		detail.Stack = e.Stack
	}
	payload, jsonErr := json.Marshal(detail)
	if jsonErr != nil { // two strings: cannot happen, and the message says it all
		payload = nil
	}
	return (&RPCMessage{
		Type:      MsgTypeError,
		FuncName:  name,
		ErrorMsg:  strings.ToValidUTF8(err.Error(), "\uFFFD"),
		ArrowData: payload,
	}).Marshal()
}
