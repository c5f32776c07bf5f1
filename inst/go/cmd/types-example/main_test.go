package main

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"mangoro.local/pkg/rgoipc"
)

// Each function, called as R calls it: scalars as columns, all else as one row
// of lists.
func TestFunctions(t *testing.T) {
	registry, err := newRegistry()
	if err != nil {
		t.Fatal(err)
	}
	p, list := &arrow.PrimitiveTypes, arrow.ListOf
	numbers, text := arrow.DataType(p.Float64), arrow.DataType(arrow.BinaryTypes.String)
	people := list(arrow.StructOf(
		arrow.Field{Name: "name", Type: text, Nullable: true}, arrow.Field{Name: "age", Type: p.Int32, Nullable: true},
	))
	points := arrow.StructOf(arrow.Field{Name: "x", Type: numbers, Nullable: true}, arrow.Field{Name: "y", Type: numbers, Nullable: true})
	file := filepath.Join(t.TempDir(), "lines.txt")
	if err := os.WriteFile(file, []byte("one\ntwo\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		types []arrow.DataType
		rows  []string
		want  string
	}{
		{"hypot", []arrow.DataType{numbers, numbers}, []string{`[3, null]`, `[4, 1]`}, `[5,null]`},
		{"isPrime", []arrow.DataType{numbers}, []string{`[1, 2, 91, 97, null]`}, `[false,true,false,true,null]`},
		{"reverse", []arrow.DataType{text}, []string{`["abc", null]`}, `["cba",null]`},
		{"weekday", []arrow.DataType{p.Date32}, []string{`["2024-02-29", null]`}, `["Thursday",null]`},
		{"easter", []arrow.DataType{numbers}, []string{`[2024, 2025, null]`}, `["2024-03-31","2025-04-20",null]`},
		{"multiply", []arrow.DataType{list(numbers), list(numbers)}, []string{`[[2]]`, `[[3]]`}, `[[6]]`},
		{"multiply", []arrow.DataType{list(numbers), list(numbers)}, []string{`[[2]]`, `[[3, 4]]`}, `a 1 x 1 matrix cannot be multiplied by a 2 x 1 one`},
		{"histogram", []arrow.DataType{list(numbers)}, []string{`[[0.5, 2, 0.1]]`}, `[[{"count":2,"from":0},{"count":1,"from":2}]]`},
		{"later", []arrow.DataType{arrow.FixedWidthTypes.Timestamp_s}, []string{`["2024-02-29T23:30:00Z"]`}, `["2024-03-01T00:30:00Z"]`},
		{"sha256", []arrow.DataType{arrow.BinaryTypes.Binary}, []string{`[""]`}, `["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]`},
		{"polar", []arrow.DataType{arrow.FixedSizeListOf(2, numbers)}, []string{`[[-2, 0], null]`}, `[{"angle":3.141592653589793,"radius":2},{"angle":null,"radius":null}]`},
		{"root", []arrow.DataType{numbers}, []string{`[4, -1]`}, `row 2: -1 has no square root`},
		{"brighten", []arrow.DataType{p.Int32}, []string{`[0, 250, null]`}, `[16,255,null]`},
		{"brighten", []arrow.DataType{p.Int32}, []string{`[0, 256]`}, `argument ` + "`level`" + ` must be whole numbers from 0 to 255, but row 2 is 256`},
		{"halve", []arrow.DataType{numbers}, []string{`[1, null]`}, `[0.5,null]`},
		{"rotate", []arrow.DataType{list(numbers), list(numbers)}, []string{`[[1, 2]]`, `[[0]]`}, `[[1,2]]`},
		{"rotate", []arrow.DataType{list(numbers), list(numbers)}, []string{`[[1, 2, 3]]`, `[[0]]`}, `argument ` + "`point`" + ` must have length 2, not 3`},
		{"address", []arrow.DataType{list(p.Uint8)}, []string{`[[127, 0, 0, 1]]`}, `["127.0.0.1"]`},
		{"distance", []arrow.DataType{points, points}, []string{`[{"x": 0, "y": 0}, {"x": null, "y": 0}]`, `[{"x": 3, "y": 4}, {"x": 0, "y": 0}]`}, `[5,null]`},
		{"coalesce", []arrow.DataType{numbers, numbers}, []string{`[1, null]`, `[2, 2]`}, `[1,2]`},
		{"clamp", []arrow.DataType{numbers, numbers}, []string{`[1, 5]`, `[2, null]`}, `[2,5]`},
		{"cumulate", []arrow.DataType{list(numbers)}, []string{`[[1, 2, 3]]`}, `[[1,3,6]]`},
		{"countNA", []arrow.DataType{list(text)}, []string{`[["a", null]]`}, `[1]`},
		{"summarize", []arrow.DataType{list(numbers)}, []string{`[[1, 2, 3]]`}, `[{"mean":2,"n":3,"sd":1}]`},
		{"summarize", []arrow.DataType{list(numbers)}, []string{`[[1]]`}, `it takes two numbers to have a standard deviation`},
		{"greet", []arrow.DataType{people}, []string{`[[{"name": "Ann", "age": 30}]]`}, `["Hello Ann, 30 years old"]`},
		{"adults", []arrow.DataType{people}, []string{`[[{"name": "Ann", "age": 30}, {"name": "Bob", "age": 7}, {"name": "Cy"}]]`}, `[[{"age":30,"name":"Ann"}]]`},
		{"total", []arrow.DataType{arrow.MapOf(text, numbers)}, []string{`[[{"key": "a", "value": 1}, {"key": "b", "value": 2}]]`}, `[3]`},
		{"countWords", []arrow.DataType{text}, []string{`["to be, or not to be"]`}, `[[{"key":"be","value":2},{"key":"not","value":1},{"key":"or","value":1},{"key":"to","value":2}]]`},
		{"words", []arrow.DataType{text}, []string{`["to be", null]`}, `[[["to","be"],null]]`},
		{"join", []arrow.DataType{list(text), list(text)}, []string{`[["-"]]`, `[["a", "b"]]`}, `["a-b"]`},
		{"readLines", []arrow.DataType{text}, []string{"[" + strconv.Quote(file) + "]"}, `[["one","two"]]`},
		{"parse", []arrow.DataType{text}, []string{`["true"]`}, `[true]`},
		{"parse", []arrow.DataType{text}, []string{`["2.5"]`}, `[2.5]`},
		{"parse", []arrow.DataType{text}, []string{`["two"]`}, `["two"]`},
		{"describe", []arrow.DataType{arrow.Null}, []string{`[null]`}, `["omR0eXBlZTxuaWw+ZXZhbHVl9g=="]`},
		{"factorial", []arrow.DataType{numbers}, []string{`[25, null]`}, `["15511210043330985984000000",null]`},
		{"tabulate", []arrow.DataType{list(numbers)}, []string{`[[10, 9, 10]]`}, `[[{"key":"9","value":1},{"key":"10","value":2}]]`},
		{"arrowType", []arrow.DataType{list(p.Int32)}, []string{`[[1]]`}, `["int32"]`},
		{"head", []arrow.DataType{people, list(numbers)}, []string{`[[{"name": "Ann"}, {"name": "Bob"}]]`, `[[1]]`}, `[[{"age":null,"name":"Ann"}]]`},
		{"countRows", []arrow.DataType{people}, []string{`[[{}, {}], [{}]]`}, `[{"result1":3,"result2":2}]`},
		{"sleep", []arrow.DataType{arrow.FixedWidthTypes.Duration_ns}, []string{`["1ns"]`}, `[null]`},
	}
	called := map[string]bool{}
	for _, tt := range tests {
		called[tt.name] = true
		t.Run(tt.name, func(t *testing.T) {
			if got := call(t, registry, tt.name, tt.types, tt.rows); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	if missing := slices.DeleteFunc(registry.List(), func(name string) bool { return called[name] }); len(missing) > 0 {
		t.Errorf("no test calls %v", missing)
	}
}

// call returns the result as JSON, or the text of the error.
func call(t *testing.T, registry *rgoipc.Registry, name string, types []arrow.DataType, rows []string) string {
	t.Helper()
	fn, ok := registry.Get(name)
	if !ok {
		t.Fatalf("there is no function %q", name)
	}
	var fields []arrow.Field
	var columns []arrow.Array
	for i, dataType := range types {
		column, _, err := array.FromJSON(memory.DefaultAllocator, dataType, strings.NewReader(rows[i]))
		if err != nil {
			t.Fatal(err)
		}
		fields = append(fields, arrow.Field{Name: fn.Signature.Args[i].Name, Type: dataType, Nullable: true})
		columns = append(columns, column)
	}
	rec := array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, int64(columns[0].Len()))
	result, err := fn.Handler(rec)
	if err != nil {
		return err.Error()
	}
	text, err := json.Marshal(result.Column(0))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestSleepIsWokenUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := sleep(ctx, time.Duration(math.MaxInt64)); rgoipc.CodeOf(err) != rgoipc.CodeCancelled {
		t.Errorf("sleep() = %v", err)
	}
}
