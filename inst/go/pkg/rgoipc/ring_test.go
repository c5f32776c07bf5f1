package rgoipc

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"mangoro.local/internal/lane/lanetest"
)

// logicals are R's: 0, 1 or NA.
type logicals []int32

// ringPayload returns the request of a call with vectors of n values or of one.
func ringPayload(n int, args []any) (payload []byte, columns []any) {
	payload = binary.NativeEndian.AppendUint64(nil, uint64(n))
	payload = binary.NativeEndian.AppendUint32(payload, uint32(len(args)))
	payload = binary.NativeEndian.AppendUint32(payload, 0)
	for _, arg := range args {
		var rType, constant uint32
		var first uint64
		var column any
		set := func(t uint32, length int, values any, value func() uint64) {
			rType, column = t, values
			if length != n {
				constant, first, column = 1, value(), nil
			}
		}
		switch arg := arg.(type) {
		case []float64:
			set(rDouble, len(arg), arg, func() uint64 { return math.Float64bits(arg[0]) })
		case []int32:
			set(rInteger, len(arg), arg, func() uint64 { return uint64(uint32(arg[0])) })
		case logicals:
			set(rLogical, len(arg), []int32(arg), func() uint64 { return uint64(uint32(arg[0])) })
		}
		if column != nil {
			columns = append(columns, column)
		}
		payload = binary.NativeEndian.AppendUint32(payload, rType)
		payload = binary.NativeEndian.AppendUint32(payload, constant)
		payload = binary.NativeEndian.AppendUint64(payload, first)
	}
	return payload, columns
}

// byRing calls a function with arguments that come through a ring.
func byRing(ctx context.Context, f *Function, n int, args ...any) (arrow.RecordBatch, error) {
	end := lanetest.New()
	payload, columns := ringPayload(n, args)
	call, err := f.typed.newRingCall(payload, end.Ring(), 1<<30)
	if err != nil {
		return nil, err
	}
	var wg sync.WaitGroup
	wg.Go(func() { end.Write(columns...) })
	defer wg.Wait()
	defer end.GiveUp() // R has the reply
	var result arrow.RecordBatch
	err = call.invoke(ctx, func(_ context.Context, r returned) (err error) {
		result, err = r.whole()
		return err
	})
	return result, err
}

// byRecord calls it with the same arguments in a record.
func byRecord(f *Function, n int, args ...any) (arrow.RecordBatch, error) {
	var fields []arrow.Field
	var arrays []arrow.Array
	for i, arg := range args {
		var values arrow.Array
		switch arg := arg.(type) {
		case []float64:
			arg = recycledTo(n, arg)
			values = fixedWidth(float64s, arg, validOf(arg, func(x float64) bool {
				return math.IsNaN(x) && uint32(math.Float64bits(x)) == 1954
			}))
		case []int32:
			arg = recycledTo(n, arg)
			values = fixedWidth(arrow.PrimitiveTypes.Int32, arg, validOf(arg, isNAInt))
		case logicals:
			b := array.NewBooleanBuilder(memory.DefaultAllocator)
			for _, v := range recycledTo(n, arg) {
				if isNAInt(v) {
					b.AppendNull()
				} else {
					b.Append(v != 0)
				}
			}
			values = b.NewArray()
		}
		fields = append(fields, arrow.Field{Name: f.typed.params[i].arg.Name, Type: values.DataType(), Nullable: true})
		arrays = append(arrays, values)
	}
	return f.Handler(array.NewRecordBatch(arrow.NewSchema(fields, nil), arrays, int64(n)))
}

func isNAInt(v int32) bool { return v == math.MinInt32 }

func recycledTo[T any](n int, values []T) []T {
	if len(values) == n {
		return values
	}
	out := make([]T, n)
	for i := range out {
		out[i] = values[0]
	}
	return out
}

func validOf[T any](values []T, isNA func(T) bool) []bool {
	valid := make([]bool, len(values))
	for i, v := range values {
		valid[i] = !isNA(v)
	}
	return valid
}

