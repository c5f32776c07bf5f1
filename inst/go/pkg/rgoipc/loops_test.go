package rgoipc

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
)

// A Loop gives what the function gives, for all types, NA and recycling.
func TestLoop(t *testing.T) {
	one := arg{float64s, `[1, 2, null, 4, 5, 6]`, "", ""}
	two := arg{float64s, `[10, 20]`, "", ""}
	three := arg{float64s, `[100, null, 300]`, "", ""}
	four := arg{float64s, `[1000]`, "", ""}
	letters := arg{texts, `["a", null, "c"]`, "", ""}
	tests := []struct {
		name     string
		fn, loop any
		args     []arg
		want     string
	}{
		{"T", func(x float64) float64 { return -x }, func(n int, x, out []float64) {
			for i := range n {
				out[i] = -x[i]
			}
		}, []arg{one}, `[-1,-2,null,-4,-5,-6]`},
		{"T to U", func(x string) bool { return x == "a" }, func(n int, x []string, out []bool) {
			for i := range n {
				out[i] = x[i] == "a"
			}
		}, []arg{letters}, `[true,null,false]`},
		{"T T", func(x, y float64) float64 { return x + y }, func(n int, x, y, out []float64) {
			for i := range n {
				out[i] = x[i] + y[i]
			}
		}, []arg{one, two}, `[11,22,null,24,15,26]`},
		{"T T of one value", func(x, y float64) float64 { return x + y }, func(n int, x, y, out []float64) {
			for i := range n {
				out[i] = x[i] + y[i]
			}
		}, []arg{four, one}, `[1001,1002,null,1004,1005,1006]`},
		{"T T of one NA", func(x, y float64) float64 { return x + y }, func(int, []float64, []float64, []float64) {
			panic("called")
		}, []arg{{float64s, `[null]`, "", ""}, one}, `[null,null,null,null,null,null]`},
		{"T T T", func(x, y, z float64) float64 { return x + y + z }, func(n int, x, y, z, out []float64) {
			for i := range n {
				out[i] = x[i] + y[i] + z[i]
			}
		}, []arg{one, two, three}, `[111,null,null,124,null,326]`},
		{"T T T T", func(x, y, z, a float64) float64 { return x + y + z + a }, func(n int, x, y, z, a, out []float64) {
			for i := range n {
				out[i] = x[i] + y[i] + z[i] + a[i]
			}
		}, []arg{one, two, three, four}, `[1111,null,null,1124,null,1326]`},
		{"float32", func(x, y float32) float32 { return x + y }, func(n int, x, y, out []float32) {
			for i := range n {
				out[i] = x[i] + y[i]
			}
		}, []arg{one, two}, `[11,22,null,24,15,26]`},
		{"uint8", func(x uint8) uint8 { return x + 1 }, func(n int, x, out []uint8) {
			for i := range n {
				out[i] = x[i] + 1
			}
		}, []arg{one}, `[2,3,null,5,6,7]`},
		{"of types with names", func(x celsius, by string) celsius { return x }, func(n int, x []celsius, by []string, out []celsius) {
			for i := range n {
				out[i] = x[i] + celsius(len(by[i]))
			}
		}, []arg{one, letters}, `[2,null,null,5,null,7]`},
		{"of many results", func(x float64, by time.Duration) (a, b float64) { return }, func(n int, x []float64, by []time.Duration, a, b []float64) {
			for i := range n {
				a[i], b[i] = x[i], by[i].Seconds()
			}
		}, []arg{two, {arrow.FixedWidthTypes.Duration_s, `[2]`, "", ""}}, `[{"a":10,"b":2},{"a":20,"b":2}]`},
		{
			"no rows", func(x, y float64) float64 { return 0 }, func(int, []float64, []float64, []float64) { panic("called") },
			[]arg{one, {float64s, `[]`, "", ""}},
			`[]`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, opts := range [][]FuncOption{nil, {Parallel()}} {
				opts = append(opts, Loop(tt.loop))
				if tt.name == "of many results" {
					opts = append(opts, Results("a", "b"))
				}
				got, _, err := resultOf(t, typed(t, tt.fn, opts...), lists(t, tt.args...))
				if err != nil || got != tt.want {
					t.Errorf("got %s, %v; want %s", got, err, tt.want)
				}
			}
		})
	}
}

