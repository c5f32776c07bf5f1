package rgoipc

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

func newMapCodec(t reflect.Type, in []reflect.Type) (codec, error) {
	if t.Key().Kind() != reflect.String {
		return nil, fmt.Errorf("%w: its keys must be strings", unsupported(t))
	}
	elem, err := newCodec(t.Elem(), in...)
	if err != nil {
		return nil, err
	}
	return mapCodec{t, elem}, nil
}

func (c mapCodec) goType() reflect.Type { return c.t }

func (c mapCodec) spec() TypeSpec {
	elem := c.elem.spec()
	return TypeSpec{Type: TypeMap, Nullable: true, ListSchema: &elem}
}

func (c mapCodec) scalar() bool { return false }

func (c mapCodec) nests(arrow.ListLikeType) bool { return false }

func (c mapCodec) read(src source) (any, bitmap, error) {
	switch column := src.column.(type) {
	case *array.Map:
		return c.readMap(src, column)
	case *array.Struct:
		return c.readStruct(src, column)
	default:
		return nil, bitmap{}, src.mustBe("a named vector or a named list")
	}
}

func (c mapCodec) readMap(src source, column *array.Map) (any, bitmap, error) {
	first, last := extent(column)
	child := src.child(column, first, last)
	defer child.column.Release()
	entries, ok := child.column.(*array.Struct)
	if !ok || entries.NumField() != 2 {
		return nil, bitmap{}, src.mustBe("a map of two fields")
	}
	fields := column.DataType().(*arrow.MapType)
	keys, err := strict(basic[string]{TypeString, readStrings, writeStrings}, src.with(fields.KeyField(), entries.Field(0)))
	if err != nil {
		return nil, bitmap{}, inField(err, "name")
	}
	values, err := strict(c.elem, src.with(fields.ItemField(), entries.Field(1)))
	if err != nil {
		return nil, bitmap{}, err
	}
	valid := validRows(column)
	maps := c.newMaps(column.Len(), valid)
	for i := range column.Len() {
		if !valid.has(i) {
			continue
		}
		from, to := column.ValueOffsets(i)
		for j := int(from - first); j < int(to-first); j++ {
			if err := c.put(maps.Index(i), i, keys.([]string)[j], reflect.ValueOf(values).Index(j)); err != nil {
				return nil, bitmap{}, err
			}
		}
	}
	return maps.Interface(), valid, nil
}

// readStruct takes each field for a value.
func (c mapCodec) readStruct(src source, column *array.Struct) (any, bitmap, error) {
	valid := validRows(column)
	maps := c.newMaps(column.Len(), valid)
	for k, field := range column.DataType().(*arrow.StructType).Fields() {
		values, held, err := readColumn(c.elem, src.with(field, column.Field(k)))
		if err != nil {
			return nil, bitmap{}, inField(err, field.Name)
		}
		for i := range column.Len() {
			if !valid.has(i) {
				continue
			}
			if !c.elem.spec().Nullable && !held.has(i) {
				return nil, bitmap{}, inField(missingValue(i), field.Name)
			}
			if err := c.put(maps.Index(i), i, strings.Clone(field.Name), reflect.ValueOf(values).Index(i)); err != nil {
				return nil, bitmap{}, err
			}
		}
	}
	return maps.Interface(), valid, nil
}

// newMaps returns n maps, nil where the row is not valid.
func (c mapCodec) newMaps(n int, valid bitmap) reflect.Value {
	maps := reflect.MakeSlice(reflect.SliceOf(c.t), n, n)
	for i := range n {
		if valid.has(i) {
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
func (c mapCodec) write(values any, valid bitmap, none zone) (vector, error) {
	maps := reflect.ValueOf(values)
	n := maps.Len()
	valid = valid.copy(n)
	offsets := make([]int, n+1)
	var names []string
	items := reflect.MakeSlice(reflect.SliceOf(c.t.Elem()), 0, n)
	for i := range n {
		if m := maps.Index(i); m.IsNil() {
			valid.clear(i)
		} else if valid.has(i) {
			for _, key := range sortedKeys(m) {
				names = append(names, key.String())
				items = reflect.Append(items, m.MapIndex(key))
			}
		}
		offsets[i+1] = len(names)
	}
	return c.entries(names, items, offsets, valid, none)
}

func sortedKeys(m reflect.Value) []reflect.Value {
	keys := m.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	return keys
}

func (c mapCodec) entries(names []string, items reflect.Value, offsets []int, valid bitmap, none zone) (vector, error) {
	lists := len(offsets) - 1
	offset := func(i int) int { return offsets[i] }
	keys, err := writeStrings(names, bitmap{})
	if err != nil {
		return vector{}, inElement(inField(err, "name"), lists, offset)
	}
	defer keys.column.Release()
	values, err := c.elem.write(items.Interface(), bitmap{}, none)
	if err != nil {
		return vector{}, inElement(err, lists, offset)
	}
	defer values.column.Release()

	key, value := keys.named("key"), values.named("value")
	key.Nullable = false
	entries := newNested(arrow.StructOf(key, value), len(names), bitmap{}, nil, keys.column.Data(), values.column.Data())
	defer entries.Release()
	dataType := arrow.MapOfFields(key, value)
	dataType.KeysSorted = true
	starts := memory.NewBufferBytes(cast[byte](widenInts[int32](offsets)))
	return newVector(newNested(dataType, lists, valid, []*memory.Buffer{starts}, entries.Data())), nil
}