// The lengths about the borders of chunks, and those of the whole ring.
var (
	chunkLengths = []int{0, 1, 2, 63, 64, 65, lanetest.RingRows - 1, lanetest.RingRows, lanetest.RingRows + 1, 2*lanetest.RingRows + 7}
	ringLengths  = []int{lanetest.RingSlots*lanetest.RingRows - 1, lanetest.RingSlots * lanetest.RingRows, lanetest.RingSlots*lanetest.RingRows + 1, 200_003}
)

// doubles returns n numbers, where share of them is NA, NaN or infinite.
func doubles(n int, odd int, from float64) []float64 {
	out := make([]float64, n)
	special := []float64{na, math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1)}
	for i := range out {
		out[i] = from + float64(i%1000)
		if odd > 0 && (i%odd == odd-1 || i == n-1) {
			out[i] = special[i/odd%len(special)]
		}
	}
	return out
}

func ints(n int, odd int) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = int32(i % 1000)
		if odd > 0 && (i%odd == odd-1 || i == n-1) {
			out[i] = math.MinInt32
		}
	}
	return out
}

func flags(n int, odd int) logicals {
	out := logicals(ints(n, odd))
	for i, v := range out {
		if !isNAInt(v) {
			out[i] = v % 2
		}
	}
	return out
}

// What comes through a ring gives what the same gives in a record.
func TestRingCall(t *testing.T) {
	add := func(x, y float64) float64 { return x + y }
	sqrt := func(x float64) float64 { return math.Sqrt(x) }
	mixed := func(x float64, y int32, z bool) float64 {
		if z {
			return x
		}
		return float64(y)
	}
	tests := []struct {
		name  string
		whole bool // with lengths about that of the whole ring
		fn    any
		opts  []FuncOption
		args  func(n int) []any
	}{
		{"one double", false, sqrt, nil, func(n int) []any { return []any{doubles(n, 0, -5)} }},
		{"two doubles", true, add, nil, func(n int) []any { return []any{doubles(n, 0, 1), doubles(n, 0, 2)} }},
		{"NA in the first", false, add, nil, func(n int) []any { return []any{doubles(n, 7, 1), doubles(n, 0, 2)} }},
		{"NA in both", true, add, nil, func(n int) []any { return []any{doubles(n, 3, 1), doubles(n, 100, 2)} }},
		{"few NA", false, add, nil, func(n int) []any { return []any{doubles(n, 50_000, 1), doubles(n, 0, 2)} }},
		{"a Loop", false, add, []FuncOption{Loop(loopAdd)}, func(n int) []any { return []any{doubles(n, 9, 1), doubles(n, 0, 2)} }},
		{"a constant", false, add, nil, func(n int) []any { return []any{doubles(n, 9, 1), []float64{2}} }},
		{"a constant first", false, add, nil, func(n int) []any { return []any{[]float64{2}, doubles(n, 0, 1)} }},
		{"a constant NA", false, add, nil, func(n int) []any { return []any{doubles(n, 0, 1), []float64{na}} }},
		{"a constant NaN", false, add, nil, func(n int) []any { return []any{doubles(n, 0, 1), []float64{math.NaN()}} }},
		{"integers", false, func(x, y int32) int32 { return x - y }, nil, func(n int) []any { return []any{ints(n, 0), ints(n, 11)} }},
		{"integers as doubles", false, add, nil, func(n int) []any { return []any{ints(n, 5), doubles(n, 0, 1)} }},
		{"integers as int64", false, func(x, y int64) int64 { return x * y }, nil, func(n int) []any { return []any{ints(n, 0), ints(n, 4)} }},
		{"integers as int", false, func(x int) int { return 1 << 40 * x }, nil, func(n int) []any { return []any{ints(n, 4)} }},
		{"doubles as int", false, func(x int) int { return x }, nil, func(n int) []any { return []any{doubles(n, 0, 0)} }},
		{"a constant integer", false, func(x, y int32) int32 { return x - y }, nil, func(n int) []any { return []any{ints(n, 0), []int32{7}} }},
		{"logicals", false, func(x bool) bool { return !x }, nil, func(n int) []any { return []any{flags(n, 5)} }},
		{"logicals that are NA", false, sqrt, nil, func(n int) []any { return []any{flags(n, 1)} }},
		{"types", true, mixed, nil, func(n int) []any { return []any{doubles(n, 9, 1), ints(n, 8), flags(n, 7)} }},
		{"types and a constant", false, mixed, nil, func(n int) []any { return []any{doubles(n, 9, 1), ints(n, 8), logicals{1}} }},
		{"text", false, func(x float64) string { return fmt.Sprint(x) }, nil, func(n int) []any { return []any{doubles(n, 9, 1)} }},
		{"named types", false, func(x celsius) celsius { return x + 1 }, nil, func(n int) []any { return []any{doubles(n, 9, 1)} }},
		{"float32", false, func(x float32) float32 { return x + 1 }, nil, func(n int) []any { return []any{doubles(n, 9, 1)} }},
		{"pointers", false, func(x *float64) *float64 { return x }, nil, func(n int) []any { return []any{doubles(n, 9, 1)} }},
		{"a context", false, func(ctx context.Context, x float64) float64 { return x }, nil, func(n int) []any { return []any{doubles(n, 9, 1)} }},
		{"two results", false, func(x float64) (float64, int32) { return x, int32(len(fmt.Sprint(x))) }, nil, func(n int) []any { return []any{doubles(n, 9, 1)} }},
		{"no result", false, func(x float64) {}, nil, func(n int) []any { return []any{doubles(n, 9, 1)} }},
		{"six columns", false, func(a, b, c, d, e, f float64) float64 { return a + b + c + d + e + f }, nil, func(n int) []any {
			return []any{doubles(n, 0, 1), doubles(n, 9, 2), doubles(n, 0, 3), ints(n, 0), ints(n, 100), doubles(n, 0, 3)}
		}},
	}
	for _, tt := range tests {
		for how, opts := range map[string][]FuncOption{"": nil, " in parallel": {Parallel()}} {
			t.Run(tt.name+how, func(t *testing.T) {
				f := typed(t, tt.fn, append(opts, tt.opts...)...)
				lengths := chunkLengths
				if tt.whole {
					lengths = slices.Concat(chunkLengths, ringLengths)
				}
				for _, n := range lengths {
					args := tt.args(n)
					want, wrong := byRecord(f, n, args...)
					got, err := byRing(t.Context(), f, n, args...)
					if fmt.Sprint(err) != fmt.Sprint(wrong) {
						t.Fatalf("%d rows: error %v, want %v", n, err, wrong)
					}
					if err == nil && !sameBits(t, got, want) {
						t.Fatalf("%d rows: the results differ", n)
					}
				}
			})
		}
	}
}

