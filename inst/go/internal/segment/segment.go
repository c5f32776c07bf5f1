// Package segment maps shared memory that R has made. R owns it: a server opens a segment
// through /proc, writes to those that R offers for results and lets them grow, and never
// makes or removes one. Where the system has no such memory, each attempt fails, and
// results are made in ordinary memory.
package segment

import (
	"context"
	"math"
	"reflect"
	"unsafe"
)

// Name is how R names a segment.
type Name struct {
	FD         uint32 // R's file descriptor
	Generation uint32 // tells it from others that have had the same one
}

// None is the descriptor of no segment.
const None = ^uint32(0)

// Part is a range of a segment.
type Part struct {
	Name
	Offset, Length uint64
}

type resultKey struct{}

// WithResult returns the context of a call whose result may lie in r.
func WithResult(ctx context.Context, r *Result) context.Context {
	return context.WithValue(ctx, resultKey{}, r)
}

// ResultOf returns where the result of a call may lie, or nil.
func ResultOf(ctx context.Context) *Result {
	r, _ := ctx.Value(resultKey{}).(*Result)
	return r
}

// Floor is the size, in bytes, below which values travel in the message itself, and are
// made in ordinary memory.
const Floor = 64 << 10

// Make returns a slice of n values, in r if they are large and r has room for them, or
// else in ordinary memory. T must not have pointers, or it is ordinary memory. The values
// are not set: in r, earlier results may have left theirs there.
func Make[T any](r *Result, n int) []T { return newSlice[T](r, n, r.Alloc) }

// Lend is [Make] for a slice that a function gets, which may keep it: what is written to it
// once the call has ended does not reach r.
func Lend[T any](r *Result, n int) []T { return newSlice[T](r, n, r.lend) }

func newSlice[T any](r *Result, n int, alloc func(int) []byte) []T {
	size := int(unsafe.Sizeof(*new(T)))
	if r == nil || size == 0 || n < Floor/size || n > math.MaxInt/size || hasPointers(reflect.TypeFor[T]()) {
		return make([]T, n)
	}
	memory := alloc(n * size)
	if memory == nil {
		return make([]T, n)
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(memory))), n)
}

func hasPointers(t reflect.Type) bool {
	switch kind := t.Kind(); kind {
	case reflect.Array:
		return hasPointers(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if hasPointers(t.Field(i).Type) {
				return true
			}
		}
		return false
	default:
		return kind < reflect.Bool || kind > reflect.Complex128 || kind == reflect.Uintptr
	}
}
