package codec

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// structCodec is the codec of a struct, whose fields go by name.
type structCodec struct {
	t      reflect.Type
	fields []structField
}

type structField struct {
	name  string
	index int
	codec codec
}

// newStructCodec takes the exported fields under the names of their `r` tags,
// or else their own. A tag "-" leaves one out.
func newStructCodec(t reflect.Type, within []reflect.Type) (codec, error) {
	c := structCodec{t: t}
	for i := range t.NumField() {
		field := t.Field(i)
		name, tagged := field.Tag.Lookup("r")
		if !field.IsExported() || name == "-" {
			continue
		}
		if !tagged || name == "" {
			name = field.Name
		}
		if slices.ContainsFunc(c.fields, func(f structField) bool { return f.name == name }) {
			return nil, fmt.Errorf("type %v has two fields `%s`", t, name)
		}
		value, err := newCodec(field.Type, within...)
		if err != nil {
			return nil, fmt.Errorf("field %s of %v: %w", field.Name, t, err)
		}
		c.fields = append(c.fields, structField{name, i, value})
	}
	if len(c.fields) == 0 {
		return nil, fmt.Errorf("%w: it has no exported fields", unsupported(t))
	}
	return c, nil
}

func (c structCodec) goType() reflect.Type { return c.t }

func (c structCodec) describe() Type {
	t := Type{Name: TypeStruct}
	for _, f := range c.fields {
		t.Fields = append(t.Fields, Field{Name: f.name, Type: f.codec.describe(), Optional: hasNA(f.codec)})
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
	for _, f := range c.fields {
		values, held, err := f.read(col, column, valid)
		if err != nil {
			return nil, Bitmap{}, err
		}
		if col.fold && !hasNA(f.codec) {
			valid = valid.And(column.Len(), held, column.Len())
		}
		for i := range column.Len() {
			rows.Index(i).Field(f.index).Set(values.Index(i))
		}
	}
	return rows.Interface(), valid, nil
}

// read reads the field of a column, and which rows are not NA. Where all of a row is NA,
// so may the field be. A pointer or a Null may be missing.
func (f structField) read(col Column, column *array.Struct, valid Bitmap) (reflect.Value, Bitmap, error) {
	dataType := column.DataType().(*arrow.StructType)
	at := dataType.FieldIndices(f.name)
	if len(at) == 0 && hasNA(f.codec) {
		return reflect.ValueOf(blank(f.codec.goType(), column.Len())), Bitmap{}, nil
	}
	if len(at) != 1 {
		return reflect.Value{}, Bitmap{}, wrong("must have one field `%s`, not %d", f.name, len(at))
	}
	values, held, err := readColumn(f.codec, Column{Field: dataType.Field(at[0]), Array: column.Field(at[0]), fold: col.fold})
	if err != nil {
		return reflect.Value{}, Bitmap{}, inField(err, f.name)
	}
	if !col.fold && missingRow(f.codec, held, column.Len()) >= 0 {
		for i := range column.Len() {
			if valid.Has(i) && !held.Has(i) {
				return reflect.Value{}, Bitmap{}, inField(missingValue(i), f.name)
			}
		}
	}
	return reflect.ValueOf(values), held, nil
}

func (c structCodec) write(values any, valid Bitmap, args *Arguments) (Column, error) {
	rows := reflect.ValueOf(values)
	names := make([]string, len(c.fields))
	columns := make([]Column, 0, len(c.fields))
	defer func() { Release(columns) }()
	for i, f := range c.fields {
		names[i] = f.name
		column := reflect.MakeSlice(reflect.SliceOf(f.codec.goType()), rows.Len(), rows.Len())
		for j := range rows.Len() {
			column.Index(j).Set(rows.Index(j).Field(f.index))
		}
		v, err := f.codec.write(column.Interface(), valid, args)
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
