package codec

import (
	"fmt"
	"reflect"
)

// nullShape is the shape of a value; values is a []T, nulls a slice of the type.
type nullShape interface {
	own() reflect.Type
	elem() reflect.Type // T
	pack(values any, valid Bitmap) (nulls any)
	unpack(nulls any, valid Bitmap) (values any, both Bitmap)
}

// null and nulls are what rgoipc's Null and Nulls are made of.
type (
	null[T any] = struct {
		V     T
		Valid bool
	}
	nulls[T any] = struct {
		Values []T
		Valid  []bool
	}
)

// Null is the shape of rgoipc's Null.
type Null[T any, N ~null[T]] struct{}

func (Null[T, N]) own() reflect.Type { return reflect.TypeFor[N]() }

func (Null[T, N]) elem() reflect.Type { return reflect.TypeFor[T]() }

func (Null[T, N]) zeroIsAbsent() bool { return true }

func (s Null[T, N]) codec(within []reflect.Type) (codec, error) { return newNullCodec(s, within) }

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

func (Null[T, N]) unpack(packed any, valid Bitmap) (any, Bitmap) {
	in := packed.([]N)
	out := make([]T, len(in))
	valid = valid.copy(len(in))
	for i := range in {
		if v := null[T](in[i]); v.Valid {
			out[i] = v.V
		} else {
			valid.clear(i)
		}
	}
	return out, valid
}

// Nulls is the shape of rgoipc's Nulls, a vector.
type Nulls[T any, N ~nulls[T]] struct{}

func (Nulls[T, N]) own() reflect.Type { return reflect.TypeFor[N]() }

func (Nulls[T, N]) zeroIsAbsent() bool { return true }

func (s Nulls[T, N]) codec(within []reflect.Type) (codec, error) {
	return newListCodec(s.own(), reflect.TypeFor[T](), s, within)
}

func (Nulls[T, N]) holdsNA() bool { return true }

func (Nulls[T, N]) cut(values any, valid Bitmap, from, to int) reflect.Value {
	return reflect.ValueOf(N{Values: values.([]T)[from:to:to], Valid: valid.From(from).bools(to - from)})
}

// parts copies the values where some are NA: what is under those is written to.
func (Nulls[T, N]) parts(vector reflect.Value) (any, Bitmap, error) {
	n := nulls[T](vector.Interface().(N))
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

// pointer is the shape of *T, where nil is NA.
type pointer struct{ t reflect.Type }

func (p pointer) own() reflect.Type { return p.t }

func (p pointer) elem() reflect.Type { return p.t.Elem() }

func (p pointer) pack(read any, valid Bitmap) any {
	values := reflect.ValueOf(read)
	pointers := reflect.MakeSlice(reflect.SliceOf(p.t), values.Len(), values.Len())
	for i := range values.Len() {
		if valid.Has(i) {
			pointers.Index(i).Set(values.Index(i).Addr().Convert(p.t))
		}
	}
	return pointers.Interface()
}

func (p pointer) unpack(nulls any, valid Bitmap) (any, Bitmap) {
	pointers := reflect.ValueOf(nulls)
	n := pointers.Len()
	out := reflect.MakeSlice(reflect.SliceOf(p.elem()), n, n)
	valid = valid.copy(n)
	for i := range n {
		if at := pointers.Index(i); at.IsNil() {
			valid.clear(i)
		} else {
			out.Index(i).Set(at.Elem())
		}
	}
	return out.Interface(), valid
}

// nullCodec is the codec of a type that adds NA to T.
type nullCodec struct {
	shape nullShape
	codec // of T
}

func newNullCodec(shape nullShape, within []reflect.Type) (codec, error) {
	c, err := newCodec(shape.elem(), within...)
	if err == nil && hasNA(c) {
		err = fmt.Errorf("type %v has NA twice", shape.own())
	}
	return nullCodec{shape, c}, err
}

// hasNA tells whether a codec is that of a type that shows NA: a pointer, a Null, or
// any, which may be nil.
func hasNA(c codec) bool {
	switch c.(type) {
	case nullCodec, dynamicCodec:
		return true
	default:
		return false
	}
}

func (c nullCodec) goType() reflect.Type { return c.shape.own() }

func (c nullCodec) describe() Type {
	t := c.codec.describe()
	t.Nullable = true
	return t
}

func (c nullCodec) read(col Column) (any, Bitmap, error) {
	col.borrow, col.skip = false, false // pointers to values may be kept
	values, valid, err := readColumn(c.codec, col)
	if err != nil {
		return nil, Bitmap{}, err
	}
	return c.shape.pack(values, valid), Bitmap{}, nil
}

func (c nullCodec) write(values any, valid Bitmap, args *Arguments) (Column, error) {
	values, valid = c.shape.unpack(values, valid)
	return c.codec.write(values, valid, args)
}