func TestLoopOfManyRows(t *testing.T) {
	const n = 3*blockRows + 7
	for name, opts := range map[string][]FuncOption{"one goroutine": nil, "parallel": {Parallel()}} {
		for kind, tt := range map[string]struct{ fn, loop any }{
			"typed": {func(x, y float64) float64 { return 2*x + y }, func(n int, x, y, out []float64) {
				for i := range n {
					out[i] = 2*x[i] + y[i]
				}
			}},
			"reflected": {func(x celsius, y int) float64 { return 0 }, func(n int, x []celsius, y []int, out []float64) {
				for i := range n {
					out[i] = 2*float64(x[i]) + float64(y[i])
				}
			}},
		} {
			t.Run(name+" "+kind, func(t *testing.T) {
				f := typed(t, tt.fn, append(slices.Clone(opts), Default("y", 1), Loop(tt.loop))...)
				got, err := f.Handler(long(t, n))
				if err != nil {
					t.Fatal(err)
				}
				checkLong(t, got, n)
			})
		}
	}
}

func TestLoopErrors(t *testing.T) {
	bad := func(x float64) error {
		if int(x)%1000 == 500 { // row 501 is the first
			return fmt.Errorf("%v is bad: %w", x, io.EOF)
		}
		return nil
	}
	fn1 := func(x float64) (float64, error) { return x, bad(x) }
	loop1 := func(n int, x, out []float64) (row int, err error) {
		for i := range n {
			if out[i], err = fn1(x[i]); err != nil {
				return i, err
			}
		}
		return n, nil
	}
	fn2 := func(x, y float64) (float64, error) { return x, bad(x) }
	loop2 := func(n int, x, y, out []float64) (row int, err error) { return loop1(n, x, out) }
	fn3 := func(x, y, z float64) (float64, error) { return x, bad(x) }
	loop3 := func(n int, x, y, z, out []float64) (row int, err error) { return loop1(n, x, out) }
	reflected := func(n int, x, a, b []float64) (row int, err error) { return loop1(n, x, a) }
	for name, opts := range map[string][]FuncOption{"one goroutine": nil, "parallel": {Parallel()}} {
		t.Run(name, func(t *testing.T) {
			for _, tt := range []struct {
				fn   any
				opts []FuncOption
			}{
				{fn1, []FuncOption{Loop(loop1)}},
				{fn2, []FuncOption{Loop(loop2), Default("y", 1)}},
				{fn3, []FuncOption{Loop(loop3), Default("y", 1), Default("z", 1)}},
				{func(x float64) (a, b float64, err error) { return }, []FuncOption{Loop(reflected)}},
			} {
				_, err := typed(t, tt.fn, append(tt.opts, opts...)...).Handler(long(t, 5*blockRows))
				if err == nil || err.Error() != "row 501: 500 is bad: EOF" || !errors.Is(err, io.EOF) {
					t.Errorf("got %v", err)
				}
			}
		})
	}
}

func TestLoopPanics(t *testing.T) {
	boom := func(x float64) float64 { panic("boom") }
	loop := func(n int, x, out []float64) {
		for i := range n {
			out[i] = boom(x[i])
		}
	}
	_, err := typed(t, boom, Parallel(), Loop(loop)).Handler(long(t, 10*blockRows))
	var e *Error
	if !errors.As(err, &e) || e.Code != CodePanic || !strings.Contains(e.Stack, "TestLoopPanics") {
		t.Errorf("got %v (%s)", err, CodeOf(err))
	}
}

func TestLoopRefuses(t *testing.T) {
	const only = "only an elementwise function with results, and without contexts, pointers and Null, can have a Loop"
	add := func(x, y float64) float64 { return x + y }
	fails := func(x float64) (float64, error) { return x, nil }
	none := (func(int, []float64, []float64, []float64))(nil)
	tests := []struct {
		name     string
		fn, loop any
		want     string
	}{
		{"no function", add, 1, "its Loop must be a func(int, []float64, []float64, []float64), not a int"},
		{"nil", add, none, "not a func(int, []float64, []float64, []float64)"},
		{"another type", add, func(int, []float64, []int, []float64) {}, "not a func(int, []float64, []int, []float64)"},
		{"an error too many", add, func(int, []float64, []float64, []float64) (int, error) { return 0, nil }, "its Loop must be"},
		{"no error", fails, func(int, []float64, []float64) {}, "must be a func(int, []float64, []float64) (int, error), not"},
		{"named types", func(x celsius) float64 { return 0 }, func(int, []float64, []float64) {}, "must be a func(int, []rgoipc.celsius, []float64)"},
		{"whole vectors", func(x []float64) float64 { return 0 }, func(int, [][]float64, []float64) {}, only},
		{"pointers", func(x *float64) float64 { return 0 }, func(int, []*float64, []float64) {}, only},
		{"no results", func(x float64) {}, func(int, []float64) {}, only},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := NewRegistry().Func("f", tt.fn, Loop(tt.loop))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}
