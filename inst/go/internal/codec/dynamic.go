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

// dynamic is the kind of any as a result: the type of the value, when it is there, says
// what R gets. Nil is NULL.
type dynamic struct{ arrays }

func (dynamic) Write(value reflect.Value, args *Arguments) (Column, error) {
	if value.IsNil() {
		return Missing(1), nil
	}
	var kind Kind
	var err error
	switch value.Interface().(type) {
	case arrow.Array:
		kind = arrays{}
	case arrow.RecordBatch:
		kind = batches{}
	case array.RecordReader:
		kind = streams{}
	default:
		if t := value.Elem().Type(); t.Kind() == reflect.Pointer && isDynamic(t.Elem()) {
			return Values{dynamicCodec{value.Type()}}.Write(value, args)
		}
		value = rowOf(value)
		if kind, err = Result(value.Elem().Type()); err == nil {
			args.inAny = true
			defer func() { args.inAny = false }()
		}
	}
	if err != nil {
		return Column{}, wrong("cannot be sent to R: %v", err)
	}
	return kind.Write(value.Elem(), args)
}

// rowOf returns a value of any whose values would be objects elsewhere as the row that it
// points to: nothing tells R of its type.
func rowOf(value reflect.Value) reflect.Value {
	if elem := value.Elem(); IsObject(elem.Type()) && !elem.IsNil() {
		row := reflect.New(value.Type()).Elem()
		row.Set(elem.Elem())
		return row
	}
	return value
}

// isDynamic tells whether a type is any, or slices, arrays and maps of nothing but any.
// Their values have no columns of their own.
func isDynamic(t reflect.Type, within ...reflect.Type) bool {
	if slices.Contains(within, t) {
		return false
	}
	switch t.Kind() {
	case reflect.Interface:
		return t.NumMethod() == 0
	case reflect.Map:
		_, ok := newKeyCodec(t.Key())
		return ok && isDynamic(t.Elem(), append(within, t)...)
	case reflect.Slice, reflect.Array:
		return isDynamic(t.Elem(), append(within, t)...)
	default:
		return false
	}
}

// classDynamic is what r.class says of a column of any.
const classDynamic = "dynamic"

// maxLeaves is how often a value of any may be in one of another type that is in a
// value of any. Each time is a level of the schema or two.
const maxLeaves = 16

// dynamicCodec is the codec of any, and of slices, arrays and maps of any. A value is a tree
// of what encoding/json makes of JSON, with times, time differences and raw vectors. Of
// results the leaves are of any type.
type dynamicCodec struct{ t reflect.Type }

func (c dynamicCodec) goType() reflect.Type { return c.t }

func (c dynamicCodec) describe() Type { return describeDynamic(c.t) }

func describeDynamic(t reflect.Type) Type {
	out := Type{Name: TypeDynamic, Nullable: true}
	if t.Kind() == reflect.Interface {
		return out
	}
	elem := describeDynamic(t.Elem())
	out.Name, out.Elem = TypeList, &elem
	if t.Kind() == reflect.Map {
		key, _ := newKeyCodec(t.Key())
		out.Name, out.lacks = TypeMap, key.lacks()
	}
	return out
}

func (c dynamicCodec) scalar() bool { return false }

func (c dynamicCodec) nests(arrow.ListLikeType) bool { return false }

func (c dynamicCodec) read(col Column) (any, Bitmap, error) {
	n := col.Array.Len()
	values, ok := col.Array.(interface{ Value(int) []byte })
	if !ok || col.class() != classDynamic {
		return nil, Bitmap{}, col.mustBe("a value that R has sent for any")
	}
	valid := validRows(col.Array)
	rows := reflect.MakeSlice(reflect.SliceOf(c.t), n, n)
	for i := range n {
		if !valid.Has(i) {
			continue
		}
		r := treeReader{text: string(values.Value(i))}
		value, err := r.value(0)
		if err == nil && r.left() > 0 {
			err = treeError("something comes after it")
		}
		if err == nil {
			err = shaped(rows.Index(i), value)
		}
		if err != nil {
			return nil, Bitmap{}, inRowOf(err, i, n)
		}
	}
	return rows.Interface(), Bitmap{}, nil
}

// inRowOf moves an error to a row, if there are others.
func inRowOf(err error, row, n int) error {
	if n == 1 {
		return err
	}
	return inRow(err, row)
}

