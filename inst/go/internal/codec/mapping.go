package codec

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// mapCodec is the codec of map[string]T. A nil map is NULL.
type mapCodec struct {
	t    reflect.Type
	elem codec
}

func newMapCodec(t reflect.Type, within []reflect.Type) (codec, error) {
	if t.Key().Kind() != reflect.String {
		return nil, fmt.Errorf("%w: its keys must be strings", unsupported(t))
	}
	elem, err := newCodec(t.Elem(), within...)
	if err != nil {
		return nil, err
	}
	if elem.describe().hasMatrix() {
		return nil, fmt.Errorf("%w: a matrix cannot be an element: use several results, or a field for each", unsupported(t))
	}
	return mapCodec{t, elem}, nil
}

func (c mapCodec) goType() reflect.Type { return c.t }

func (c mapCodec) describe() Type {
	elem := c.elem.describe()
	return Type{Name: TypeMap, Nullable: true, Elem: &elem}
}

func (c mapCodec) scalar() bool { return false }

func (c mapCodec) nests(arrow.ListLikeType) bool { return false }

func (c mapCodec) read(col Column) (any, Bitmap, error) {
	switch column := col.Array.(type) {
	case *array.Map:
		return c.readMap(col, column)
	case *array.Struct:
		return c.readStruct(col, column)
	default:
		return nil, Bitmap{}, col.mustBe("a named vector or a named list")
	}
}

func (c mapCodec) readMap(col Column, column *array.Map) (any, Bitmap, error) {
	first, last := extent(column)
	child := col.child(column, first, last)
	defer child.Array.Release()
	entries, ok := child.Array.(*array.Struct)
	if !ok || entries.NumField() != 2 {
		return nil, Bitmap{}, col.mustBe("a map of two fields")
	}
	fields := column.DataType().(*arrow.MapType)
	keys, err := strict(basic[string]{TypeString, readStrings, writeStrings}, Column{Field: fields.KeyField(), Array: entries.Field(0)})
	if err != nil {
		return nil, Bitmap{}, inField(err, "name")
	}
	values, err := strict(c.elem, Column{Field: fields.ItemField(), Array: entries.Field(1)})
	if err != nil {
		return nil, Bitmap{}, err
	}
	valid := validRows(column)
	maps := c.newMaps(column.Len(), valid)
	for i := range column.Len() {
		if !valid.Has(i) {
			continue
		}
		from, to := column.ValueOffsets(i)
		for j := int(from - first); j < int(to-first); j++ {
			if err := c.put(maps.Index(i), i, keys.([]string)[j], reflect.ValueOf(values).Index(j)); err != nil {
				return nil, Bitmap{}, err
			}
		}
	}
	return maps.Interface(), valid, nil
}

// readStruct takes each field for a value.
func (c mapCodec) readStruct(col Column, column *array.Struct) (any, Bitmap, error) {
	valid := validRows(column)
	maps := c.newMaps(column.Len(), valid)
	for k, field := range column.DataType().(*arrow.StructType).Fields() {
		values, held, err := readColumn(c.elem, Column{Field: field, Array: column.Field(k)})
		if err != nil {
			return nil, Bitmap{}, inField(err, field.Name)
		}
		for i := range column.Len() {
			if !valid.Has(i) {
				continue
			}
			if !c.elem.describe().Nullable && !held.Has(i) {
				return nil, Bitmap{}, inField(missingValue(i), field.Name)
			}
			if err := c.put(maps.Index(i), i, strings.Clone(field.Name), reflect.ValueOf(values).Index(i)); err != nil {
				return nil, Bitmap{}, err
			}
		}
	}
	return maps.Interface(), valid, nil
}

// newMaps returns n maps, nil where the row is not valid.
func (c mapCodec) newMaps(n int, valid Bitmap) reflect.Value {
	maps := reflect.MakeSlice(reflect.SliceOf(c.t), n, n)
	for i := range n {
		if valid.Has(i) {
			maps.Index(i).Set(reflect.MakeMap(c.t))
		}
	}
	return maps
}

func (c mapCodec) put(m reflect.Value, row int, name string, value reflect.Value) error {
	key := reflect.ValueOf(name).Convert(c.t.Key())
	if m.MapIndex(key).IsValid() {
		return badValue("must have each name once", row, fmt.Sprintf("one with two `%s`", name))
	}
	m.SetMapIndex(key, value)
	return nil
}

// write sorts the names, so that the same map is always the same bytes.
func (c mapCodec) write(values any, valid Bitmap, args *Arguments) (Column, error) {
	maps := reflect.ValueOf(values)
	n := maps.Len()
	valid = valid.copy(n)
	offsets := make([]int, n+1)
	var names []string
	items := reflect.MakeSlice(reflect.SliceOf(c.t.Elem()), 0, n)
	for i := range n {
		if m := maps.Index(i); m.IsNil() {
			valid.clear(i)
		} else if valid.Has(i) {
			keys := m.MapKeys()
			slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
			for _, key := range keys {
				names = append(names, key.String())
				items = reflect.Append(items, m.MapIndex(key))
			}
		}
		offsets[i+1] = len(names)
	}
	return c.entries(names, items, offsets, valid, args)
}

func (c mapCodec) entries(names []string, items reflect.Value, offsets []int, valid Bitmap, args *Arguments) (Column, error) {
	lists := len(offsets) - 1
	offset := func(i int) int { return offsets[i] }
	keys, err := writeStrings(names, Bitmap{})
	if err != nil {
		return Column{}, inElement(inField(err, "name"), lists, offset)
	}
	defer keys.Array.Release()
	values, err := c.elem.write(items.Interface(), Bitmap{}, args)
	if err != nil {
		return Column{}, inElement(err, lists, offset)
	}
	defer values.Array.Release()

	key, value := keys.Named("key"), values.Named("value")
	key.Nullable = false
	entries := newNested(arrow.StructOf(key, value), len(names), Bitmap{}, nil, keys.Array.Data(), values.Array.Data())
	defer entries.Release()
	dataType := arrow.MapOfFields(key, value)
	dataType.KeysSorted = true
	starts := memory.NewBufferBytes(cast[byte](widen[int32](offsets)))
	return newColumn(newNested(dataType, lists, valid, []*memory.Buffer{starts}, entries.Data())), nil
}
