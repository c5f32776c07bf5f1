package codec

import (
	"encoding/json"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"mangoro.local/internal/segment"
)

// Arguments are those of a call, as far as its results take something from them, and where
// these may lie.
type Arguments struct {
	columns []Column
	memory  *segment.Result // where results may lie, or nil
	nan     bool            // a float64 or float32 that was written is NaN, or NA
	given   []givenValue
	// fields are those of the arrays that were given, and of the columns of records.
	fields map[arrow.ArrayData]arrow.Field
	// nested is how many columns of any are written, each in a value of another.
	nested int
	inAny  bool   // the result is of type any
	caller Caller // nil: nothing of the call may be used
}

// givenValue is an array or a record that a function was given. What it returns of
// them as it came is what R has sent: nothing of its metadata is lost.
type givenValue struct {
	value any
	arg   Column
}

// NewArguments returns the arguments of a call, whose results may lie in memory.
func NewArguments(columns []Column, memory *segment.Result) *Arguments {
	return &Arguments{columns: columns, memory: memory}
}

// NoNaN tells whether no float64 or float32 that has been written is NaN, or NA.
func (a *Arguments) NoNaN() bool { return !a.nan }

func (a *Arguments) addColumns(batch arrow.RecordBatch) {
	for i, column := range batch.Columns() {
		a.addField(column, batch.Schema().Field(i))
	}
}

func (a *Arguments) addField(column arrow.Array, field arrow.Field) {
	if a.fields == nil {
		a.fields = make(map[arrow.ArrayData]arrow.Field)
	}
	if _, twice := a.fields[column.Data()]; !twice {
		a.fields[column.Data()] = field
	}
}

// row returns the argument that a value is, as the row in which it came. The caller
// releases it.
func (a *Arguments) row(value any) (Column, bool) {
	for _, v := range a.given {
		if !sameValue(v.value, value) {
			continue
		}
		column := v.arg.Array
		switch column.DataType().ID() {
		case arrow.LIST, arrow.LARGE_LIST, arrow.STRUCT, arrow.MAP, arrow.NULL:
			if column.Len() == 1 {
				column.Retain()
				return v.arg, true
			}
		}
		return v.arg.Boxed(), true
	}
	return Column{}, false
}

// sameValue tells whether a value is an argument as it came. Arrays of the same data
// are.
func sameValue(argument, value any) bool {
	a, ok := argument.(arrow.Array)
	b, too := value.(arrow.Array)
	if ok && too {
		return a.Data() == b.Data()
	}
	return argument == value // a pointer
}

// named returns a column with the field that it came with, or one of its own.
func (a *Arguments) named(column arrow.Array) Column {
	if field, ok := a.fields[column.Data()]; ok {
		return Column{Field: field, Array: column}
	}
	return newColumn(column)
}

// restored returns a record whose columns have the metadata that they came with,
// unless they have other metadata, and without such that do not fit its rows. The
// caller releases it.
func (a *Arguments) restored(rec arrow.RecordBatch) arrow.RecordBatch {
	schema := rec.Schema()
	var fields []arrow.Field
	for i, column := range rec.Columns() {
		if schema.Field(i).HasMetadata() {
			continue
		}
		if metadata := a.named(column).Field.Metadata; metadata.Len() > 0 {
			if fields == nil {
				fields = schema.Fields()
			}
			fields[i].Metadata = metadata
		}
	}
	if fields != nil {
		metadata := schema.Metadata()
		schema = arrow.NewSchema(fields, &metadata)
	}
	if schema = ForRows(schema, rec.NumRows()); schema == rec.Schema() {
		rec.Retain()
		return rec
	}
	return array.NewRecordBatch(schema, rec.Columns(), rec.NumRows())
}

// Restore returns the result of a function on records, with the metadata that columns
// of its arguments came with. The caller releases it.
func Restore(result, arguments arrow.RecordBatch) arrow.RecordBatch {
	var a Arguments
	a.addColumns(arguments)
	return a.restored(result)
}

// ForRows returns a schema without those of R's attributes that describe each row, such as
// names, if they do not match the number of rows.
func ForRows(schema *arrow.Schema, rows int64) *arrow.Schema {
	metadata, changed := metadataForRows(schema.Metadata(), rows, false)
	fields := schema.Fields()
	for i := range fields {
		matrix := fields[i].Type.ID() == arrow.FIXED_SIZE_LIST
		own, other := metadataForRows(fields[i].Metadata, rows, matrix)
		if other {
			fields[i].Metadata, changed = own, true
		}
	}
	if !changed {
		return schema
	}
	return arrow.NewSchema(fields, &metadata)
}

// metadataForRows does the same for a column, or for the record itself. The first dimension
// of a matrix is its rows.
func metadataForRows(metadata arrow.Metadata, rows int64, matrix bool) (arrow.Metadata, bool) {
	at := metadata.FindKey(metaAttributes)
	if at < 0 {
		return metadata, false
	}
	var attributes map[string]json.RawMessage
	if json.Unmarshal([]byte(metadata.Values()[at]), &attributes) != nil {
		return metadata, false
	}
	before := len(attributes)
	for _, key := range []string{"names", "row_names"} {
		var names []any
		if text, ok := attributes[key]; ok && json.Unmarshal(text, &names) == nil && int64(len(names)) != rows {
			delete(attributes, key)
		}
	}
	if !fitDim(attributes, rows, matrix) {
		for _, key := range []string{"dim", "dim_names", "dimnames", "dimnames_names"} {
			delete(attributes, key)
		}
	}
	if len(attributes) == before {
		return metadata, false
	}
	keys, values := slices.Clone(metadata.Keys()), slices.Clone(metadata.Values())
	if len(attributes) == 0 {
		return arrow.NewMetadata(slices.Delete(keys, at, at+1), slices.Delete(values, at, at+1)), true
	}
	text, err := json.Marshal(attributes)
	if err != nil {
		return metadata, false
	}
	values[at] = string(text)
	return arrow.NewMetadata(keys, values), true
}

// fitDim tells whether dim and dimnames fit so many elements, or rows of a matrix.
func fitDim(attributes map[string]json.RawMessage, rows int64, matrix bool) bool {
	var dim []int64
	if text, ok := attributes["dim"]; ok && !matrix {
		size := int64(1)
		if json.Unmarshal(text, &dim) == nil {
			for _, n := range dim {
				size *= n
			}
		}
		return size == rows
	}
	var names [][]any
	if text, ok := attributes["dimnames"]; ok && json.Unmarshal(text, &names) == nil && len(names) > 0 {
		return names[0] == nil || int64(len(names[0])) == rows
	}
	return true
}
