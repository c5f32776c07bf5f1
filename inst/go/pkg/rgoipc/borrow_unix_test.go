//go:build unix

package rgoipc

import (
	"bytes"
	"context"
	"math"
	"runtime/debug"
	"slices"
	"syscall"
	"testing"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// readOnly returns memory that holds values and cannot be written to, as an argument's that
// is shared with R.
func readOnly[T any](t *testing.T, values ...T) []byte {
	t.Helper()
	size := len(values) * int(unsafe.Sizeof(values[0]))
	memory, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(memory) })
	copy(memory, unsafe.Slice((*byte)(unsafe.Pointer(&values[0])), size))
	if err := syscall.Mprotect(memory, syscall.PROT_READ); err != nil {
		t.Fatal(err)
	}
	return memory
}

// argument returns values as R sends the vector x, one row. Those that are not valid are null.
func argument(t *testing.T, dataType arrow.DataType, bytes []byte, valid ...bool) arrow.RecordBatch {
	t.Helper()
	n := len(bytes) / (dataType.(arrow.FixedWidthDataType).BitWidth() / 8)
	var bits *memory.Buffer
	nulls := 0
	if len(valid) > 0 {
		b := byte(0)
		for i, v := range valid {
			if v {
				b |= 1 << i
			} else {
				nulls++
			}
		}
		bits = memory.NewBufferBytes(readOnly(t, b))
	}
	data := array.NewData(dataType, n, []*memory.Buffer{bits, memory.NewBufferBytes(bytes)}, nil, nulls, 0)
	defer data.Release()
	values := array.MakeFromData(data)
	defer values.Release()
	list := boxed(values, arrow.Metadata{})
	defer list.Release()
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: list.DataType(), Nullable: true}}, nil)
	rec := array.NewRecordBatch(schema, []arrow.Array{list}, 1)
	t.Cleanup(rec.Release)
	return rec
}

// within tells whether the values lie in memory.
func within[T any](memory []byte, values []T) bool {
	at, from := uintptr(unsafe.Pointer(unsafe.SliceData(values))), uintptr(unsafe.Pointer(&memory[0]))
	return from <= at && at < from+uintptr(len(memory))
}