// shaped sets a place of a dynamic type to what was read: a single value is a list of one.
func shaped(to reflect.Value, value any) error {
	switch {
	case value == nil:
	case reflect.TypeOf(value).AssignableTo(to.Type()):
		to.Set(reflect.ValueOf(value))
	case to.Kind() == reflect.Map:
		return shapedMap(to, value)
	default:
		list, ok := value.([]any)
		if !ok {
			list = []any{value}
		}
		if to.Kind() == reflect.Slice {
			to.Set(reflect.MakeSlice(to.Type(), len(list), len(list)))
		}
		if to.Len() != len(list) {
			return wrong("must have %d elements, not %d", to.Len(), len(list))
		}
		for i, element := range list {
			if err := shaped(to.Index(i), element); err != nil {
				return inItem(err, i)
			}
		}
	}
	return nil
}

func shapedMap(to reflect.Value, value any) error {
	if list, ok := value.([]any); ok && len(list) == 0 {
		value = map[string]any{}
	}
	fields, ok := value.(map[string]any)
	if !ok {
		return wrong("must be a named list or vector")
	}
	keys, _ := newKeyCodec(to.Type().Key())
	to.Set(reflect.MakeMapWithSize(to.Type(), len(fields)))
	for name, field := range fields {
		key, err := keys.read(name, -1)
		if err != nil {
			return err
		}
		at := reflect.New(to.Type().Elem()).Elem()
		if err := shaped(at, field); err != nil {
			return inField(err, name)
		}
		to.SetMapIndex(key, at)
	}
	if to.Len() < len(fields) {
		return wrong("must have each name once")
	}
	return nil
}

// write writes the trees as binary values. If there are leaves, the column is a struct
// of these and of a column of lists for each type of leaves.
func (c dynamicCodec) write(values any, valid Bitmap, args *Arguments) (Column, error) {
	args.nested++
	defer func() { args.nested-- }()
	if args.nested > maxLeaves {
		return Column{}, tooDeep(maxLeaves)
	}
	rows := reflect.ValueOf(values)
	n := rows.Len()
	var w treeWriter
	offsets := make([]int, n+1)
	for i := range n {
		w.leaves.row(i)
		if valid.Has(i) {
			if err := w.value(rows.Index(i).Interface(), 0); err != nil {
				return Column{}, inRowOf(err, i, n)
			}
		}
		offsets[i+1] = len(w.out)
	}
	w.leaves.row(n)
	trees := newColumn(binaries(w.out, offsets, valid))
	metadata := arrow.NewMetadata([]string{metaClass}, []string{classDynamic})
	if len(w.leaves.columns) == 0 {
		trees.Field.Metadata = metadata
		return trees, nil
	}
	columns, names := []Column{trees}, []string{"value"}
	defer func() { Release(columns) }()
	for _, leaf := range w.leaves.columns {
		items, err := leaf.codec.write(leaf.values.Interface(), Bitmap{}, args)
		if err != nil {
			return Column{}, leaf.located(err)
		}
		columns, names = append(columns, newList(items, leaf.starts, Bitmap{})), append(names, fmt.Sprint("leaf", len(names)))
		items.Array.Release()
	}
	out := newStruct(names, columns, n, valid)
	out.Field.Metadata = metadata
	return out, nil
}

// located moves an error of a leaf to the row of any that it is in.
func (c leafColumn) located(err error) error {
	if e, ok := err.(*Error); ok && !e.endless {
		e.field += fmt.Sprintf("a value of type %v in ", c.codec.goType())
		for i := range len(c.starts) - 1 {
			if e.Row >= 0 && e.Row < c.starts[i+1] {
				e.Row = i
				break
			}
		}
	}
	return err
}

// binaries returns a column of the bytes between offsets.
func binaries(data []byte, offsets []int, valid Bitmap) arrow.Array {
	n := len(offsets) - 1
	if len(data) > math.MaxInt32 {
		return newArray(arrow.BinaryTypes.LargeBinary, n, valid, memory.NewBufferBytes(cast[byte](widen[int64](offsets))), memory.NewBufferBytes(data))
	}
	return newArray(arrow.BinaryTypes.Binary, n, valid, memory.NewBufferBytes(cast[byte](widen[int32](offsets))), memory.NewBufferBytes(data))
}
