package rgoipc_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"math"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"mangoro.local/pkg/rgoipc"
)

// argument is a column of a call: its rows as JSON.
type argument struct {
	name     string
	dataType arrow.DataType
	rows     string
}

var (
	numbers = arrow.PrimitiveTypes.Float64
	texts   = arrow.BinaryTypes.String
)

// call does what a server does when R calls, and prints the result's rows.
func call(registry *rgoipc.Registry, name string, arguments ...argument) {
	var fields []arrow.Field
	var columns []arrow.Array
	rows := 0
	for _, a := range arguments {
		column, _, err := array.FromJSON(memory.DefaultAllocator, a.dataType, strings.NewReader(a.rows))
		if err != nil {
			log.Fatal(err)
		}
		fields = append(fields, arrow.Field{Name: a.name, Type: a.dataType, Nullable: true})
		columns, rows = append(columns, column), column.Len()
	}
	fn, _ := registry.Get(name)
	result, err := fn.Handler(array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, int64(rows)))
	if err != nil {
		fmt.Printf("%s: %v\n", rgoipc.CodeOf(err), err)
		return
	}
	defer result.Release()
	text, err := json.Marshal(result.Column(0))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(text))
}

// A function of scalars runs elementwise. NA gives NA.
func ExampleRegistry_Func() {
	registry := rgoipc.NewRegistry()
	err := registry.Func("add", func(x, y float64) float64 { return x + y })
	if err != nil {
		log.Fatal(err)
	}
	call(registry, "add", argument{"x", numbers, `[1, null, 3]`}, argument{"y", numbers, `[10, 20, 30]`})
	// Output: [11,null,33]
}

// Options name the arguments, make them optional and describe the function.
func ExampleRegistry_Func_options() {
	registry := rgoipc.NewRegistry()
	err := registry.Func("round", func(value float64, digits int) float64 {
		scale := math.Pow10(digits)
		return math.Round(value*scale) / scale
	},
		rgoipc.Args("value", "digits"),
		rgoipc.Default("digits", 0),
		rgoipc.Parallel(),
		rgoipc.Describe("Rounds half away from zero"),
	)
	if err != nil {
		log.Fatal(err)
	}
	call(registry, "round", argument{"value", numbers, `[2.5, -2.5, 3.14]`})
	call(registry, "round", argument{"value", numbers, `[3.14159]`}, argument{"digits", numbers, `[2]`})
	call(registry, "round", argument{"value", numbers, `[3.14159]`}, argument{"digits", numbers, `[0.5]`})
	// Output:
	// [3,-3,3]
	// [3.14]
	// invalid_argument: argument `digits` must be whole numbers from -9223372036854775808 to 9223372036854775807, but it is 0.5
}

// A slice is a whole vector, and several results are a named list.
func ExampleRegistry_Func_vectors() {
	registry := rgoipc.NewRegistry()
	err := registry.Func("limits", func(x []float64) (low, high float64, err error) {
		if len(x) == 0 {
			return 0, 0, errors.New("there are no limits of nothing")
		}
		return slices.Min(x), slices.Max(x), nil
	}, rgoipc.Results("low", "high"))
	if err != nil {
		log.Fatal(err)
	}
	vector := arrow.ListOf(numbers)
	call(registry, "limits", argument{"x", vector, `[[3, 1, 2]]`})
	call(registry, "limits", argument{"x", vector, `[[]]`})
	// Output:
	// [{"high":3,"low":1}]
	// handler: there are no limits of nothing
}

// A slice of structs is a data frame.
func ExampleRegistry_Func_dataFrame() {
	type person struct {
		Name string   `r:"name"`
		Age  *float64 `r:"age"` // nil is NA
	}
	registry := rgoipc.NewRegistry()
	err := registry.Func("older", func(people []person) []person {
		for _, p := range people {
			if p.Age != nil {
				*p.Age++
			}
		}
		return people
	}, rgoipc.Args("people"))
	if err != nil {
		log.Fatal(err)
	}
	frame := arrow.ListOf(arrow.StructOf(
		arrow.Field{Name: "name", Type: texts, Nullable: true},
		arrow.Field{Name: "age", Type: numbers, Nullable: true},
	))
	call(registry, "older", argument{"people", frame, `[[{"name": "Ann", "age": 30}, {"name": "Bob", "age": null}]]`})
	// Output: [[{"age":31,"name":"Ann"},{"age":null,"name":"Bob"}]]
}

// A context comes first. It ends when the server stops or the caller's time is
// over.
func ExampleRegistry_Func_context() {
	registry := rgoipc.NewRegistry()
	err := registry.Func("search", func(ctx context.Context, words []string) (int, error) {
		found := 0
		for _, word := range words {
			if err := ctx.Err(); err != nil {
				return 0, err
			}
			if strings.Contains(word, "go") {
				found++
			}
		}
		return found, nil
	}, rgoipc.Args("words"))
	if err != nil {
		log.Fatal(err)
	}
	call(registry, "search", argument{"words", arrow.ListOf(texts), `[["mango", "R", "gopher"]]`})
	// Output: [2]
}

// A Null shows the function NA, and returns it.
func ExampleNull() {
	registry := rgoipc.NewRegistry()
	err := registry.Func("orElse", func(x rgoipc.Null[string], other string) rgoipc.Null[string] {
		if x.Valid {
			return x
		}
		return rgoipc.NewNull(other)
	}, rgoipc.Args("x", "other"))
	if err != nil {
		log.Fatal(err)
	}
	call(registry, "orElse", argument{"x", texts, `["a", null]`}, argument{"other", texts, `["b", "b"]`})
	// Output: ["a","b"]
}

// A Nulls is a whole vector that may have NA in it.
func ExampleNulls() {
	registry := rgoipc.NewRegistry()
	err := registry.Func("countNA", func(x rgoipc.Nulls[string]) int {
		missing := 0
		for i := range x.Len() {
			if x.IsNA(i) {
				missing++
			}
		}
		return missing
	})
	if err != nil {
		log.Fatal(err)
	}
	call(registry, "countNA", argument{"x", arrow.ListOf(texts), `[["a", null, null]]`})
	// Output: [2]
}
