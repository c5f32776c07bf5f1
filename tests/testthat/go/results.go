// A server whose functions make results of every type, n values each.
package main

import (
	"context"
	"errors"
	"log"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"mangoro.local/pkg/rgoipc"
)

// kept are the strings that a call has left here.
var kept []string

type columns struct {
	rgoipc.Frame
	Int   []int32
	Dbl   []*float64
	Chr   []*string
	Day   []rgoipc.Date
	Logic []*bool
}

// values calls f for each of n values.
func values[T any](f func(i int) T) func(n int) []T {
	return func(n int) []T {
		x := make([]T, n)
		for i := range x {
			x[i] = f(i)
		}
		return x
	}
}

// some returns a function whose every seventh value is missing.
func some[T any](f func(i int) T) func(n int) []*T {
	return values(func(i int) *T {
		if i%7 == 3 {
			return nil
		}
		v := f(i)
		return &v
	})
}

func double(i int) float64   { return float64((i*7919)%10007) / 8 }
func integer(i int) int32    { return int32((i * 7919) % 10007) }
func logical(i int) bool     { return i%3 == 0 }
func text(i int) string      { return "value " + strconv.Itoa((i*7919)%10007) }
func long(i int) int64       { return int64(i) + 1<<60 }
func day(i int) rgoipc.Date  { return rgoipc.DateOf(time.Unix(86400*int64(i%20000), 0).UTC()) }
func moment(i int) time.Time { return time.Unix(int64(i)*977, 0).UTC() }

func frame(n int) columns {
	return columns{
		Int: values(integer)(n), Dbl: some(double)(n), Chr: some(text)(n), Day: values(day)(n), Logic: some(logical)(n),
	}
}

func main() {
	registry := rgoipc.NewRegistry()
	add := func(x, y float64) float64 { return x + y }
	errs := []error{registry.Func("add_parallel", add, rgoipc.Parallel())}
	for name, fn := range map[string]any{
		"add":       add,
		"add_ints":  func(x, y int32) int32 { return x + y },
		"not":       func(x bool) bool { return !x },
		"sum":       sum,
		"keep":      func(x []string) int { kept = x; return len(x) },
		"kept":      func() []string { return kept },
		"texts":     func(x []string) []string { return x },
		"frames":    func(x columns) columns { return x },
		"same":      func(x []float64) []float64 { return x },
		"array":     func(x arrow.Array) arrow.Array { x.Retain(); return x },
		"batch":     func(x arrow.RecordBatch) arrow.RecordBatch { x.Retain(); return x },
		"doubles":   values(double),
		"doubles_":  some(double),
		"ints":      values(integer),
		"ints_":     some(integer),
		"logicals":  values(logical),
		"logicals_": some(logical),
		"strings":   values(text),
		"strings_":  some(text),
		"int64s":    values(long),
		"int64s_":   some(long),
		"raw":       values(func(i int) byte { return byte(i) }),
		"complexes": values(func(i int) complex128 { return complex(double(i), -1) }),
		"dates":     values(day),
		"times":     values(moment),
		"durations": values(func(i int) time.Duration { return time.Duration(i) * time.Second }),
		"lists":     values(func(i int) []float64 { return values(double)(i % 3) }),
		"matrix": func(n int) rgoipc.Matrix[float64] {
			return rgoipc.Matrix[float64]{Data: values(double)(2 * n), Rows: n, Cols: 2}
		},
		"frame": frame,
		"hang":  func(ctx context.Context, x []float64) []float64 { <-ctx.Done(); return x },
	} {
		errs = append(errs, registry.Func(name, fn))
	}
	if err := errors.Join(errs...); err != nil {
		log.Fatal(err)
	}
	rgoipc.Main(registry)
}

func sum(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v
	}
	return sum
}
