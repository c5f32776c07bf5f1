package rgoipc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

type celsius float64

type adder func(x, y float64) float64

// Functions of common types run without reflection, all others with it: the
// results are the same.
func TestElementwiseLoops(t *testing.T) {
	one := arg{float64s, `[1, 2, null, 4, 5, 6]`, "", ""}
	two := arg{float64s, `[10, 20]`, "", ""}
	three := arg{float64s, `[100, null, 300]`, "", ""}
	four := arg{float64s, `[1000]`, "", ""}
	tests := []struct {
		name string
		fn   any
		args []arg
		want string
	}{
		{"T", func(x float64) float64 { return x }, []arg{one}, `[1,2,null,4,5,6]`},
		{"T error", func(x float64) (float64, error) { return x, nil }, []arg{one}, `[1,2,null,4,5,6]`},
		{"T to U", func(x float64) string { return fmt.Sprint(x) }, []arg{one}, `["1","2",null,"4","5","6"]`},
		{"T to bool", func(x int32) bool { return x > 2 }, []arg{one}, `[false,false,null,true,true,true]`},
		{"T to U error", func(x int64) (int32, error) { return int32(x), nil }, []arg{one}, `[1,2,null,4,5,6]`},
		{"T T", func(x, y float64) float64 { return x + y }, []arg{one, two}, `[11,22,null,24,15,26]`},
		{"T T of one value", func(x, y float64) float64 { return x + y }, []arg{four, one}, `[1001,1002,null,1004,1005,1006]`},
		{"T T error", func(x, y float64) (float64, error) { return x + y, nil }, []arg{one, two}, `[11,22,null,24,15,26]`},
		{"T T T", func(x, y, z float64) float64 { return x + y + z }, []arg{one, two, three}, `[111,null,null,124,null,326]`},
		{"T T T error", func(x, y, z float64) (float64, error) { return x + y + z, nil }, []arg{one, two, three}, `[111,null,null,124,null,326]`},
		{"T T T T", func(x, y, z, a float64) float64 { return x + y + z + a }, []arg{one, two, three, four}, `[1111,null,null,1124,null,1326]`},
		{"T T T T error", func(x, y, z, a float64) (float64, error) { return x + y + z + a, nil }, []arg{one, two, three, four}, `[1111,null,null,1124,null,1326]`},
		{"five", func(x, y, z, a, b float64) float64 { return x + y + z + a + b }, []arg{one, two, three, four, four}, `[2111,null,null,2124,null,2326]`},
		{"int", func(x, y int) int { return x + y }, []arg{one, two}, `[11,22,null,24,15,26]`},
		{"of a type with a name", adder(func(x, y float64) float64 { return x + y }), []arg{one, two}, `[11,22,null,24,15,26]`},
		{"of types with names", func(x celsius) celsius { return x + 1 }, []arg{one}, `[2,3,null,5,6,7]`},
		{"context", func(_ context.Context, x float64) float64 { return x }, []arg{one}, `[1,2,null,4,5,6]`},
		{"no rows", func(x, y float64) float64 { panic("called") }, []arg{one, {float64s, `[]`, "", ""}}, `[]`},
		{"all NA", func(x, y float64) float64 { panic("called") }, []arg{one, {float64s, `[null]`, "", ""}}, `[null,null,null,null,null,null]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, opts := range [][]FuncOption{nil, {Parallel()}} {
				got, _, err := resultOf(t, typed(t, tt.fn, opts...), lists(t, tt.args...))
				if err != nil || got != tt.want {
					t.Errorf("got %s, %v; want %s", got, err, tt.want)
				}
			}
		})
	}
}

// long returns a record of the numbers 0, 1, ... n-1, where every tenth is NA.
func long(t *testing.T, n int) arrow.RecordBatch {
	t.Helper()
	values, valid := make([]float64, n), make([]bool, n)
	for i := range values {
		values[i] = float64(i)
		valid[i] = i%10 != 9
	}
	return columnX(fixedWidth(float64s, values, valid))
}

func TestElementwiseOfManyRows(t *testing.T) {
	const n = 3*blockRows + 7
	for name, opts := range map[string][]FuncOption{"one goroutine": nil, "parallel": {Parallel()}} {
		for kind, fn := range map[string]any{
			"typed":     func(x, y float64) float64 { return 2*x + y },
			"reflected": func(x celsius, y int) float64 { return 2*float64(x) + float64(y) },
		} {
			t.Run(name+" "+kind, func(t *testing.T) {
				got, err := typed(t, fn, append(opts, Default("y", 1))...).Handler(long(t, n))
				if err != nil {
					t.Fatal(err)
				}
				checkLong(t, got, n)
			})
		}
	}
}

// checkLong holds the n rows of 2x + 1 against what long gives.
func checkLong(t *testing.T, got arrow.RecordBatch, n int) {
	t.Helper()
	out := got.Column(0).(*array.Float64)
	for i := range n {
		if na := i%10 == 9; out.IsNull(i) != na || !na && out.Value(i) != float64(2*i+1) {
			t.Fatalf("row %d is %v", i+1, out.ValueStr(i))
		}
	}
}

func TestElementwiseErrors(t *testing.T) {
	const n = 5 * blockRows
	failing := func(x float64) error {
		if int(x)%1000 == 500 { // row 501 is the first
			return fmt.Errorf("%v is bad: %w", x, io.EOF)
		}
		return nil
	}
	coded := func(x float64) (float64, error) {
		if x == 1 {
			return 0, &Error{Code: CodeNotFound, Message: "no such"}
		}
		return x, nil
	}
	for name, opts := range map[string][]FuncOption{"one goroutine": nil, "parallel": {Parallel()}} {
		t.Run(name, func(t *testing.T) {
			for _, fn := range []any{
				failing,
				func(x float64) (float64, error) { return x, failing(x) },
				func(x float64) (float64, float64, error) { return x, x, failing(x) },
			} {
				_, err := typed(t, fn, opts...).Handler(long(t, n))
				if err == nil || err.Error() != "row 501: 500 is bad: EOF" || !errors.Is(err, io.EOF) || CodeOf(err) != CodeHandler {
					t.Errorf("got %v (%s)", err, CodeOf(err))
				}
			}
			for i, fn := range []any{
				func(x, y float64) (float64, error) { return x, failing(x) },
				func(x, y, z float64) (float64, error) { return x, failing(x) },
			} {
				defaults := []FuncOption{Default("y", 1)}
				if i == 1 {
					defaults = append(defaults, Default("z", 1))
				}
				_, err := typed(t, fn, append(defaults, opts...)...).Handler(long(t, n))
				if err == nil || err.Error() != "row 501: 500 is bad: EOF" {
					t.Errorf("got %v", err)
				}
			}
			_, err := typed(t, coded, opts...).Handler(long(t, n))
			if err == nil || err.Error() != "row 2: no such" || CodeOf(err) != CodeNotFound {
				t.Errorf("got %v (%s)", err, CodeOf(err))
			}
		})
	}
}

// The rows of a Parallel function wait for each other here, so they must run
// at the same time.
func TestElementwiseParallelIsParallel(t *testing.T) {
	var inside sync.WaitGroup
	inside.Add(2)
	meet := func(x float64) float64 {
		inside.Done()
		inside.Wait()
		return x
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	got, _, err := resultOf(t, typed(t, meet, Parallel()), columns(t, arg{float64s, `[1, 2]`, "", ""}))
	if err != nil || got != `[1,2]` {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestElementwisePanics(t *testing.T) {
	boom := func(x float64) float64 {
		if x == 0 {
			panic(fmt.Errorf("boom: %w", io.EOF))
		}
		return x
	}
	_, err := typed(t, boom, Parallel()).Handler(long(t, 10*blockRows))
	var e *Error
	if !errors.As(err, &e) || e.Code != CodePanic || !errors.Is(err, io.EOF) || !strings.Contains(e.Stack, "TestElementwisePanics") {
		t.Errorf("got %v (%s)", err, CodeOf(err))
	}
}

// The second row fails before the first does.
func TestElementwiseReportsTheLowestRow(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	for name, fail := range map[string]func(x float64) error{
		"errors": func(x float64) error { return errors.New("bad") },
		"panics": func(x float64) error { panic("bad") },
	} {
		t.Run(name, func(t *testing.T) {
			second := make(chan struct{})
			fn := func(x float64) (float64, error) {
				switch x {
				case 0:
					<-second
				case 1:
					defer close(second)
				}
				return 0, fail(x)
			}
			_, err := typed(t, fn, Parallel()).Handler(long(t, 10*blockRows))
			var e *rowError
			if !errors.As(err, &e) || e.row != 0 {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestQueue(t *testing.T) {
	first, second := &piece{n: 10}, &piece{n: 3, first: 10}
	q := queue{piece: first}
	want := func(rows int, of *piece, from, to int) {
		t.Helper()
		if p, f, end := q.take(rows); p != of || f != from || end != to {
			t.Errorf("rows %d to %d of %p, want %d to %d of %p", f, end, p, from, to, of)
		}
	}
	want(1, first, 0, 1)
	want(4, first, 1, 5)
	want(2, first, 5, 7)
	q.fail(first, 1, io.EOF)
	want(1, nil, 0, 0)
	q.fail(first, 5, io.ErrUnexpectedEOF)
	q.fail(second, 0, io.ErrUnexpectedEOF)
	if q.err != io.EOF || q.failed != first {
		t.Errorf("got %v", q.err)
	}
	q.fail(first, 0, io.ErrNoProgress)
	if q.err != io.ErrNoProgress {
		t.Errorf("got %v", q.err)
	}
	first.taken = 0
	q = queue{piece: first}
	want(8, first, 0, 8)
	want(8, first, 8, 10)
	want(8, nil, 0, 0)

	first.taken = 0
	pieces := []*piece{first, second}
	q = queue{more: func() (p *piece, err error) {
		if len(pieces) > 0 {
			p, pieces = pieces[0], pieces[1:]
		}
		return p, nil
	}}
	want(8, first, 0, 8)
	want(8, first, 8, 10)
	want(8, second, 0, 3)
	want(8, nil, 0, 0)

	q = queue{more: func() (*piece, error) { return second, io.EOF }}
	want(8, nil, 0, 0)
	if q.err != io.EOF || q.failed != second {
		t.Errorf("got %v", q.err)
	}
}

func TestHasNaN(t *testing.T) {
	infinite := math.Inf(1)
	for n := range 40 {
		values := make([]float64, n)
		if hasNaN(values) {
			t.Errorf("%d zeros", n)
		}
		for i := range values {
			values[i] = math.NaN()
			if !hasNaN(values) {
				t.Errorf("%d values, the one at %d is NaN", n, i)
			}
			values[i], values[n-1-i] = infinite, -infinite
			if hasNaN(values) {
				t.Errorf("%d values, two of them infinite", n)
			}
			values[i], values[n-1-i] = 0, 0
		}
	}
}

func TestElementwiseStopsWithItsContext(t *testing.T) {
	for name, opts := range map[string][]FuncOption{"one goroutine": nil, "parallel": {Parallel()}} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var calls atomic.Int64
			f := typed(t, func(x float64) float64 {
				if calls.Add(1) == 1 {
					cancel()
				}
				<-ctx.Done()
				return x
			}, opts...)
			err := f.invoke(ctx, long(t, 100*blockRows), new(reply).take)
			if CodeOf(err) != CodeCancelled || !strings.Contains(err.Error(), "stopped before row") {
				t.Errorf("got %v (%s)", err, CodeOf(err))
			}
			most := 1
			if opts != nil {
				most = runtime.GOMAXPROCS(0)
			}
			if calls.Load() > int64(most) {
				t.Errorf("%d rows have run", calls.Load())
			}
		})
	}
}

// Slow rows run on for no more than one of them. The clock of a synctest bubble stands
// still while rows run, and jumps when all wait.
func TestElementwiseSlowRowsEndInTime(t *testing.T) {
	for name, opts := range map[string][]FuncOption{"one goroutine": nil, "parallel": {Parallel()}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 110*time.Millisecond)
				defer cancel()
				f := typed(t, func(x float64) float64 {
					<-time.After(20 * time.Millisecond)
					return x
				}, opts...)
				started := time.Now()
				err := f.invoke(ctx, long(t, 100*blockRows), new(reply).take)
				if CodeOf(err) != CodeTimeout {
					t.Errorf("got %v (%s)", err, CodeOf(err))
				}
				if took := time.Since(started); took != 120*time.Millisecond {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

func TestNextRows(t *testing.T) {
	for _, tt := range []struct {
		rows int
		took time.Duration
		want int
	}{
		{1, 0, 2},
		{64, blockTime / 2, 128},
		{1500, blockTime / 2, blockRows},
		{blockRows, 0, blockRows},
		{64, blockTime, 64},
		{64, 2 * blockTime, 32},
		{blockRows, time.Minute, 1},
		{1, time.Minute, 1},
	} {
		if got := nextRows(tt.rows, blockRows, tt.took); got != tt.want {
			t.Errorf("after %d rows in %v: %d, want %d", tt.rows, tt.took, got, tt.want)
		}
	}
}

func TestElementwiseContext(t *testing.T) {
	type key struct{}
	ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), key{}, "value"), time.Hour)
	defer cancel()
	f := typed(t, func(ctx context.Context, x string) (string, error) {
		if _, ok := ctx.Deadline(); !ok {
			return "", errors.New("no deadline")
		}
		return x + ctx.Value(key{}).(string), nil
	})
	err := f.invoke(ctx, columns(t, arg{texts, `["a "]`, "", ""}), func(_ context.Context, got returned) error {
		if s := got.record.Column(0).(*array.String).Value(0); s != "a value" {
			t.Errorf("got %q", s)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A function with the option Each has a list for a result, whatever its own results are.
func TestElementwiseEach(t *testing.T) {
	one := arg{float64s, `[1, null, 2]`, "", ""}
	number := func(x float64) arrow.Array {
		return fromJSON(t, memory.DefaultAllocator, float64s, fmt.Sprintf("[%v]", x))
	}
	tests := []struct {
		name string
		fn   any
		opts []FuncOption
		args []arg
		want string
	}{
		{"slices", func(x float64) []float64 { return make([]float64, int(x)) }, nil, []arg{one}, `[[[0],null,[0,0]]]`},
		{"maps", func(x float64) map[string]float64 { return map[string]float64{"a": x} }, nil, []arg{one}, `[[[{"key":"a","value":1}],null,[{"key":"a","value":2}]]]`},
		{"scalars", func(x float64) string { return fmt.Sprint(x) }, nil, []arg{one}, `["1"] [null] ["2"]`},
		{"structs", func(x float64) struct{ V []float64 } { return struct{ V []float64 }{[]float64{x}} }, nil, []arg{one}, `[{"V":[1]}] [null] [{"V":[2]}]`},
		{"any", func(x float64) any {
			if x == 1 {
				return "one"
			}
			return []float64{x}
		}, nil, []arg{one}, `["one"] [null] [[2]]`},
		{"Arrow", number, nil, []arg{one}, `[[1]] [null] [[2]]`},
		{"records", func(x float64) arrow.RecordBatch { return columnX(number(x)) }, nil, []arg{one}, `[[{"x":1}]] [null] [[{"x":2}]]`},
		{"several results", func(x float64) (float64, []string, error) { return x, nil, nil }, nil, []arg{one}, `[{"result1":1,"result2":[]}] [null] [{"result1":2,"result2":[]}]`},
		{"a named result", func(x float64) []float64 { return []float64{x} }, []FuncOption{Results("v")}, []arg{one}, `[{"v":[1]}] [null] [{"v":[2]}]`},
		{"pointers see NA", func(x *float64) []bool { return []bool{x == nil} }, nil, []arg{one}, `[[[false],[true],[false]]]`},
		{"contexts and structs", func(ctx context.Context, x person, y float64) []float64 { return []float64{float64(x.Age), y} }, nil, []arg{{people, `[{"name": "a", "age": 7}]`, "", ""}, one}, `[[[7,1],null,[7,2]]]`},
		{"parallel", func(x float64) []float64 { return []float64{x} }, []FuncOption{Parallel()}, []arg{one}, `[[[1],null,[2]]]`},
		{"no rows", func(x float64) any { panic("called") }, nil, []arg{{float64s, `[]`, "", ""}}, ``},
		{"no rows of slices", func(x float64) []float64 { panic("called") }, nil, []arg{{float64s, `[]`, "", ""}}, `[[]]`},
		{"nothing", func(x float64) error { return nil }, nil, []arg{one}, `[null,null,null]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, rec, err := resultOf(t, typed(t, tt.fn, append(tt.opts, Each())...), lists(t, tt.args...))
			if err != nil {
				t.Fatal(err)
			}
			if elements, ok := rec.Column(0).(*array.Struct); ok {
				got = columnsOf(t, elements)
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// columnsOf returns the fields of a struct as JSON: they have no names.
func columnsOf(t *testing.T, column *array.Struct) string {
	t.Helper()
	var texts []string
	for i := range column.NumField() {
		if name := column.DataType().(*arrow.StructType).Field(i).Name; name != "" {
			t.Errorf("element %d is called %s", i+1, name)
		}
		text, err := json.Marshal(column.Field(i))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	return strings.Join(texts, " ")
}

// A row that fails is told, whether the function fails or its result cannot be sent.
func TestElementwiseEachFails(t *testing.T) {
	for want, fn := range map[string]any{
		"row 2: two": func(x float64) ([]float64, error) {
			if x == 2 {
				return nil, errors.New("two")
			}
			return nil, nil
		},
		"row 2: field `S` of the result must be UTF-8": func(x float64) struct{ S []string } {
			if x == 2 {
				return struct{ S []string }{[]string{"\xff"}}
			}
			return struct{ S []string }{}
		},
		"row 2: the result cannot be sent to R: type uintptr": func(x float64) any {
			if x == 2 {
				return uintptr(1)
			}
			return fromJSON(t, memory.DefaultAllocator, float64s, `[1]`)
		},
		"row 2: boom": func(x float64) arrow.Array {
			if x == 2 {
				panic("boom")
			}
			return fromJSON(t, memory.DefaultAllocator, float64s, `[1]`)
		},
	} {
		_, err := typed(t, fn, Each()).Handler(columns(t, arg{float64s, `[1, 2]`, "", ""}))
		var row *rowError
		if !errors.As(err, &row) || row.row != 1 || row.values["x"] != 2.0 || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// What is in the row that failed is told, in the words of R.
func TestElementwiseErrorsShowTheirRow(t *testing.T) {
	type item struct {
		Name  string     `r:"name"`
		Age   *int32     `r:"age"`
		Other chan int   `r:"-"`
		Since *time.Time `r:"since"`
	}
	for _, tt := range []struct {
		fn   any
		arg  arg
		want string
	}{
		{func(x item) error { return io.EOF }, arg{people, `[{"name": "Ann", "age": 7}]`, "", ""}, `{"age":7,"name":"Ann","since":null}`},
		{func(x *item) error { return io.EOF }, arg{people, `[{"name": "Ann", "age": null}]`, "", ""}, `{"age":null,"name":"Ann","since":null}`},
		{func(x *item) error { return io.EOF }, arg{people, `[null]`, "", ""}, `null`},
		{func(x *float64) error { return io.EOF }, arg{float64s, `[2]`, "", ""}, `2`},
		{func(x *float64) error { return io.EOF }, arg{float64s, `[null]`, "", ""}, `null`},
	} {
		_, err := typed(t, tt.fn).Handler(columns(t, tt.arg))
		var row *rowError
		if !errors.As(err, &row) {
			t.Fatalf("got %v", err)
		}
		if got, err := json.Marshal(row.values["x"]); err != nil || string(got) != tt.want {
			t.Errorf("got %s, %v, want %s", got, err, tt.want)
		}
	}
}
