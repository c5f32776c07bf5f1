package rgoipc

import (
	"fmt"
	"math/rand/v2"
	"strconv"
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

func loopAdd(n int, x, y, out []float64) {
	x, y, out = x[:n], y[:n], out[:n]
	for i := range n {
		out[i] = x[i] + y[i]
	}
}

// BenchmarkLoop compares a Loop with the same loop in plain Go, whose result
// is in memory of its own each time, too, and with calls of the function.
func BenchmarkLoop(b *testing.B) {
	add := func(x, y float64) float64 { return x + y }
	for _, n := range []int{1, benchRows, 5 * benchRows} {
		x, y := make([]float64, n), make([]float64, n)
		for i := range x {
			x[i], y[i] = float64(i), float64(2*i)
		}
		b.Run(fmt.Sprintf("%d/plain", n), func(b *testing.B) {
			for b.Loop() {
				sink = make([]float64, n)
				loopAdd(n, x, y, sink)
			}
		})
		for _, share := range []float64{0, 0.01, 0.5} {
			source, valid := rand.New(rand.NewPCG(1, 2)), make([]bool, n)
			for i := range valid {
				valid[i] = source.Float64() >= share
			}
			columns := []arrow.Array{fixedWidth(float64s, x, valid), fixedWidth(float64s, y, nil)}
			for name, opts := range map[string][]FuncOption{"called": nil, "loop": {Loop(loopAdd)}, "loop, parallel": {Loop(loopAdd), Parallel()}} {
				b.Run(fmt.Sprintf("%d/NA %v/%s", n, share, name), func(b *testing.B) {
					callOn(b, add, opts, columns)
				})
			}
		}
		one := []arrow.Array{fixedWidth(float64s, x, nil), fixedWidth(float64s, y[:1], nil)}
		for i, c := range one {
			one[i] = boxed(c, arrow.Metadata{})
		}
		b.Run(fmt.Sprintf("%d/recycled/loop", n), func(b *testing.B) { callOn(b, add, []FuncOption{Loop(loopAdd)}, one) })
	}
}

// callOn calls a function of x and y.
func callOn(b *testing.B, fn any, opts []FuncOption, columns []arrow.Array) {
	b.Helper()
	registry := NewRegistry()
	if err := registry.Func("f", fn, opts...); err != nil {
		b.Fatal(err)
	}
	f, _ := registry.Get("f")
	fields := []arrow.Field{{Name: "x", Type: columns[0].DataType(), Nullable: true}, {Name: "y", Type: columns[1].DataType(), Nullable: true}}
	rec := array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, int64(columns[0].Len()))
	for b.Loop() {
		result, err := f.Handler(rec)
		if err != nil {
			b.Fatal(err)
		}
		result.Release()
	}
}

// BenchmarkSmall is a call of one row, without the sockets, that is like the one before.
func BenchmarkSmall(b *testing.B) { respondTo(b, "", 1) }

// BenchmarkSmallInTime is one that has a time-out, as those from R have.
func BenchmarkSmallInTime(b *testing.B) { respondTo(b, `{"timeout_ms":60000}`, 1) }

// BenchmarkSmallInTurns has calls that differ from the ones before.
func BenchmarkSmallInTurns(b *testing.B) { respondTo(b, "", 1, 2) }

// BenchmarkLarge is a call of many rows.
func BenchmarkLarge(b *testing.B) { respondTo(b, "", 5*benchRows) }

// respondTo answers calls of these numbers of rows.
func respondTo(b *testing.B, metadata string, rows ...int) {
	b.Helper()
	registry := NewRegistry()
	if err := registry.Func("add", func(x, y float64) float64 { return x + y }); err != nil {
		b.Fatal(err)
	}
	var requests [][]byte
	for _, n := range rows {
		requests = append(requests, templateCall(b, "add", metadata, float64Column(n, 0), float64Column(n, 0)))
	}
	connection := newDispatcher(b.Context(), registry, limits{1, 0, 1, 1 << 30}).connect()
	for i := 0; b.Loop(); i++ {
		connection.Answer(requests[i%len(requests)], func([]byte) {})
	}
}

// BenchmarkVectors copies whole vectors and texts.
func BenchmarkVectors(b *testing.B) {
	words := array.NewStringBuilder(memory.DefaultAllocator)
	for i := range benchRows {
		words.Append(strconv.Itoa(i))
	}
	text := words.NewArray()
	numbers := numbersRecord(b, false, "x").Column(0)
	for name, tt := range map[string]struct {
		fn     any
		column arrow.Array
	}{
		"sum of []float64": {func(x []float64) (sum float64) {
			for _, v := range x {
				sum += v
			}
			return sum
		}, boxed(numbers, arrow.Metadata{})},
		"length of string":  {func(x string) int32 { return int32(len(x)) }, text},
		"string to string":  {func(x string) string { return x }, text},
		"string, reflected": {func(x string) int { return len(x) }, text},
	} {
		b.Run(name, func(b *testing.B) {
			registry := NewRegistry()
			if err := registry.Func("f", tt.fn); err != nil {
				b.Fatal(err)
			}
			f, _ := registry.Get("f")
			schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: tt.column.DataType()}}, nil)
			rec := array.NewRecordBatch(schema, []arrow.Array{tt.column}, int64(tt.column.Len()))
			for b.Loop() {
				if _, err := f.Handler(rec); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// sink keeps the compiler from leaving a loop out.
var sink []float64
