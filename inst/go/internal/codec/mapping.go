package codec

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"mangoro.local/internal/gotype"
)

// mapCodec is the codec of map[K]T. A nil map is NULL.
type mapCodec struct {
	t    reflect.Type
	key  keyCodec
	elem codec
}

func newMapCodec(t reflect.Type, within []reflect.Type) (codec, error) {
	key, ok := newKeyCodec(t.Key())
	if !ok {
		return nil, fmt.Errorf("%w%s", unsupported(t), gotype.Key)
	}
	elem, err := newCodec(t.Elem(), within...)
	if err != nil {
		return nil, err
	}
	if elem.describe().hasMatrix() {
		return nil, fmt.Errorf("%w: a matrix cannot be an element: use several results, or a field for each", unsupported(t))
	}
	return mapCodec{t, key, elem}, nil
}

// keyCodec is how the keys of a map are names in R: strings, the digits of whole
// numbers, or the text of a type that has methods for it.
type keyCodec struct {
	t    reflect.Type
	text *textCodec // nil: it has no such methods
}

func newKeyCodec(t reflect.Type) (keyCodec, bool) {
	if text, ok := newTextCodec(t); ok {
		return keyCodec{t, &text}, true
	}
	kind := t.Kind()
	return keyCodec{t: t}, kind == reflect.String || isNumber(kind) && kind != reflect.Float32 && kind != reflect.Float64
}

// lacks returns the method that the keys lack to be read, or to be written.
func (k keyCodec) lacks() string {
	if k.text == nil {
		return ""
	}
	return k.text.describe().lacks
}

// read returns the key of a name.
func (k keyCodec) read(name string, row int) (reflect.Value, error) {
	key := reflect.New(k.t).Elem()
	var err error
	switch {
	case k.text != nil:
		if err := k.text.unmarshal(key, []byte(name)); err != nil {
			return key, inField(k.text.badText(row, name, err), "name")
		}
	case k.t.Kind() == reflect.String:
		key.SetString(name)
	case key.CanInt():
		var n int64
		n, err = strconv.ParseInt(name, 10, k.t.Bits())
		key.SetInt(n)
	default:
		var n uint64
		n, err = strconv.ParseUint(name, 10, k.t.Bits())
		key.SetUint(n)
	}
	if err != nil {
		return key, inField(badValue(fmt.Sprintf("must be whole numbers that Go reads as %v", k.t), row, strconv.Quote(name)), "name")
	}
	return key, nil
}

// names returns keys in the order of R's names, and these: numbers as they count,
// others by their bytes.
func (k keyCodec) names(keys []reflect.Value, row int) ([]string, error) {
	if k.text == nil {
		slices.SortFunc(keys, compareKeys)
		names := make([]string, len(keys))
		for i, key := range keys {
			names[i] = keyName(key)
		}
		return names, nil
	}
	byName := make(map[string]reflect.Value, len(keys))
	for _, key := range keys {
		at := reflect.New(k.t).Elem()
		at.Set(key)
		text, err := k.text.marshal(at)
		if err != nil {
			return nil, inField(k.text.noText(row, err), "name")
		}
		byName[string(text)] = key
	}
	if len(byName) < len(keys) {
		return nil, inField(badValue("must be there once", row, "the text of two keys"), "name")
	}
	names := slices.Sorted(maps.Keys(byName))
	for i, name := range names {
		keys[i] = byName[name]
	}
	return names, nil
}

// keyName returns the name of a key, not what its method String says.
func keyName(key reflect.Value) string {
	switch {
	case key.CanInt():
		return strconv.FormatInt(key.Int(), 10)
	case key.CanUint():
		return strconv.FormatUint(key.Uint(), 10)
	default:
		return key.String()
	}
}

func compareKeys(a, b reflect.Value) int {
	switch {
	case a.CanInt():
		return cmp.Compare(a.Int(), b.Int())
	case a.CanUint():
		return cmp.Compare(a.Uint(), b.Uint())
	default:
		return strings.Compare(a.String(), b.String())
	}
}

func (c mapCodec) goType() reflect.Type { return c.t }

func (c mapCodec) describe() Type {
	elem := c.elem.describe()
	return Type{Name: TypeMap, Nullable: true, Elem: &elem, lacks: c.key.lacks()}
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
	values, err := strict(c.elem, Column{Field: fields.ItemField(), Array: entries.Field(1), objects: col.objects})
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
		values, held, err := readColumn(c.elem, Column{Field: field, Array: column.Field(k), objects: col.objects})
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
	key, err := c.key.read(name, row)
	if err != nil {
		return err
	}
	if m.MapIndex(key).IsValid() {
		return badValue("must have each name once", row, fmt.Sprintf("one with two `%s`", name))
	}
	m.SetMapIndex(key, value)
	return nil
}

// write sorts the keys, so that the same map is always the same bytes.
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
			its, err := c.key.names(keys, i)
			if err != nil {
				return Column{}, err
			}
			names = append(names, its...)
			for _, key := range keys {
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
	keys, err := writeStrings(names, Bitmap{}, args)
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
	dataType.KeysSorted = c.t.Key().Kind() == reflect.String || c.key.text != nil
	starts := memory.NewBufferBytes(cast[byte](widen[int32](offsets)))
	return newColumn(newNested(dataType, lists, valid, []*memory.Buffer{starts}, entries.Data())), nil
}
