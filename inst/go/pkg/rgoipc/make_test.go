package rgoipc

import (
	"context"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"mangoro.local/internal/segment"
	"mangoro.local/internal/segment/segmenttest"
)

const many = 1 << 16

// resultIn calls a function without arguments whose result may lie in a segment, and returns
// it.
func resultIn(t *testing.T, r *segment.Result, fn any) arrow.Array {
	t.Helper()
	ctx := segment.WithResult(t.Context(), r)
	rec := array.NewRecordBatch(arrow.NewSchema(nil, nil), nil, 1)
	var result arrow.RecordBatch
	err := typed(t, fn).invoke(ctx, rec, func(_ context.Context, r returned) (err error) {
		result, err = r.whole()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(result.Release)
	return result.Column(0).(*array.List).ListValues()
}

// lies tells whether a buffer of an array lies in a segment.
func lies(r *segment.Result, values arrow.Array, buffer int) bool {
	_, ok := r.Offset(values.Data().Buffers()[buffer].Bytes())
	return ok
}

func TestMake(t *testing.T) {
	r, _ := segmenttest.Offer(t, 1<<12)
	var made []int32
	values := resultIn(t, r, func(ctx context.Context) []int32 {
		made = Make[int32](ctx, many)
		for i := range made {
			made[i] = int32(i)
		}
		return made
	})
	if !lies(r, values, 1) || unsafe.SliceData(values.(*array.Int32).Int32Values()) != unsafe.SliceData(made) {
		t.Error("the result is not what Make returned, in the segment")
	}
	values = resultIn(t, r, func(ctx context.Context) Matrix[float64] {
		m := MakeMatrix[float64](ctx, many, 2)
		for j := range 2 {
			for i := range many {
				m.Set(i, j, float64(j))
			}
		}
		return m
	})
	if !lies(r, values, 1) || values.Len() != 2*many {
		t.Error("the matrix is not in the segment")
	}
	if x := Make[float64](t.Context(), 3); !slices.Equal(x, []float64{0, 0, 0}) {
		t.Errorf("without a segment Make returned %v", x)
	}
	defer func() {
		if recover() == nil {
			t.Error("there is a matrix of -1 columns")
		}
	}()
	MakeMatrix[float64](t.Context(), 1, -1)
}

// What a function has allocated itself is copied into the segment, once, and is not written to.
// A result says that none of its numbers is NaN where that is known.
func TestNoNaN(t *testing.T) {
	one, nan := 1.0, math.NaN()
	type row struct {
		X float64
		S string
	}
	tests := []struct {
		name string
		fn   any
		want bool
	}{
		{"numbers", func() []float64 { return []float64{1, 2} }, true},
		{"NaN", func() []float64 { return []float64{1, nan} }, false},
		{"integers", func() []int { return []int{1} }, true},
		{"nil pointer", func() []*float64 { return []*float64{&one, nil} }, false},
		{"Nulls", func() Nulls[float64] { return Nulls[float64]{Values: []float64{1, 2}, Valid: []bool{true, false}} }, false},
		{"matrix", func() Matrix[float64] { return NewMatrix[float64](2, 2) }, true},
		{"rows", func() []row { return []row{{1, "a"}} }, true},
		{"rows with NaN", func() []row { return []row{{1, "a"}, {nan, "b"}} }, false},
		{"one of two", func() ([]float64, []float32) { return []float64{1}, []float32{float32(nan)} }, false},
		{"times", func() []time.Time { return nil }, false},
		{"complex", func() []complex128 { return nil }, false},
		{"any", func() any { return 1.0 }, false},
	}
	for _, tt := range tests {
		rec := array.NewRecordBatch(arrow.NewSchema(nil, nil), nil, 1)
		err := typed(t, tt.fn).invoke(t.Context(), rec, func(_ context.Context, r returned) error {
			if r.noNaN != tt.want {
				t.Errorf("%s: it says that none is NaN is %v, want %v", tt.name, r.noNaN, tt.want)
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestResultsInSegment(t *testing.T) {
	na := math.Float64frombits(0x7FF00000000007A2)
	numbers := make([]float64, many)
	words := make([]string, many)
	valid := make([]bool, many)
	for i := range numbers {
		numbers[i], words[i], valid[i] = float64(i), strconv.Itoa(i), i%3 != 0
	}
	numbers[many/2] = na
	r, _ := segmenttest.Offer(t, 1<<12)

	values := resultIn(t, r, func() []float64 { return numbers })
	if !lies(r, values, 1) || values.NullN() != 1 || !values.IsNull(many/2) {
		t.Errorf("numbers: %d are null", values.NullN())
	}
	for i, v := range values.(*array.Float64).Float64Values() {
		if math.Float64bits(v) != math.Float64bits(numbers[i]) {
			t.Fatalf("number %d is %v", i, v)
		}
	}

	values = resultIn(t, r, func() Nulls[float64] { return Nulls[float64]{Values: numbers, Valid: valid} })
	got := values.(*array.Float64).Float64Values()
	if !lies(r, values, 1) || math.Float64bits(got[0]) != math.Float64bits(na) || !values.IsNull(0) || numbers[0] != 0 {
		t.Errorf("under null lies %v, and in the function's own slice %v", got[0], numbers[0])
	}

	values = resultIn(t, r, func() []string { return words })
	if !lies(r, values, 1) || !lies(r, values, 2) || values.(*array.String).Value(many-1) != words[many-1] {
		t.Error("strings are not in the segment")
	}

	values = resultIn(t, nil, func() []float64 { return numbers })
	if unsafe.SliceData(values.(*array.Float64).Float64Values()) != unsafe.SliceData(numbers) {
		t.Error("without a segment the numbers are copied")
	}
	values = resultIn(t, r, func() []float64 { return numbers[:10] })
	if lies(r, values, 1) {
		t.Error("few numbers are in the segment")
	}
}
