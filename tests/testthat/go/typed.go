// A server of typed functions for the tests of mangoro_call().
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"mangoro.local/pkg/rgoipc"
)

type person struct {
	Name string `r:"name"`
	Age  *int32 `r:"age"`
}

// nest has a field for each way in which types can be nested.
type nest struct {
	Values []float64          `r:"values"`
	Boss   person             `r:"boss"`
	Spare  *person            `r:"spare"`
	Since  *time.Time         `r:"since"`
	Shoes  map[string]float64 `r:"shoes"`
}

func (n nest) String() string {
	text := fmt.Sprintf("%v %s %v", n.Values, n.Boss.Name, n.Shoes)
	if n.Spare != nil {
		text += " spare " + n.Spare.Name
	}
	if n.Since != nil {
		text += " since " + n.Since.Format(time.DateOnly)
	}
	return text
}

// frame is a data frame, and columns are those of one without being one.
type frame struct {
	rgoipc.Frame
	X    []float64            `r:"x"`
	Name rgoipc.Nulls[string] `r:"name"`
	Day  []rgoipc.Date        `r:"day"`
}

type columns struct {
	X    []float64 `r:"x"`
	Name []string  `r:"name"`
}

// fit has a matrix among its fields, and one that may be missing.
type fit struct {
	Coef  []float64               `r:"coef"`
	Cov   rgoipc.Matrix[float64]  `r:"cov"`
	Other *rgoipc.Matrix[float64] `r:"other"`
	Data  frame                   `r:"data"`
}

func transposed(m rgoipc.Matrix[float64]) (t rgoipc.Matrix[float64], rows, cols int32) {
	t = rgoipc.NewMatrix[float64](m.Cols, m.Rows)
	for i := range m.Rows {
		for j := range m.Cols {
			t.Set(j, i, m.At(i, j))
		}
	}
	t.RowNames, t.ColNames = m.ColNames, m.RowNames
	return t, int32(m.Rows), int32(m.Cols)
}

func sum(x []float64) float64 {
	total := 0.0
	for _, value := range x {
		total += value
	}
	return total
}

// anyOf returns values of any type.
func anyOf(what string) (any, error) {
	age := int32(30)
	people := []person{{"Ann", &age}, {"Bob", nil}}
	values := map[string]any{
		"NULL": nil, "number": 1.5, "whole": age, "text": "a", "logical": true, "missing": rgoipc.Null[string]{},
		"vector": []float64{1, 2}, "texts": []*string{&what, nil}, "nothing": []int32{}, "list": [][]int32{{1}, {}},
		"bytes": []byte{1, 2}, "complex": 1i, "day": time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC), "span": time.Minute,
		"map": map[string]int32{"a": 1, "b": 2}, "person": people[0], "people": people, "channel": make(chan int),
	}
	value, ok := values[what]
	if !ok {
		return nil, fmt.Errorf("there is no %s", what)
	}
	return value, nil
}

