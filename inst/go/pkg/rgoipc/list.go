package rgoipc

import (
	"fmt"
	"math"
	"reflect"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// listCodec is the codec of a vector: []T or Nulls[T].
type listCodec struct {
	t     reflect.Type
	elem  codec
	shape shape
}

// shape is how a Go type holds the elements of a vector.
type shape interface {
	// cut returns elements [from, to) of values, a []T that is to be kept.
	cut(values any, valid bitmap, from, to int) reflect.Value
	// parts returns the elements of one vector. What is under those that are
	// not valid may be written to.
	parts(list reflect.Value) (values any, valid bitmap, err error)
	// holdsNA tells whether an element can be NA even where a T cannot.
	holdsNA() bool
}

// sliceShape holds the elements as a slice of type t.
type sliceShape struct{ t reflect.Type }

func (s sliceShape) holdsNA() bool { return false }

func (s sliceShape) cut(values any, _ bitmap, from, to int) reflect.Value {
	return reflect.ValueOf(values).Slice3(from, to, to).Convert(s.t)
}

func (s sliceShape) parts(list reflect.Value) (any, bitmap, error) {
	return list.Convert(reflect.SliceOf(s.t.Elem())).Interface(), bitmap{}, nil
}

// nullsShape holds the elements as a Nulls.
type nullsShape struct{ nulls nullables }

func (s nullsShape) holdsNA() bool { return true }

func (s nullsShape) cut(values any, valid bitmap, from, to int) reflect.Value {
	return reflect.ValueOf(s.nulls.cut(values, valid, from, to))
}

func (s nullsShape) parts(list reflect.Value) (any, bitmap, error) {
	return s.nulls.parts(list.Interface())
}

func newListCodec(t, elem reflect.Type, s shape, in []reflect.Type) (codec, error) {
	c, err := newCodec(elem, in...)
	if err != nil {
		return nil, err
	}
	if s.holdsNA() && hasNA(c) {
		return nil, fmt.Errorf("type %v has NA twice", t)
	}
	return listCodec{t: t, elem: c, shape: s}, nil
}

func (c listCodec) goType() reflect.Type { return c.t }

func (c listCodec) spec() TypeSpec {
	elem := c.elem.spec()
	elem.Nullable = elem.Nullable || c.shape.holdsNA()
	return TypeSpec{Type: TypeList, ListSchema: &elem}
}

func (c listCodec) scalar() bool { return false }

func (c listCodec) nests(arrow.ListLikeType) bool { return true }

// whole reads all rows of a column as one vector.
func (c listCodec) whole(src source) (reflect.Value, error) {
	values, valid, err := c.elements(src)
	if err != nil {
		return reflect.Value{}, err
	}
	return c.shape.cut(values, valid, 0, src.column.Len()), nil
}

// elements reads the rows of a column as elements.
func (c listCodec) elements(src source) (any, bitmap, error) {
	src.borrow = false
	values, valid, err := readColumn(c.elem, src)
	if err != nil || c.shape.holdsNA() {
		return values, valid, err
	}
	if row := missingRow(c.elem, valid, src.column.Len()); row >= 0 {
		return nil, valid, missingValue(row)
	}
	return values, valid, nil
}

func (c listCodec) read(src source) (any, bitmap, error) {
	list, ok := src.column.(array.ListLike)
	if ok {
		switch src.column.DataType().ID() {
		case arrow.LIST, arrow.LARGE_LIST, arrow.FIXED_SIZE_LIST:
		default:
			ok = false
		}
	}
	if !ok {
		return nil, bitmap{}, src.mustBe("a list")
	}
	first, last := extent(list)
	child := src.child(list, first, last)
	defer child.column.Release()
	offset := func(i int) int {
		if i == list.Len() {
			return int(last - first)
		}
		from, _ := list.ValueOffsets(i)
		return int(from - first)
	}
	elements, held, err := c.elements(child)
	if err != nil {
		return nil, bitmap{}, inElement(err, list.Len(), offset)
	}
	valid := validRows(list)
	rows := reflect.MakeSlice(reflect.SliceOf(c.t), list.Len(), list.Len())
	for i := range list.Len() {
		if valid.has(i) {
			rows.Index(i).Set(c.shape.cut(elements, held, offset(i), offset(i+1)))
		}
	}
	return rows.Interface(), valid, nil
}

func (c listCodec) write(values any, valid bitmap, none zone) (vector, error) {
	lists := reflect.ValueOf(values)
	offsets := make([]int, lists.Len()+1)
	elements, held, err := c.joined(lists, valid, offsets)
	if err != nil {
		return vector{}, err
	}
	items, err := c.elem.write(elements, held, none)
	if err != nil {
		return vector{}, inElement(err, lists.Len(), func(i int) int { return offsets[i] })
	}
	defer items.column.Release()
	return newList(items, offsets, valid), nil
}

// joined returns the elements of all lists one after the other, and where each
// list begins. A single list lends its own memory.
func (c listCodec) joined(lists reflect.Value, valid bitmap, offsets []int) (any, bitmap, error) {
	n := lists.Len()
	if n == 1 && valid.has(0) {
		elements, held, err := c.shape.parts(lists.Index(0))
		if err != nil {
			return nil, bitmap{}, inRow(err, 0)
		}
		offsets[1] = reflect.ValueOf(elements).Len()
		return elements, held, nil
	}
	all := reflect.MakeSlice(reflect.SliceOf(c.elem.goType()), 0, n)
	var missing []int
	for i := range n {
		if valid.has(i) {
			elements, held, err := c.shape.parts(lists.Index(i))
			if err != nil {
				return nil, bitmap{}, inRow(err, i)
			}
			part := reflect.ValueOf(elements)
			for j := range part.Len() {
				if !held.has(j) {
					missing = append(missing, all.Len()+j)
				}
			}
			all = reflect.AppendSlice(all, part)
		}
		offsets[i+1] = all.Len()
	}
	held := bitmap{}
	if len(missing) > 0 {
		held = allRows(all.Len())
	}
	for _, i := range missing {
		held.clear(i)
	}
	return all.Interface(), held, nil
}

// inRow moves an error about a value as a whole to the row that it is in.
func inRow(err error, row int) error {
	if e, ok := err.(*cellError); ok && e.row < 0 {
		e.row, e.value = row, "none of that"
	}
	return err
}

// newList returns a list column, a large one if there are too many elements.
func newList(items vector, offsets []int, valid bitmap) vector {
	item := items.named("item")
	if offsets[len(offsets)-1] > math.MaxInt32 {
		return newVector(newNested(arrow.LargeListOfField(item), len(offsets)-1, valid,
			[]*memory.Buffer{memory.NewBufferBytes(cast[byte](widenInts[int64](offsets)))}, items.column.Data()))
	}
	return newVector(newNested(arrow.ListOfField(item), len(offsets)-1, valid,
		[]*memory.Buffer{memory.NewBufferBytes(cast[byte](widenInts[int32](offsets)))}, items.column.Data()))
}

func widenInts[T int32 | int64](values []int) []T {
	return mapped(values, func(v int) T { return T(v) })
}