// invokeWith calls a function as a server does, where a write to an argument is a panic.
func invokeWith(t *testing.T, fn any, rec arrow.RecordBatch, opts ...FuncOption) arrow.RecordBatch {
	t.Helper()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	var result arrow.RecordBatch
	err := typed(t, fn, opts...).invoke(t.Context(), rec, func(_ context.Context, r returned) (err error) {
		result, err = r.whole()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(result.Release)
	return result
}

type (
	numbers []float64
	level   int32
)

func TestBorrowed(t *testing.T) {
	floats := readOnly(t, 1.5, 2, 3)
	ints := readOnly[int32](t, 1, 2, 3)
	longs := readOnly[int64](t, 1, 2, 3)
	small := readOnly[uint8](t, 1, 2, 3)
	singles := readOnly[float32](t, 1, 2, 3)
	p := &arrow.PrimitiveTypes
	tests := []struct {
		name     string
		fn       any
		dataType arrow.DataType
		memory   []byte
		want     bool
	}{
		{"float64", func(x []float64) bool { return within(floats, x) }, p.Float64, floats, true},
		{"float32", func(x []float32) bool { return within(singles, x) }, p.Float32, singles, true},
		{"int32", func(x []int32) bool { return within(ints, x) }, p.Int32, ints, true},
		{"int64", func(x []int64) bool { return within(longs, x) }, p.Int64, longs, true},
		{"int", func(x []int) bool { return within(longs, x) }, p.Int64, longs, math.MaxInt > math.MaxInt32},
		{"matrix of uint8", func(x Matrix[uint8]) bool { return within(small, x.Data) }, p.Uint8, small, true},
		{"bytes", func(x ...byte) bool { return within(small, x) || x[0] != 1 }, p.Uint8, small, false},
		{"variadic", func(x ...float64) bool { return within(floats, x) }, p.Float64, floats, true},
		{"named slice", func(x numbers) bool { return within(floats, x) }, p.Float64, floats, true},
		{"named element", func(x []level) bool { return within(ints, x) }, p.Int32, ints, true},
		{"dates", func(x []Date) bool { return within(ints, x) }, p.Date32, ints, true},
		{"matrix", func(x Matrix[float64]) bool { return within(floats, x.Data) }, p.Float64, floats, true},
		{"converted", func(x []float64) bool { return within(ints, x) || x[2] != 3 }, p.Int32, ints, false},
		{"pointers", func(x []*float64) bool { return within(floats, unsafe.Slice(x[0], 1)) || *x[0] != 1.5 }, p.Float64, floats, false},
		{"null", func(x []Null[float64]) bool { return within(floats, x) || x[0].V != 1.5 }, p.Float64, floats, false},
		{"nulls", func(x Nulls[float64]) bool { return within(floats, x.Values) || x.Values[0] != 1.5 }, p.Float64, floats, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := argument(t, tt.dataType, tt.memory)
			if got := invokeWith(t, tt.fn, rec, Borrow("x")); got.Column(0).(*array.Boolean).Value(0) != tt.want {
				t.Errorf("with Borrow, x lies in the argument is %v, want %v", !tt.want, tt.want)
			}
			if got := invokeWith(t, tt.fn, rec); got.Column(0).(*array.Boolean).Value(0) {
				t.Error("without Borrow, x lies in the argument")
			}
			if got, err := typed(t, tt.fn, Borrow("x")).Handler(rec); err != nil || got.Column(0).(*array.Boolean).Value(0) {
				t.Error("a handler, whose result may outlive the record, is given the argument itself", err)
			}
		})
	}
}

// A function without Borrow may change and keep what it was given.
func TestNotBorrowed(t *testing.T) {
	floats := readOnly(t, 1.5, 2, 3)
	before := bytes.Clone(floats)
	var kept []float64
	change := func(x []float64) []float64 {
		slices.Reverse(x)
		kept = x
		return append(x[:1], 7)
	}
	got := listOf[float64](t, invokeWith(t, change, argument(t, arrow.PrimitiveTypes.Float64, floats)))
	if want := []float64{3, 7}; !slices.Equal(got, want) {
		t.Errorf("it returned %v, want %v", got, want)
	}
	if !bytes.Equal(floats, before) || within(floats, kept) {
		t.Error("it was given the argument itself")
	}
}

// listOf returns the numbers that a function has returned.
func listOf[T any](t *testing.T, rec arrow.RecordBatch) []T {
	t.Helper()
	list := rec.Column(0).(*array.List)
	from, to := list.ValueOffsets(0)
	return list.ListValues().(interface{ Values() []T }).Values()[from:to]
}

func TestBorrowedResult(t *testing.T) {
	floats := readOnly(t, 1.5, 2, 3)
	tail := func(x []float64) []float64 { return x[1:] }
	got := listOf[float64](t, invokeWith(t, tail, argument(t, arrow.PrimitiveTypes.Float64, floats), Borrow("x")))
	if want := []float64{2, 3}; !slices.Equal(got, want) || !within(floats, got) {
		t.Errorf("it returned %v, want %v, in the argument's memory", got, want)
	}
}

// What lies under null is NA, which R's own numbers have there. Others are copied.
func TestBorrowedNull(t *testing.T) {
	na := math.Float64frombits(0x7FF00000000007A2)
	quiet := math.Float64frombits(0x7FF80000000007A2)
	isNA := func(x float64) bool { return x != x && uint32(math.Float64bits(x)) == 1954 }
	tests := []struct {
		name   string
		values []float64
		valid  []bool
		want   bool // in place
	}{
		{"NA", []float64{1, na, 3}, []bool{true, false, true}, true},
		{"NA of arithmetic", []float64{1, quiet, na}, []bool{true, false, false}, true},
		{"zero", []float64{1, 0, na}, []bool{true, false, false}, false},
		{"the last", []float64{na, na, 3}, []bool{false, false, false}, false},
		{"NaN", []float64{1, math.NaN(), 3}, []bool{true, false, true}, false},
		{"NaN that is a value", []float64{math.NaN(), na, 3}, []bool{true, false, true}, true},
		{"no nulls", []float64{1, 2, 3}, []bool{true, true, true}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			memory := readOnly(t, tt.values...)
			rec := argument(t, arrow.PrimitiveTypes.Float64, memory, tt.valid...)
			check := func(inPlace bool) func(x []float64) {
				return func(x []float64) {
					if within(memory, x) != inPlace {
						t.Errorf("x lies in the argument is %v, want %v", !inPlace, inPlace)
					}
					for i, v := range x {
						if !tt.valid[i] && !isNA(v) || tt.valid[i] && math.Float64bits(v) != math.Float64bits(tt.values[i]) {
							t.Errorf("x[%d] is %v with the bits %x", i, v, math.Float64bits(v))
						}
					}
				}
			}
			invokeWith(t, check(tt.want), rec, Borrow("x"))
			invokeWith(t, check(false), rec)
		})
	}
	rec := argument(t, arrow.PrimitiveTypes.Int32, readOnly[int32](t, 1, 2, 3), true, false, true)
	err := typed(t, func([]int32) {}, Borrow("x")).invoke(t.Context(), rec, nil)
	if want := "argument `x` takes no missing values, but row 2 is missing"; err == nil || err.Error() != want {
		t.Errorf("NA among integers: %v, want %s", err, want)
	}
}

func TestBorrowRefuses(t *testing.T) {
	if _, err := newTypedFunc(func([]float64) {}, funcOptions{borrowed: []string{"y"}}); err == nil || err.Error() != "it has no parameter `y`" {
		t.Errorf("Borrow of a parameter that is not there: %v", err)
	}
}
