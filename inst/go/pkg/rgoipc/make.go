package rgoipc

import (
	"context"
	"unsafe"

	"mangoro.local/internal/segment"
)

// minLent is the size in bytes from which on R does not copy a result.
const minLent = 128 << 10

// Number is what the elements of [Make] can be.
type Number interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64 | ~complex64 | ~complex128
}

// Make returns a slice of n values for a result of the call whose context this is. If R
// shares memory with the server, a large one lies where R reads it, so that it is not
// copied when the function returns it, whole or as a [Matrix]; otherwise it is ordinary
// memory. It is worth it for results of a megabyte and more.
//
// The values are not set: there may be those of earlier results.
//
// Once the function has returned, a large slice belongs to R, whether it was returned or not:
// what is written to it then does not reach R, and when R uses the memory for another result,
// to read or write it panics, or ends the program if that is on another goroutine. So do not
// keep it: what lasts longer than a call is made by make.
func Make[T Number](ctx context.Context, n int) []T {
	if n < minLent/int(unsafe.Sizeof(*new(T))) {
		return make([]T, n)
	}
	return segment.Lend[T](segment.ResultOf(ctx), n)
}

// MakeMatrix returns a matrix whose elements are from [Make].
func MakeMatrix[T Number](ctx context.Context, rows, cols int) Matrix[T] {
	return Matrix[T]{Rows: rows, Cols: cols, Data: Make[T](ctx, elements(rows, cols))}
}
