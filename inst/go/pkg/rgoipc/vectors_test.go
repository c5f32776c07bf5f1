package rgoipc

import (
	"math"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// The metadata of a field that says what its Arrow type does not.
const (
	metaClass      = "r.class"
	metaAttributes = "r.attributes"
)

// na is R's NA_real_.
var na = math.Float64frombits(0x7FF00000000007A2)

// fixedWidth returns values that lie in memory as they do in Arrow. Valid has false for
// each that is null; nil: none is.
func fixedWidth[T arrow.FixedWidthType](dataType arrow.DataType, values []T, valid []bool) arrow.Array {
	bits := memory.NewBufferBytes(make([]byte, len(values)/8+1))
	nulls := len(values)
	for i := range values {
		if valid == nil || valid[i] {
			bits.Bytes()[i/8] |= 1 << (i % 8)
			nulls--
		}
	}
	buffers := []*memory.Buffer{bits, memory.NewBufferBytes(arrow.GetBytes(values))}
	return array.MakeFromData(array.NewData(dataType, len(values), buffers, nil, nulls, 0))
}

// boxed returns one row that is a list of all items, whose field has the metadata.
func boxed(items arrow.Array, metadata arrow.Metadata) arrow.Array {
	item := arrow.Field{Name: "item", Type: items.DataType(), Nullable: true, Metadata: metadata}
	buffers := []*memory.Buffer{nil, memory.NewBufferBytes(arrow.GetBytes([]int32{0, int32(items.Len())}))}
	data := array.NewData(arrow.ListOfField(item), 1, buffers, []arrow.ArrayData{items.Data()}, 0, 0)
	defer data.Release()
	return array.MakeFromData(data)
}

// columnX returns a record of one column, the argument x.
func columnX(values arrow.Array) arrow.RecordBatch {
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: values.DataType(), Nullable: true}}, nil)
	return array.NewRecordBatch(schema, []arrow.Array{values}, int64(values.Len()))
}

// replied returns what a server replies with, and sent what it reads from that.
func replied(t *testing.T, f *Function, rec arrow.RecordBatch) []byte {
	t.Helper()
	var out reply
	if err := f.invoke(t.Context(), rec, out.take); err != nil {
		t.Fatal(err)
	}
	return out.bytes
}
