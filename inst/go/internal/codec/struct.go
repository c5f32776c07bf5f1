package codec

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"mangoro.local/internal/gotype"
)

// structCodec is the codec of a struct, whose fields go by name.
type structCodec struct {
	t      reflect.Type
	fields []structField
}

type structField struct {
	name     string
	index    []int // of the field, after those of the structs that embed it
	optional bool
	pointer  bool // it is within a struct that is embedded by a pointer
	codec    codec
}

// newStructCodec takes the exported fields and those of embedded structs, under the
// names of their tags, or else their own.
func newStructCodec(t reflect.Type, within []reflect.Type) (codec, error) {
	c := structCodec{t: t}
	fields, err := gotype.Fields(structType{t})
	if err != nil {
		return nil, fmt.Errorf("type %v has %w", t, err)
	}
	for _, f := range fields {
		field := t.FieldByIndex(f.Index)
		value, err := newCodec(field.Type, within...)
		if err != nil {
			return nil, fmt.Errorf("field %s of %v: %w", field.Name, t, err)
		}
		c.fields = append(c.fields, structField{f.Name, f.Index, f.Optional || f.Pointer || hasNA(value), f.Pointer, value})
	}
	if len(c.fields) == 0 {
		return nil, fmt.Errorf("%w%s", unsupported(t), gotype.NoFields)
	}
	if isMarked(t) {
		return newFrameCodec(c)
	}
	return c, nil
}

// of returns the field of a row.
func (f structField) of(row reflect.Value) reflect.Value { return row.FieldByIndex(f.index) }

// takesNil tells whether a value that is missing is nil in the field: a pointer, a Null, or
// a []byte.
func (f structField) takesNil() bool { return hasNA(f.codec) || f.codec.describe().Name == TypeBinary }

// structType is a struct by reflection.
type structType struct{ t reflect.Type }

func (s structType) Type() any { return s.t }

func (s structType) NumField() int { return s.t.NumField() }

func (s structType) Field(i int) gotype.StructField {
	f := s.t.Field(i)
	return gotype.StructField{Name: f.Name, Exported: f.IsExported(), Embedded: f.Anonymous, Tag: f.Tag}
}

// Embedded: a type that has a codec of its own is not promoted, nor can a struct be made
// that has no name outside of its package.
func (s structType) Embedded(i int) (gotype.Struct, bool, bool) {
	f := s.t.Field(i)
	t, pointer := f.Type, f.Type.Kind() == reflect.Pointer
	if pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || pointer && !f.IsExported() {
		return nil, false, false
	}
	_, scalar := scalarCodec(t)
	_, shaped := shapeOf(t)
	return structType{t}, pointer, !scalar && (!shaped || isFrame(t))
}

func (c structCodec) goType() reflect.Type { return c.t }

func (c structCodec) describe() Type {
	t := Type{Name: TypeStruct}
	for _, f := range c.fields {
		t.Fields = append(t.Fields, Field{Name: f.name, Type: f.codec.describe(), Optional: f.optional})
	}
	return t
}

func (c structCodec) scalar() bool {
	return !slices.ContainsFunc(c.fields, func(f structField) bool { return !f.codec.scalar() })
}

func (c structCodec) nests(arrow.ListLikeType) bool { return false }

// read takes the fields by name and ignores others.
func (c structCodec) read(col Column) (any, Bitmap, error) {
	column, ok := col.Array.(*array.Struct)
	if !ok {
		return nil, Bitmap{}, col.mustBe("a data frame or a named list")
	}
	valid := validRows(column)
	rows := reflect.MakeSlice(reflect.SliceOf(c.t), column.Len(), column.Len())
	columns := make([]fieldColumn, len(c.fields))
	for k, f := range c.fields {
		var err error
		if columns[k], err = f.read(col, column); err != nil {
			return nil, Bitmap{}, err
		}
		if f.pointer {
			columns[k].embed(rows, valid)
		}
	}
	for _, field := range columns {
		if col.fold && !field.pointer && !field.takesNil() {
			valid = valid.And(column.Len(), field.held, column.Len())
		}
		if err := field.set(rows, valid); err != nil {
			return nil, Bitmap{}, err
		}
	}
	return rows.Interface(), valid, nil
}

