package rgoipc

import "mangoro.local/internal/codec"

// Null is a value that may be NA. As a parameter of a typed function it shows
// the function NA itself; as a result it is NA where it is not valid. The zero
// value is NA.
type Null[T any] struct {
	// V is the value. Without meaning where Valid is false.
	V T
	// Valid is false for NA.
	Valid bool
}

// NewNull returns a value that is not NA.
func NewNull[T any](v T) Null[T] { return Null[T]{V: v, Valid: true} }

// Codec tells [Registry.Func] how the value travels.
func (Null[T]) Codec() codec.Shape { return codec.Null[T, Null[T]]{} }

// Nulls is a vector that may have NA in it. The zero value is a vector of
// length 0.
type Nulls[T any] struct {
	// Values are the elements. Without meaning where Valid is false.
	Values []T
	// Valid has false for each element that is NA. Nil: none is. Otherwise it
	// is as long as Values.
	Valid []bool
}

// Len returns the number of elements.
func (n Nulls[T]) Len() int { return len(n.Values) }

// IsNA tells whether element i is NA.
func (n Nulls[T]) IsNA(i int) bool { return n.Valid != nil && !n.Valid[i] }

// Codec tells [Registry.Func] how the vector travels.
func (Nulls[T]) Codec() codec.Shape { return codec.Nulls[T, Nulls[T]]{} }
