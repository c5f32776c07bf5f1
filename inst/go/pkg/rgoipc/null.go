package rgoipc

import (
	"fmt"
	"reflect"
)

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

// nullable is what codecs ask of a Null. values is a []T, nulls a []Null[T].
type nullable interface {
	own() reflect.Type // not that of a struct in which one is embedded
	elem() reflect.Type
	pack(values any, valid bitmap) (nulls any)
	unpack(nulls any, valid bitmap) (values any, both bitmap)
}

func (Null[T]) own() reflect.Type { return reflect.TypeFor[Null[T]]() }

func (Null[T]) elem() reflect.Type { return reflect.TypeFor[T]() }

func (Null[T]) pack(values any, valid bitmap) any {
	in := values.([]T)
	out := make([]Null[T], len(in))
	for i := range out {
		if valid.has(i) {
			out[i] = Null[T]{V: in[i], Valid: true}
		}
	}
	return out
}

func (Null[T]) unpack(nulls any, valid bitmap) (any, bitmap) {
	in := nulls.([]Null[T])
	out := make([]T, len(in))
	valid = valid.copy(len(in))
	for i, v := range in {
		if v.Valid {
			out[i] = v.V
		} else {
			valid.clear(i)
		}
	}
	return out, valid
}

// nullables is what codecs ask of a Nulls.
type nullables interface {
	own() reflect.Type
	elem() reflect.Type
	cut(values any, valid bitmap, from, to int) any
	parts(nulls any) (values any, valid bitmap, err error)
}

func (Nulls[T]) own() reflect.Type { return reflect.TypeFor[Nulls[T]]() }

func (Nulls[T]) elem() reflect.Type { return reflect.TypeFor[T]() }

func (Nulls[T]) cut(values any, valid bitmap, from, to int) any {
	return Nulls[T]{Values: values.([]T)[from:to:to], Valid: valid.from(from).bools(to - from)}
}

// parts copies the values where some are NA: what is under those is written to.
func (Nulls[T]) parts(nulls any) (any, bitmap, error) {
	n := nulls.(Nulls[T])
	if n.Valid == nil {
		return n.Values, bitmap{}, nil
	}
	if len(n.Valid) != len(n.Values) {
		problem := fmt.Sprintf("must have a Valid for each of its %d Values, and has %d", len(n.Values), len(n.Valid))
		return nil, bitmap{}, &cellError{problem: problem, row: -1}
	}
	valid := allRows(len(n.Valid))
	for i, v := range n.Valid {
		if !v {
			valid.clear(i)
		}
	}
	return append([]T(nil), n.Values...), valid, nil
}

// nullCodec is the codec of Null[T].
type nullCodec struct {
	t    reflect.Type
	null nullable
	codec
}

func newNullCodec(t reflect.Type, null nullable, in []reflect.Type) (codec, error) {
	c, err := newCodec(null.elem(), in...)
	if err != nil {
		return nil, err
	}
	if hasNA(c) {
		return nil, fmt.Errorf("type %v has NA twice", t)
	}
	return nullCodec{t, null, c}, nil
}

// hasNA tells whether a codec is that of a pointer or of a Null.
func hasNA(c codec) bool {
	switch c.(type) {
	case nullCodec, pointerCodec:
		return true
	default:
		return false
	}
}

func (c nullCodec) goType() reflect.Type { return c.t }

func (c nullCodec) spec() TypeSpec { return orNA(c.codec) }

// orNA describes a type to which NA has been added.
func orNA(c codec) TypeSpec {
	spec := c.spec()
	spec.Nullable = true
	return spec
}

func (c nullCodec) read(src source) (any, bitmap, error) {
	src.borrow = false
	values, valid, err := readColumn(c.codec, src)
	if err != nil {
		return nil, bitmap{}, err
	}
	return c.null.pack(values, valid), bitmap{}, nil
}

func (c nullCodec) write(values any, valid bitmap, none zone) (vector, error) {
	plain, valid := c.null.unpack(values, valid)
	return c.codec.write(plain, valid, none)
}

// pointerCodec is the codec of *T, where nil is NA.
type pointerCodec struct {
	t reflect.Type
	codec
}

func newPointerCodec(t reflect.Type, in []reflect.Type) (codec, error) {
	c, err := newCodec(t.Elem(), in...)
	if err != nil {
		return nil, err
	}
	if hasNA(c) {
		return nil, fmt.Errorf("type %v has NA twice", t)
	}
	return pointerCodec{t, c}, nil
}

func (c pointerCodec) goType() reflect.Type { return c.t }

func (c pointerCodec) spec() TypeSpec { return orNA(c.codec) }

func (c pointerCodec) read(src source) (any, bitmap, error) {
	src.borrow = false
	read, valid, err := readColumn(c.codec, src)
	if err != nil {
		return nil, bitmap{}, err
	}
	values := reflect.ValueOf(read)
	pointers := reflect.MakeSlice(reflect.SliceOf(c.t), values.Len(), values.Len())
	for i := range values.Len() {
		if valid.has(i) {
			pointers.Index(i).Set(values.Index(i).Addr().Convert(c.t))
		}
	}
	return pointers.Interface(), bitmap{}, nil
}

func (c pointerCodec) write(values any, valid bitmap, none zone) (vector, error) {
	pointers := reflect.ValueOf(values)
	n := pointers.Len()
	out := reflect.MakeSlice(reflect.SliceOf(c.t.Elem()), n, n)
	valid = valid.copy(n)
	for i := range n {
		if p := pointers.Index(i); p.IsNil() {
			valid.clear(i)
		} else {
			out.Index(i).Set(p.Elem())
		}
	}
	return c.codec.write(out.Interface(), valid, none)
}

var (
	_ nullable  = Null[int]{}
	_ nullables = Nulls[int]{}
	_ codec     = nullCodec{}
	_ codec     = pointerCodec{}
)