// until waits for the end of a call and prints a line about it.
func until(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		fmt.Println("the call was given up:", rgoipc.CodeOf(ctx.Err()))
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// interrupt sends SIGINT to a process, and then waits like until.
func interrupt(ctx context.Context, pid int32) error {
	process, err := os.FindProcess(int(pid))
	if err != nil {
		return err
	}
	if err := process.Signal(os.Interrupt); err != nil {
		return err
	}
	return until(ctx, time.Hour)
}

// cell has fields of the number types that R does not have, and arrays.
type cell struct {
	A uint8
	B float32
	C [2]string
	D [2]byte
	E *uint16
	F level
}

type level int8

func same[T any](x T) T { return x }

func main() {
	registry := rgoipc.NewRegistry()
	for _, f := range []struct {
		name    string
		fn      any
		options []rgoipc.FuncOption
	}{
		{"add", func(x, y float64) float64 { return x + y }, nil},
		{"twice", func(x int32) int32 { return 2 * x }, nil},
		{"next", func(x int64) int64 { return x + 1 }, nil},
		{"int8", same[int8], nil},
		{"int16", same[int16], nil},
		{"uint8", same[uint8], nil},
		{"uint16", same[uint16], nil},
		{"uint32", same[uint32], nil},
		{"uint64", same[uint64], nil},
		{"uint", same[uint], nil},
		{"float32", same[float32], nil},
		{"complex64", same[complex64], nil},
		{"level", same[level], nil},
		{"brighter", func(x, y uint8) uint8 { return x + y }, nil},
		{"maybe_uint8", same[*uint8], nil},
		{"int8s", same[[]int8], nil},
		{"levels", same[[]level], nil},
		{"uint32s", same[[]uint32], nil},
		{"uint64s", same[[]uint64], nil},
		{"float32s", same[[]float32], nil},
		{"complex64s", same[[]complex64], nil},
		{"maybe_float32s", same[rgoipc.Nulls[float32]], nil},
		{"uint32_lists", same[[][]uint32], nil},
		{"uint32_map", same[map[string]uint32], nil},
		{"from_3", func(x uint8) int { return int(x) }, []rgoipc.FuncOption{rgoipc.Default("x", 3)}},
		{"largest", func() []uint64 { return []uint64{1, 1<<64 - 1} }, nil},
		{"triple", same[[3]float64], nil},
		{"maybe_triple", same[*[3]float64], nil},
		{"grid", same[[2][3]int], nil},
		{"id", same[[4]byte], nil},
		{"ids", same[[][4]byte], nil},
		{"pairs", same[map[string][2]string], nil},
		{"cells", same[[]cell], nil},
		{"not", func(x bool) bool { return !x }, nil},
		{"upper", strings.ToUpper, nil},
		{"reverse", func(x []byte) []byte { x = slices.Clone(x); slices.Reverse(x); return x }, nil},
		{"conjugate", func(x complex128) complex128 { return complex(real(x), -imag(x)) }, nil},
		{"turned", func(x []complex128) []complex128 { return x }, nil},
		{"tomorrow", func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }, nil},
		{"next_day", func(d rgoipc.Date) rgoipc.Date { return d + 1 }, nil},
		{"until_day", func(from, to rgoipc.Date) int32 { return int32(to - from) }, []rgoipc.FuncOption{rgoipc.Args("from", "to"), rgoipc.Default("to", rgoipc.NewDate(2024, 2, 29))}},
		{"later", func(t time.Time, by time.Duration) time.Time { return t.Add(by) }, []rgoipc.FuncOption{rgoipc.Args("t", "by"), rgoipc.Default("by", time.Hour)}},
		{"days", func(x []rgoipc.Date) []rgoipc.Date { return x }, nil},
		{"some_days", func(x rgoipc.Nulls[rgoipc.Date]) rgoipc.Nulls[rgoipc.Date] { return x }, nil},
		{"lists_of_days", func(x [][]rgoipc.Date) [][]rgoipc.Date { return x }, nil},
		{"named_days", func(x map[string]rgoipc.Date) map[string]rgoipc.Date { return x }, nil},
		{"matrix", func(x rgoipc.Matrix[float64]) rgoipc.Matrix[float64] { return x }, nil},
		{"matrix_or_null", func(x *rgoipc.Matrix[float64]) *rgoipc.Matrix[float64] { return x }, []rgoipc.FuncOption{rgoipc.Optional("x")}},
		{"matrix_int", func(x rgoipc.Matrix[int32]) rgoipc.Matrix[int32] { return x }, nil},
		{"matrix_string", func(x rgoipc.Matrix[string]) rgoipc.Matrix[string] { return x }, nil},
		{"matrix_bool", func(x rgoipc.Matrix[rgoipc.Null[bool]]) rgoipc.Matrix[rgoipc.Null[bool]] { return x }, nil},
		{"matrix_complex", func(x rgoipc.Matrix[complex128]) rgoipc.Matrix[complex128] { return x }, nil},
		{"matrix_time", func(x rgoipc.Matrix[time.Time]) rgoipc.Matrix[time.Time] { return x }, nil},
		{"matrix_day", func(x rgoipc.Matrix[rgoipc.Date]) rgoipc.Matrix[rgoipc.Date] { return x }, nil},
		{"transposed", transposed, []rgoipc.FuncOption{rgoipc.Results("t", "rows", "cols")}},
		{"no_matrix", func(x []float64) rgoipc.Matrix[float64] { return rgoipc.Matrix[float64]{Rows: 2, Cols: 2, Data: x} }, nil},
		{"fit", func(x fit) fit { return x }, nil},
		{"frame", func(x frame) frame { return x }, nil},
		{"frames", func(x []frame) []frame { return x }, nil},
		{"uneven", func(x []float64) frame { return frame{X: x} }, nil},
		{"columns", func(x columns) columns { return x }, nil},
		{"half", func(d time.Duration) time.Duration { return d / 2 }, nil},
		{"is_na", func(x *float64) bool { return x == nil }, nil},
		{"divmod", func(x, y int32) (int32, int32, error) {
			if y == 0 {
				return 0, 0, errors.New("division by zero")
			}
			return x / y, x % y, nil
		}, []rgoipc.FuncOption{rgoipc.Results("quotient", "remainder")}},
		{"sum", sum, nil},
		{"sorted", func(x []string) []string { x = slices.Clone(x); slices.Sort(x); return x }, nil},
		{"scaled", func(x []float64, by float64) []float64 {
			for i := range x {
				x[i] *= by
			}
			return x
		}, []rgoipc.FuncOption{rgoipc.Args("x", "by"), rgoipc.Default("by", 10)}},
		{"older", func(p []person, by int32) []person {
			for i := range p {
				if p[i].Age != nil {
					*p[i].Age += by
				}
			}
			return p
		}, []rgoipc.FuncOption{rgoipc.Args("people", "by")}},
		{"greet", func(p person) string { return "Hello " + p.Name }, []rgoipc.FuncOption{rgoipc.Args("who")}},
		{"total", func(m map[string]float64) float64 {
			total := 0.0
			for _, value := range m {
				total += value
			}
			return total
		}, nil},
		{"count", func(x []string) map[string]int32 {
			counts := make(map[string]int32)
			for _, s := range x {
				counts[s]++
			}
			return counts
		}, nil},
		{"arrow_type", func(x arrow.Array) string { return x.DataType().String() }, nil},
		{"any", anyOf, []rgoipc.FuncOption{rgoipc.Args("what")}},
		{"same", func(x arrow.Array) arrow.Array { x.Retain(); return x }, nil},
		{"repeat", func(s string, times *int32) string {
			if times == nil {
				return "as often as you like"
			}
			return strings.Repeat(s, int(*times))
		}, []rgoipc.FuncOption{rgoipc.Args("s", "times"), rgoipc.Optional("times"), rgoipc.Describe("Repeat a string")}},
		{"until", until, nil},
		{"interrupt", interrupt, nil},
		{"nothing", func() {}, nil},
		{"refuse", func(why string) error { return errors.New(why) }, nil},
		{"means", func(x [][]float64) []float64 {
			means := make([]float64, len(x))
			for i, group := range x {
				means[i] = sum(group) / float64(len(group))
			}
			return means
		}, nil},
		{"lengths", func(x [][]int) []int32 {
			lengths := make([]int32, len(x))
			for i := range x {
				lengths[i] = int32(len(x[i]))
			}
			return lengths
		}, nil},
		{"joined", func(x [][][]byte) []string {
			joined := make([]string, len(x))
			for i := range x {
				joined[i] = string(slices.Concat(x[i]...))
			}
			return joined
		}, nil},
		{"bytes", func(x [][]byte) string { return string(slices.Concat(x...)) }, nil},
		{"first", func(x [][]time.Time) []time.Time {
			first := make([]time.Time, len(x))
			for i := range x {
				first[i] = x[i][0]
			}
			return first
		}, nil},
		{"crowds", func(x [][]person) []int32 {
			crowds := make([]int32, len(x))
			for i := range x {
				crowds[i] = int32(len(x[i]))
			}
			return crowds
		}, nil},
		{"longest", func(x map[string]time.Duration) time.Duration { return slices.Max(slices.Collect(maps.Values(x))) }, nil},
		{"nest", nest.String, nil},
		{"nests", func(x []nest) []string {
			texts := make([]string, len(x))
			for i := range x {
				texts[i] = x[i].String()
			}
			return texts
		}, nil},
		{"maps", func(x map[string]map[string]float64) string { return fmt.Sprint(x) }, nil},
		{"people", func(x map[string]person) string {
			var names []string
			for key, p := range x {
				names = append(names, key+" "+p.Name)
			}
			slices.Sort(names)
			return strings.Join(names, ", ")
		}, nil},
		{"rows", func(x []map[string]float64) string { return fmt.Sprint(x) }, nil},
		{"perhaps", func(x *person) bool { return x != nil }, nil},
		{"ages", func(groups map[string][]int32) []string {
			var names []string
			for name := range groups {
				names = append(names, name)
			}
			slices.Sort(names)
			return names
		}, nil},
	} {
		if err := registry.Func(f.name, f.fn, f.options...); err != nil {
			log.Fatal(err)
		}
	}
	rgoipc.Main(registry)
}