// sameBits tells whether two records are the same, also in what lies under nulls.
func sameBits(t *testing.T, a, b arrow.RecordBatch) bool {
	t.Helper()
	x, err := WriteArrowRecord(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := WriteArrowRecord(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(x) == string(y)
}

func TestRingCallOfManyColumns(t *testing.T) {
	const columns = 40
	names := make([]string, columns)
	for i := range names {
		names[i] = fmt.Sprintf("a%d", i)
	}
	sum := func(a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9,
		c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, d0, d1, d2, d3, d4, d5, d6, d7, d8, d9 float64,
	) float64 {
		return a0 + 2*a9 + 3*b5 + 4*c1 + 5*c2 + 6*d9
	}
	f := typed(t, sum, Args(names...))
	for _, n := range []int{1, lanetest.ChunkRows(columns), lanetest.ChunkRows(columns) + 1, 3000} {
		args := make([]any, columns)
		for i := range args {
			args[i] = doubles(n, 100*i, float64(i))
		}
		want, err := byRecord(f, n, args...)
		if err != nil {
			t.Fatal(err)
		}
		got, err := byRing(t.Context(), f, n, args...)
		if err != nil || !sameBits(t, got, want) {
			t.Errorf("%d rows: %v", n, err)
		}
	}
}

// Errors, panics and arguments that do not fit say the row of the call.
func TestRingCallFails(t *testing.T) {
	const n = 3*lanetest.RingRows + 7
	for _, bad := range []int{0, 1, lanetest.RingRows - 1, lanetest.RingRows, 2*lanetest.RingRows + 1, n - 1} {
		is := func(x float64) bool { return int(x) == bad }
		row := make([]float64, n)
		for i := range row {
			row[i] = float64(i)
		}
		fractions := append([]float64(nil), row...)
		fractions[bad] += 0.5
		for _, tt := range []struct {
			name string
			fn   any
			args []any
			want string
		}{
			{"an error", func(x, y float64) (float64, error) {
				if is(x) {
					return 0, io.EOF
				}
				return x, nil
			}, []any{row, []float64{7}}, fmt.Sprintf("row %d: EOF", bad+1)},
			{"a panic", func(x, y float64) float64 {
				if is(x) {
					panic("boom")
				}
				return x
			}, []any{row, []float64{7}}, fmt.Sprintf("row %d: boom", bad+1)},
			{"Goexit", func(x, y float64) float64 {
				if is(x) {
					runtime.Goexit()
				}
				return x
			}, []any{row, []float64{7}}, fmt.Sprintf("row %d: %v", bad+1, errGoexit)},
			{"no whole number", func(x int) int { return x }, []any{fractions}, fmt.Sprintf("argument `x` must be whole numbers from -9223372036854775808 to 9223372036854775807, but row %d is %v", bad+1, fractions[bad])},
			{"no number", func(x, y float64) float64 { return x }, []any{row, flags(n, 0)}, "argument `y` must be numeric, not bool"},
		} {
			for how, opts := range map[string][]FuncOption{"": nil, " in parallel": {Parallel()}} {
				if tt.name == "Goexit" && opts == nil {
					continue // it ends this goroutine
				}
				t.Run(fmt.Sprintf("%s in row %d%s", tt.name, bad, how), func(t *testing.T) {
					_, err := byRing(t.Context(), typed(t, tt.fn, opts...), n, tt.args...)
					if err == nil || err.Error() != tt.want {
						t.Errorf("got %v, want %s", err, tt.want)
					}
					var e *rowError
					if errors.As(err, &e) && (e.values["x"] != float64(bad) || e.values["y"] != 7.0) {
						t.Errorf("the arguments were %v", e.values)
					}
				})
			}
		}
	}
}

func TestRingCallIsGivenUp(t *testing.T) {
	const n = 20 * lanetest.RingRows
	f := typed(t, func(x float64) float64 { return x })
	end := lanetest.New()
	payload, _ := ringPayload(n, []any{make([]float64, n)})
	call, err := f.typed.newRingCall(payload, end.Ring(), n)
	if err != nil {
		t.Fatal(err)
	}
	end.Write(make([]float64, 3*lanetest.RingRows))
	time.AfterFunc(time.Millisecond, end.GiveUp)
	err = call.invoke(t.Context(), new(reply).take)
	if CodeOf(err) != CodeCancelled || !strings.Contains(err.Error(), "was given up") {
		t.Errorf("got %v", err)
	}
}

func TestRingCallStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := typed(t, func(x float64) float64 {
		if x == 10 {
			cancel()
		}
		return x
	})
	x := doubles(20*lanetest.RingRows, 0, 0)
	if _, err := byRing(ctx, f, len(x), x); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// What R says of a call is checked.
func TestRingCallIsNotTrusted(t *testing.T) {
	f := typed(t, func(x, y float64) float64 { return x + y })
	good, _ := ringPayload(100, []any{make([]float64, 100), []float64{1}})
	edit := func(at int, value uint32) []byte {
		out := append([]byte(nil), good...)
		binary.NativeEndian.PutUint32(out[at:], value)
		return out
	}
	if _, err := f.typed.newRingCall(good, lanetest.New().Ring(), 100); err != nil {
		t.Fatal(err)
	}
	for name, payload := range map[string][]byte{
		"nothing":         nil,
		"cut":             good[:len(good)-1],
		"longer":          append(append([]byte(nil), good...), 0),
		"many rows":       edit(0, 101),
		"far more rows":   edit(4, 1<<31),
		"other arguments": edit(8, 3),
		"another type":    edit(16, 16),
		"no flag":         edit(20, 2),
		"no column":       edit(20, 1),
		"no type":         edit(16, 0),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := f.typed.newRingCall(payload, lanetest.New().Ring(), 100); err == nil {
				t.Error("it is taken")
			}
		})
	}
	for name, f := range map[string]*Function{
		"called once": typed(t, func(x []float64, y float64) float64 { return y }),
		"each":        typed(t, func(x, y float64) []float64 { return nil }, Each()),
	} {
		if _, err := f.typed.newRingCall(good, lanetest.New().Ring(), 100); err == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
}
