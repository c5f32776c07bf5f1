package codec

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"mangoro.local/internal/gotype"
)

// Frame is the shape of rgoipc's Frame, which is no value but marks the struct that has
// a field of it: its fields are the columns of a data frame.
type Frame[F any] struct{}

func (Frame[F]) codec([]reflect.Type) (codec, error) {
	t := reflect.TypeFor[F]()
	return nil, fmt.Errorf("%w: it marks a struct whose fields are columns", unsupported(t))
}

func (Frame[F]) zeroIsAbsent() bool { return false }

func (Frame[F]) marks() {}

// isFrame tells whether a type marks a struct.
func isFrame(t reflect.Type) bool {
	shape, _ := shapeOf(t)
	_, ok := shape.(interface{ marks() })
	return ok
}

// isMarked tells whether a struct is one of columns: it, or a struct that it embeds,
// embeds a Frame, or has one as a blank field.
func isMarked(t reflect.Type) bool {
	return gotype.AnyField(structType{t}, func(s gotype.Struct, i int) bool {
		field := s.(structType).t.Field(i)
		return isFrame(field.Type) && (field.Anonymous || field.Name == "_")
	})
}

// frameCodec is the codec of a struct of columns, a data frame, which is a list of
// structs.
type frameCodec struct {
	structCodec
	columns []listCodec
}

func newFrameCodec(c structCodec) (codec, error) {
	f := frameCodec{structCodec: c}
	for _, field := range c.fields {
		if field.pointer {
			return nil, fmt.Errorf("%w: it is a data frame, so field `%s` must not be embedded by a pointer", unsupported(c.t), field.name)
		}
		column, ok := field.codec.(listCodec)
		if !ok {
			return nil, fmt.Errorf("%w: it is a data frame, so field `%s` must be a slice", unsupported(c.t), field.name)
		}
		f.columns = append(f.columns, column)
	}
	return f, nil
}

// describe describes what a slice of structs is.
func (c frameCodec) describe() Type {
	rows := Type{Name: TypeStruct}
	for i, f := range c.fields {
		rows.Fields = append(rows.Fields, Field{Name: f.name, Type: *c.columns[i].describe().Elem})
	}
	return Type{Name: TypeList, Elem: &rows}
}

func (c frameCodec) scalar() bool { return false }

func (c frameCodec) nests(arrow.ListLikeType) bool { return true }

// whole reads all rows of a column as one data frame.
func (c frameCodec) whole(col Column) (reflect.Value, error) {
	frame := reflect.New(c.t).Elem()
	column, ok := col.Array.(*array.Struct)
	if !ok {
		return frame, col.mustBe("a data frame")
	}
	if row := validRows(column).firstNA(column.Len()); row >= 0 {
		return frame, missingValue(row)
	}
	dataType := column.DataType().(*arrow.StructType)
	for i, f := range c.fields {
		at := dataType.FieldIndices(f.name)
		if len(at) != 1 {
			return frame, wrong("must have one field `%s`, not %d", f.name, len(at))
		}
		values, err := c.columns[i].whole(Column{Field: dataType.Field(at[0]), Array: column.Field(at[0]), objects: col.objects})
		if err != nil {
			return frame, inField(err, f.name)
		}
		f.of(frame).Set(values)
	}
	return frame, nil
}

func (c frameCodec) read(col Column) (any, Bitmap, error) {
	return readWholes(c, col, "a data frame")
}

// write writes the columns of all data frames one after the other.
func (c frameCodec) write(values any, valid Bitmap, args *Arguments) (Column, error) {
	frames := reflect.ValueOf(values)
	for i := range frames.Len() {
		if valid.Has(i) {
			if err := c.check(frames.Index(i)); err != nil {
				return Column{}, err
			}
		}
	}
	offsets := make([]int, frames.Len()+1)
	var names []string
	var columns []Column
	defer func() { Release(columns) }()
	for k, f := range c.fields {
		lists := reflect.MakeSlice(reflect.SliceOf(c.columns[k].t), frames.Len(), frames.Len())
		for i := range frames.Len() {
			lists.Index(i).Set(f.of(frames.Index(i)))
		}
		column, err := c.columns[k].items(lists, valid, offsets, args)
		if err != nil {
			return Column{}, inField(err, f.name)
		}
		names, columns = append(names, f.name), append(columns, column)
	}
	rows := newStruct(names, columns, offsets[frames.Len()], Bitmap{})
	defer rows.Array.Release()
	return newList(rows, offsets, valid), nil
}

// check returns an error unless the columns are of one length.
func (c frameCodec) check(frame reflect.Value) error {
	lengths := make([]string, len(c.fields))
	alike := true
	first := 0
	for i, f := range c.fields {
		values, _, err := c.columns[i].shape.parts(f.of(frame))
		if err != nil {
			return inField(err, f.name)
		}
		n := reflect.ValueOf(values).Len()
		if i == 0 {
			first = n
		}
		alike = alike && n == first
		lengths[i] = fmt.Sprintf("`%s` has %d", f.name, n)
	}
	if !alike {
		return wrong("must have columns of one length to be a data frame, but %s", strings.Join(lengths, ", "))
	}
	return nil
}
