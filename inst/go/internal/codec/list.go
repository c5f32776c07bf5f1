package codec

import (
	"fmt"
	"math"
	"reflect"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// listCodec is the codec of a vector: []T or Nulls[T].
type listCodec struct {
	t     reflect.Type
	elem  codec
	shape listShape
}

// listShape is how a Go type holds the elements of a vector.
type listShape interface {
	// cut returns elements [from, to) of values, a []T that is to be kept.
	cut(values any, valid Bitmap, from, to int) reflect.Value
	// parts returns the elements of one vector. What is under those that are
	// not valid may be written to.
	parts(list reflect.Value) (values any, valid Bitmap, err error)
	// holdsNA tells whether an element can be NA even where a T cannot.
	holdsNA() bool
}

// sliceShape holds the elements as a slice of type t.
type sliceShape struct{ t reflect.Type }

func (s sliceShape) holdsNA() bool { return false }

func (s sliceShape) cut(values any, _ Bitmap, from, to int) reflect.Value {
	return reflect.ValueOf(values).Slice3(from, to, to).Convert(s.t)
}

func (s sliceShape) parts(list reflect.Value) (any, Bitmap, error) {
	return list.Convert(reflect.SliceOf(s.t.Elem())).Interface(), Bitmap{}, nil
}

func newListCodec(t, elem reflect.Type, s listShape, within []reflect.Type) (codec, error) {
	c, err := newCodec(elem, within...)
	if err != nil {
		return nil, err
	}
	if s.holdsNA() && hasNA(c) {
		return nil, fmt.Errorf("type %v has NA twice", t)
	}
	if c.describe().hasMatrix() {
		return nil, fmt.Errorf("%w: a matrix cannot be an element: use several results, or a field for each", unsupported(t))
	}
	return listCodec{t: t, elem: c, shape: s}, nil
}

func (c listCodec) goType() reflect.Type { return c.t }

func (c listCodec) describe() Type {
	elem := c.elem.describe()
	elem.Nullable = elem.Nullable || c.shape.holdsNA()
	return Type{Name: TypeList, Elem: &elem}
}

func (c listCodec) scalar() bool { return false }

func (c listCodec) nests(arrow.ListLikeType) bool { return true }

func (c listCodec) whole(col Column) (reflect.Value, error) {
	values, valid, err := c.elements(col)
	if err != nil {
		return reflect.Value{}, err
	}
	return c.shape.cut(values, valid, 0, col.Array.Len()), nil
}

// elements reads the rows of a column as elements.
func (c listCodec) elements(col Column) (any, Bitmap, error) {
	if c.shape.holdsNA() {
		col.borrow = false // what is under NA is written to if it is returned
		return readColumn(c.elem, col)
	}
	values, err := strict(c.elem, col)
	return values, Bitmap{}, err
}

func (c listCodec) read(col Column) (any, Bitmap, error) {
	list, ok := col.Array.(array.ListLike)
	if !ok || !slices.Contains([]arrow.Type{arrow.LIST, arrow.LARGE_LIST, arrow.FIXED_SIZE_LIST}, list.DataType().ID()) {
		return nil, Bitmap{}, col.mustBe("a list")
	}
	first, last := extent(list)
	child := col.child(list, first, last)
	defer child.Array.Release()
	offset := func(i int) int {
		if i == list.Len() {
			return int(last - first)
		}
		from, _ := list.ValueOffsets(i)
		return int(from - first)
	}
	elements, held, err := c.elements(child)
	if err != nil {
		return nil, Bitmap{}, inElement(err, list.Len(), offset)
	}
	valid := validRows(list)
	rows := reflect.MakeSlice(reflect.SliceOf(c.t), list.Len(), list.Len())
	for i := range list.Len() {
		if valid.Has(i) {
			rows.Index(i).Set(c.shape.cut(elements, held, offset(i), offset(i+1)))
		}
	}
	return rows.Interface(), valid, nil
}

func (c listCodec) write(values any, valid Bitmap, args *Arguments) (Column, error) {
	lists := reflect.ValueOf(values)
	offsets := make([]int, lists.Len()+1)
	items, err := c.items(lists, valid, offsets, args)
	if err != nil {
		return Column{}, err
	}
	defer items.Array.Release()
	return newList(items, offsets, valid), nil
}

// items returns the elements of all lists as a column, and sets the offsets.
func (c listCodec) items(lists reflect.Value, valid Bitmap, offsets []int, args *Arguments) (Column, error) {
	elements, held, err := c.joined(lists, valid, offsets)
	if err != nil {
		return Column{}, err
	}
	items, err := c.elem.write(elements, held, args)
	if err != nil {
		return Column{}, inElement(err, lists.Len(), func(i int) int { return offsets[i] })
	}
	return items, nil
}

// joined returns the elements of all lists one after the other, and where each
// list begins. A single list lends its own memory: a million numbers are written in 2 ms,
// and in 8 ms if they are copied.
func (c listCodec) joined(lists reflect.Value, valid Bitmap, offsets []int) (any, Bitmap, error) {
	n := lists.Len()
	if n == 1 && valid.Has(0) {
		elements, held, err := c.shape.parts(lists.Index(0))
		if err != nil {
			return nil, Bitmap{}, inRow(err, 0)
		}
		offsets[1] = reflect.ValueOf(elements).Len()
		return elements, held, nil
	}
	all := reflect.MakeSlice(reflect.SliceOf(c.elem.goType()), 0, n)
	var missing []int
	for i := range n {
		if valid.Has(i) {
			elements, held, err := c.shape.parts(lists.Index(i))
			if err != nil {
				return nil, Bitmap{}, inRow(err, i)
			}
			part := reflect.ValueOf(elements)
			for j := range part.Len() {
				if !held.Has(j) {
					missing = append(missing, all.Len()+j)
				}
			}
			all = reflect.AppendSlice(all, part)
		}
		offsets[i+1] = all.Len()
	}
	held := Bitmap{}
	if len(missing) > 0 {
		held = allRows(all.Len())
	}
	for _, i := range missing {
		held.clear(i)
	}
	return all.Interface(), held, nil
}

// newList returns a list column, a large one if there are too many elements.
func newList(items Column, offsets []int, valid Bitmap) Column {
	item := items.Named("item")
	if offsets[len(offsets)-1] > math.MaxInt32 {
		return newColumn(newNested(arrow.LargeListOfField(item), len(offsets)-1, valid,
			[]*memory.Buffer{memory.NewBufferBytes(cast[byte](widen[int64](offsets)))}, items.Array.Data()))
	}
	return newColumn(newNested(arrow.ListOfField(item), len(offsets)-1, valid,
		[]*memory.Buffer{memory.NewBufferBytes(cast[byte](widen[int32](offsets)))}, items.Array.Data()))
}
