package codec

import (
	"fmt"
	"reflect"
)

// Shape is how a type of rgoipc holds values that may be NA. Such a type has a method
// Codec that returns it.
type Shape interface {
	own() reflect.Type  // the type itself, and not a struct that embeds it
	elem() reflect.Type // T
}

// shapeOf returns the shape of a type, if it has one.
func shapeOf(t reflect.Type) (Shape, bool) {
	if t.Kind() != reflect.Struct {
		return nil, false
	}
	shaped, ok := reflect.Zero(t).Interface().(interface{ Codec() Shape })
	if !ok || shaped.Codec().own() != t {
		return nil, false
	}
	return shaped.Codec(), true
}

// nullShape is the shape of a value; values is a []T, nulls a slice of the type.
type nullShape interface {
	Shape
	pack(values any, valid Bitmap) (nulls any)
	unpack(nulls any, valid Bitmap) (values any, both Bitmap)
}

// Null is the shape of rgoipc's Null.
type Null[T any, N ~struct {
	V     T
	Valid bool
}] struct{}

func (Null[T, N]) own() reflect.Type { return reflect.TypeFor[N]() }

func (Null[T, N]) elem() reflect.Type { return reflect.TypeFor[T]() }

func (Null[T, N]) pack(values any, valid Bitmap) any {
	in := values.([]T)
	out := make([]N, len(in))
	for i := range out {
		if valid.Has(i) {
			out[i] = N{V: in[i], Valid: true}
		}
	}
	return out
}

func (Null[T, N]) unpack(nulls any, valid Bitmap) (any, Bitmap) {
	in := nulls.([]N)
	out := make([]T, len(in))
	valid = valid.copy(len(in))
	for i := range in {
		v := struct {
			V     T
			Valid bool
		}(in[i])
		if v.Valid {
			out[i] = v.V
		} else {
			valid.clear(i)
		}
	}
	return out, valid
}

// Nulls is the shape of rgoipc's Nulls, a vector.
type Nulls[T any, N ~struct {
	Values []T
	Valid  []bool
}] struct{}

func (Nulls[T, N]) own() reflect.Type { return reflect.TypeFor[N]() }

func (Nulls[T, N]) elem() reflect.Type { return reflect.TypeFor[T]() }

func (Nulls[T, N]) holdsNA() bool { return true }

func (Nulls[T, N]) cut(values any, valid Bitmap, from, to int) reflect.Value {
	return reflect.ValueOf(N{Values: values.([]T)[from:to:to], Valid: valid.From(from).bools(to - from)})
}

// parts copies the values where some are NA: what is under those is written to.
func (Nulls[T, N]) parts(nulls reflect.Value) (any, Bitmap, error) {
	n := struct {
		Values []T
		Valid  []bool
	}(nulls.Interface().(N))
	if n.Valid == nil {
		return n.Values, Bitmap{}, nil
	}
	if len(n.Valid) != len(n.Values) {
		return nil, Bitmap{}, wrong("must have a Valid for each of its %d Values, but has %d", len(n.Values), len(n.Valid))
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
	null nullShape
	codec
}

func newNullCodec(t reflect.Type, null nullShape, in []reflect.Type) (codec, error) {
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

func (c nullCodec) describe() Type { return orNA(c.codec) }

// orNA describes a type to which NA has been added.
func orNA(c codec) Type {
	spec := c.describe()
	spec.Nullable = true
	return spec
}

func (c nullCodec) read(col Column) (any, Bitmap, error) {
	col.borrow = false
	values, valid, err := readColumn(c.codec, col)
	if err != nil {
		return nil, Bitmap{}, err
	}
	return c.null.pack(values, valid), Bitmap{}, nil
}

func (c nullCodec) write(values any, valid Bitmap, args *Arguments) (Column, error) {
	plain, valid := c.null.unpack(values, valid)
	return c.codec.write(plain, valid, args)
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

func (c pointerCodec) describe() Type { return orNA(c.codec) }

func (c pointerCodec) read(col Column) (any, Bitmap, error) {
	col.borrow = false
	read, valid, err := readColumn(c.codec, col)
	if err != nil {
		return nil, Bitmap{}, err
	}
	values := reflect.ValueOf(read)
	pointers := reflect.MakeSlice(reflect.SliceOf(c.t), values.Len(), values.Len())
	for i := range values.Len() {
		if valid.Has(i) {
			pointers.Index(i).Set(values.Index(i).Addr().Convert(c.t))
		}
	}
	return pointers.Interface(), Bitmap{}, nil
}

func (c pointerCodec) write(values any, valid Bitmap, args *Arguments) (Column, error) {
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
	return c.codec.write(out.Interface(), valid, args)
}
