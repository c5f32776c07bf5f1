package vendored_test

import (
	"bytes"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	oldarrow "github.com/apache/arrow/go/v18/arrow"
	oldarray "github.com/apache/arrow/go/v18/arrow/array"
	oldipc "github.com/apache/arrow/go/v18/arrow/ipc"
	oldmemory "github.com/apache/arrow/go/v18/arrow/memory"
)

// The types under the old import path must be aliases, or this does not compile.
var (
	_ func(arrow.RecordBatch) arrow.RecordBatch        = func(r oldarrow.Record) oldarrow.Record { return r }
	_ func(*array.Float64) *array.Float64              = func(a *oldarray.Float64) *oldarray.Float64 { return a }
	_ func(arrow.TypedArray[int32])                    = func(oldarrow.TypedArray[int32]) {}
	_ func(*ipc.Reader) *ipc.Reader                    = func(r *oldipc.Reader) *oldipc.Reader { return r }
	_ func(memory.Allocator) oldmemory.Allocator       = func(m oldmemory.Allocator) memory.Allocator { return m }
	_ func([]byte) []int64                             = oldarrow.GetData[int64]
	_ map[arrow.DataType]oldarrow.DataType             = map[oldarrow.DataType]arrow.DataType{}
	_ [oldarrow.DECIMAL128]int                         = [arrow.DECIMAL128]int{}
	_ func(arrow.DataType, arrow.DataType) bool        = func(x, y oldarrow.DataType) bool { return oldarrow.TypeEqual(x, y) }
	_ func(arrow.RecordBatch, ...oldarray.EqualOption) = func(oldarrow.RecordBatch, ...array.EqualOption) {}
)

func newBatch(t *testing.T) arrow.RecordBatch {
	t.Helper()
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues([]float64{1.5, 0}, []bool{true, false})
	column := b.NewArray()
	defer column.Release()
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Float64, Nullable: true}}, nil)
	batch := array.NewRecordBatch(schema, []arrow.Array{column}, 2)
	t.Cleanup(batch.Release)
	return batch
}

// doubled is written as programs with the old import path are.
func doubled(input oldarrow.Record) oldarrow.Record {
	b := oldarray.NewBuilder(oldmemory.NewGoAllocator(), oldarrow.PrimitiveTypes.Float64).(*oldarray.Float64Builder)
	defer b.Release()
	x := input.Column(0).(*oldarray.Float64)
	for i := range x.Len() {
		if x.IsNull(i) {
			b.AppendNull()
		} else {
			b.Append(2 * x.Value(i))
		}
	}
	column := b.NewArray()
	defer column.Release()
	return oldarray.NewRecord(input.Schema(), []oldarrow.Array{column}, input.NumRows())
}

func TestRecordsCrossFreely(t *testing.T) {
	result := doubled(newBatch(t))
	defer result.Release()
	column, ok := result.Column(0).(*array.Float64)
	if !ok {
		t.Fatalf("%T is not arrow-go's", result.Column(0))
	}
	if column.Len() != 2 || column.Value(0) != 3 || !column.IsNull(1) {
		t.Errorf("doubled(1.5, null) = %v", column)
	}
}

func TestOldWriterNewReader(t *testing.T) {
	batch := newBatch(t)
	var stream bytes.Buffer
	writer := oldipc.NewWriter(&stream, oldipc.WithSchema(batch.Schema()), ipc.WithAllocator(memory.DefaultAllocator))
	if err := writer.Write(batch); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	reader, err := ipc.NewReader(&stream)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, reader, batch)
}

func TestNewWriterOldReader(t *testing.T) {
	batch := newBatch(t)
	var stream bytes.Buffer
	writer := ipc.NewWriter(&stream, ipc.WithSchema(batch.Schema()))
	if err := writer.Write(batch); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	reader, err := oldipc.NewReader(&stream, oldipc.WithAllocator(oldmemory.DefaultAllocator))
	if err != nil {
		t.Fatal(err)
	}
	compare(t, reader, batch)
}

func compare(t *testing.T, reader *oldipc.Reader, want oldarrow.Record) {
	t.Helper()
	defer reader.Release()
	if !reader.Next() {
		t.Fatalf("no record: %v", reader.Err())
	}
	if got := reader.RecordBatch(); !oldarray.RecordEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if reader.Next() {
		t.Error("a second record")
	}
}
