package rgoipc

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

const benchRows = 1_000_000

// numbersRecord has columns of numbers, where every hundredth row of the first
// is NA if asked for.
func numbersRecord(b *testing.B, withNA bool, names ...string) arrow.RecordBatch {
	b.Helper()
	var fields []arrow.Field
	var columns []arrow.Array
	for i, name := range names {
		builder := array.NewFloat64Builder(memory.DefaultAllocator)
		for row := range benchRows {
			if withNA && i == 0 && row%100 == 0 {
				builder.AppendNull()
			} else {
				builder.Append(float64(row))
			}
		}
		fields = append(fields, arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Float64, Nullable: true})
		columns = append(columns, builder.NewArray())
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, benchRows)
}

// BenchmarkElementwise compares typed functions with loops in plain Go.
func BenchmarkElementwise(b *testing.B) {
	add := func(x, y float64) float64 { return x + y }
	rec := numbersRecord(b, false, "x", "y")
	x, y := rec.Column(0).(*array.Float64).Float64Values(), rec.Column(1).(*array.Float64).Float64Values()
	plain := func(f func(x, y float64) float64) func(*testing.B) {
		return func(b *testing.B) {
			for b.Loop() {
				out := make([]float64, len(x))
				for i := range out {
					out[i] = f(x[i], y[i])
				}
				sink = out
			}
		}
	}
	typed := func(rec arrow.RecordBatch, fn any, opts ...FuncOption) func(*testing.B) {
		return func(b *testing.B) {
			registry := NewRegistry()
			if err := registry.Func("f", fn, opts...); err != nil {
				b.Fatal(err)
			}
			f, _ := registry.Get("f")
			b.ResetTimer()
			for b.Loop() {
				result, err := f.Handler(rec)
				if err != nil {
					b.Fatal(err)
				}
				result.Release()
			}
		}
	}
	b.Run("plain/inlined", func(b *testing.B) {
		for b.Loop() {
			out := make([]float64, len(x))
			for i := range out {
				out[i] = x[i] + y[i]
			}
			sink = out
		}
	})
	b.Run("plain/called", plain(add))
	b.Run("typed", typed(rec, add))
	b.Run("typed/error", typed(rec, func(x, y float64) (float64, error) { return x + y, nil }))
	b.Run("typed/parallel", typed(rec, add, Parallel()))
	b.Run("typed/NA", typed(numbersRecord(b, true, "x", "y"), add))
	b.Run("reflected", typed(rec, func(x, y float64) (float64, float64) { return x + y, 0 }))
}

// sink keeps the compiler from leaving a loop out.
var sink []float64
