package rgoipc

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
)

// Code says what kind of failure an [Error] is. In R the condition that it
// becomes has the class mangoro_error_<code>. There is no code for success.
type Code string

// The closed set of codes, the same in Go and in R. The first four arise in R
// alone: before there is a server to answer.
const (
	CodeToolchain         Code = "toolchain"          // no Go that is new enough
	CodeBuild             Code = "build"              // the compiler refused the program
	CodeStart             Code = "start"              // the server did not start
	CodeConnection        Code = "connection"         // nothing listens, or the peer went away
	CodeTimeout           Code = "timeout"            // no answer in time
	CodeCancelled         Code = "cancelled"          // the caller gave up
	CodeProtocol          Code = "protocol"           // bytes that are not a valid message
	CodeNotFound          Code = "not_found"          // no such function, file or object
	CodeInvalidArgument   Code = "invalid_argument"   // the arguments do not fit the signature
	CodeHandler           Code = "handler"            // the function returned an error
	CodePanic             Code = "panic"              // the function panicked
	CodeResourceExhausted Code = "resource_exhausted" // a stated limit was reached
)

// Error is a failure with its code. A handler that returns one, wrapped or
// not, chooses the class of the condition in R; any other error is
// [CodeHandler].
type Error struct {
	// Code is the kind of failure. Empty means CodeHandler.
	Code Code
	// Message is the sentence that the user reads. Empty means Err's.
	Message string
	// Stack is the Go stack of a panic. Empty otherwise.
	Stack string
	// Err is the cause, for [errors.Is] and [errors.As]. May be nil.
	Err error

	frames []frame // the user's part of Stack
}

// Error returns the message, or that of the cause.
func (e *Error) Error() string {
	switch {
	case e.Message != "":
		return e.Message
	case e.Err != nil:
		return textOf(e.Err)
	default:
		return string(e.Code)
	}
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// errorf returns an Error whose message and cause are those of fmt.Errorf.
func errorf(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: err.Error(), Err: errors.Unwrap(err)}
}

// CodeOf returns the code of the first [Error] in err's chain, CodeTimeout or
// CodeCancelled for the errors of a context, and CodeHandler for all others.
// The code of nil is empty.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e := firstError(err); e != nil && e.Code != "" {
		return e.Code
	}
	for _, of := range []struct {
		cause error
		code  Code
	}{{context.DeadlineExceeded, CodeTimeout}, {context.Canceled, CodeCancelled}} {
		for e := range causes(err) {
			is, ok := e.(interface{ Is(error) bool })
			if e == of.cause || ok && is.Is(of.cause) {
				return of.code
			}
		}
	}
	return CodeHandler
}

// firstError returns the first Error in err's chain, or nil.
func firstError(err error) *Error {
	for e := range causes(err) {
		if e, ok := e.(*Error); ok && e != nil {
			return e
		}
		var as *Error
		if e, ok := e.(interface{ As(any) bool }); ok && e.As(&as) {
			return as
		}
	}
	return nil
}

// maxCauses is how many errors of a chain are looked at: a chain may be endless.
const maxCauses = 1000

// causes returns an error and all errors that it wraps, each before its own causes.
func causes(err error) iter.Seq[error] {
	return func(yield func(error) bool) {
		left := maxCauses
		var visit func(error) bool
		visit = func(err error) bool {
			if err == nil || left == 0 {
				return true
			}
			left--
			if !yield(err) {
				return false
			}
			return !slices.ContainsFunc(unwrapped(err), func(cause error) bool { return !visit(cause) })
		}
		visit(err)
	}
}

// unwrapped returns the errors that an error wraps itself. They may be nil.
func unwrapped(err error) []error {
	switch err := err.(type) {
	case interface{ Unwrap() error }:
		return []error{err.Unwrap()}
	case interface{ Unwrap() []error }:
		return err.Unwrap()
	default:
		return nil
	}
}
