package codec

import (
	"fmt"
	"reflect"

	"github.com/apache/arrow-go/v18/arrow"
)

// arrayCodec is the codec of [N]T, as that of a slice with N elements; of [N]byte as that of
// a []byte, which is one raw vector.
type arrayCodec struct {
	t     reflect.Type
	slice codec
}

func newArrayCodec(t reflect.Type, within []reflect.Type) (codec, error) {
	slice, err := newCodec(reflect.SliceOf(t.Elem()), within...)
	c := arrayCodec{t, slice}
	if vector, ok := slice.(vectorCodec); ok {
		return vectorArrayCodec{c, vector}, err
	}
	return c, err
}

func (c arrayCodec) goType() reflect.Type { return c.t }

func (c arrayCodec) describe() Type {
	t, n := c.slice.describe(), c.t.Len()
	t.Nullable, t.Length = false, &n
	return t
}

func (c arrayCodec) scalar() bool { return c.slice.scalar() }

func (c arrayCodec) nests(list arrow.ListLikeType) bool { return c.slice.nests(list) }

// vectorArrayCodec is the codec of an array that is not of bytes.
type vectorArrayCodec struct {
	arrayCodec
	vector vectorCodec // of the slice
}

func (c vectorArrayCodec) whole(col Column) (array reflect.Value, err error) {
	slice, err := c.vector.whole(col)
	if err == nil && slice.Len() != c.t.Len() {
		err = wrong("must have length %d, not %d", c.t.Len(), slice.Len())
	}
	if err != nil {
		return array, err
	}
	return slice.Convert(c.t), nil
}

func (c arrayCodec) read(col Column) (any, Bitmap, error) {
	values, valid, err := c.slice.read(col)
	if err != nil {
		return nil, Bitmap{}, err
	}
	slices := reflect.ValueOf(values)
	arrays := reflect.MakeSlice(reflect.SliceOf(c.t), slices.Len(), slices.Len())
	for i := range slices.Len() {
		slice := slices.Index(i)
		if !valid.Has(i) {
			continue
		}
		if slice.Len() != c.t.Len() {
			return nil, Bitmap{}, badValue(fmt.Sprintf("must have length %d", c.t.Len()), i, fmt.Sprintf("of length %d", slice.Len()))
		}
		arrays.Index(i).Set(slice.Convert(c.t))
	}
	return arrays.Interface(), valid, nil
}

func (c arrayCodec) write(values any, valid Bitmap, args *Arguments) (Column, error) {
	arrays := reflect.ValueOf(values)
	slices := reflect.MakeSlice(reflect.SliceOf(c.slice.goType()), arrays.Len(), arrays.Len())
	for i := range arrays.Len() {
		slices.Index(i).Set(arrays.Index(i).Slice(0, c.t.Len()))
	}
	return c.slice.write(slices.Interface(), valid, args)
}
