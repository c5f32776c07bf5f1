package rgoipc

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// column is a column of a record that a test makes.
type column struct {
	name   string
	values any // []float64, []string, []bool, or an arrow.Array
	nulls  []bool
}

// record makes a record; the test's end releases it.
func record(t *testing.T, columns ...column) arrow.RecordBatch {
	t.Helper()
	var fields []arrow.Field
	var arrays []arrow.Array
	var rows int
	for _, c := range columns {
		values := arrowArray(t, c)
		rows = values.Len()
		fields = append(fields, arrow.Field{Name: c.name, Type: values.DataType(), Nullable: true})
		arrays = append(arrays, values)
	}
	rec := array.NewRecordBatch(arrow.NewSchema(fields, nil), arrays, int64(rows))
	t.Cleanup(rec.Release)
	return rec
}

func arrowArray(t *testing.T, c column) arrow.Array {
	t.Helper()
	var valid []bool
	for _, null := range c.nulls {
		valid = append(valid, !null)
	}
	switch values := c.values.(type) {
	case arrow.Array:
		return values
	case []float64:
		b := array.NewFloat64Builder(memory.DefaultAllocator)
		b.AppendValues(values, valid)
		return b.NewArray()
	case []string:
		b := array.NewStringBuilder(memory.DefaultAllocator)
		b.AppendValues(values, valid)
		return b.NewArray()
	case []bool:
		b := array.NewBooleanBuilder(memory.DefaultAllocator)
		b.AppendValues(values, valid)
		return b.NewArray()
	default:
		t.Fatalf("no test column of %T", c.values)
		return nil
	}
}