// fieldColumn is what a field is in each row: nothing if the column is missing.
type fieldColumn struct {
	structField
	values reflect.Value
	held   Bitmap
}

// read reads the field of a column.
func (f structField) read(col Column, column *array.Struct) (fieldColumn, error) {
	dataType := column.DataType().(*arrow.StructType)
	at := dataType.FieldIndices(f.name)
	if f.optional && (len(at) == 0 || len(at) == 1 && !hasNA(f.codec) && untypedNull(column.Field(at[0]))) {
		return fieldColumn{structField: f}, nil
	}
	if len(at) != 1 {
		return fieldColumn{}, wrong("must have one field `%s`, not %d", f.name, len(at))
	}
	values, held, err := readColumn(f.codec, Column{Field: dataType.Field(at[0]), Array: column.Field(at[0]), fold: col.fold, objects: col.objects})
	if err != nil {
		return fieldColumn{}, inField(err, f.name)
	}
	return fieldColumn{f, reflect.ValueOf(values), held}, nil
}

// embed makes the structs that are embedded by pointers, in the rows that have something
// for them.
func (c fieldColumn) embed(rows reflect.Value, valid Bitmap) {
	for i := range rows.Len() {
		if !c.values.IsValid() || !valid.Has(i) || !c.held.Has(i) || hasNA(c.codec) && c.values.Index(i).IsZero() {
			continue
		}
		at := rows.Index(i)
		for _, k := range c.index[:len(c.index)-1] {
			at = at.Field(k)
			if at.Kind() == reflect.Pointer {
				if at.IsNil() {
					at.Set(reflect.New(at.Type().Elem()))
				}
				at = at.Elem()
			}
		}
	}
}

// set sets the field in the rows. Where all of a row is NA, so may the field be; an
// optional one is zero then.
func (c fieldColumn) set(rows reflect.Value, valid Bitmap) error {
	missing := missingRow(c.codec, c.held, rows.Len()) >= 0
	for i := range rows.Len() {
		field, err := rows.Index(i).FieldByIndexErr(c.index)
		switch {
		case err != nil: // a nil pointer embeds it
		case missing && valid.Has(i) && !c.held.Has(i):
			if !c.optional || c.pointer {
				return inField(missingValue(i), c.name)
			}
		case c.values.IsValid():
			field.Set(c.values.Index(i))
		}
	}
	return nil
}

// write writes fields within an embedded pointer that is nil as NA.
func (c structCodec) write(values any, valid Bitmap, args *Arguments) (Column, error) {
	rows := reflect.ValueOf(values)
	names := make([]string, len(c.fields))
	columns := make([]Column, 0, len(c.fields))
	defer func() { Release(columns) }()
	for i, f := range c.fields {
		names[i] = f.name
		column := reflect.MakeSlice(reflect.SliceOf(f.codec.goType()), rows.Len(), rows.Len())
		there := clearable{Bitmap: valid, n: rows.Len()}
		for j := range rows.Len() {
			if value, err := rows.Index(j).FieldByIndexErr(f.index); err == nil {
				column.Index(j).Set(value)
			} else {
				there.clear(j)
			}
		}
		v, err := f.codec.write(column.Interface(), there.Bitmap, args)
		if err != nil {
			return Column{}, inField(err, f.name)
		}
		columns = append(columns, v)
	}
	return newStruct(names, columns, rows.Len(), valid), nil
}

// Release releases columns.
func Release(columns []Column) {
	for _, column := range columns {
		column.Array.Release()
	}
}

// NewStruct returns a struct column of n rows, none of which is NA.
func NewStruct(names []string, columns []Column, n int) Column {
	return newStruct(names, columns, n, Bitmap{})
}

func newStruct(names []string, columns []Column, n int, valid Bitmap) Column {
	fields := make([]arrow.Field, len(columns))
	children := make([]arrow.ArrayData, len(columns))
	for i, v := range columns {
		fields[i], children[i] = v.Named(names[i]), v.Array.Data()
	}
	return newColumn(newNested(arrow.StructOf(fields...), n, valid, nil, children...))
}
