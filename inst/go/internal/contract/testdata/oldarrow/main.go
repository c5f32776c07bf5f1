// A server whose handlers are written against Arrow's import path of old: its
// records are those of rgoipc.
package main

import (
	"log"

	"github.com/apache/arrow/go/v18/arrow"
	"github.com/apache/arrow/go/v18/arrow/array"
	"github.com/apache/arrow/go/v18/arrow/memory"
	"mangoro.local/pkg/rgoipc"
)

func double(input arrow.RecordBatch) (arrow.RecordBatch, error) {
	x := input.Column(0).(*array.Float64)
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	defer b.Release()
	for i := 0; i < x.Len(); i++ {
		b.Append(2 * x.Value(i))
	}
	schema := arrow.NewSchema([]arrow.Field{{Name: "result", Type: arrow.PrimitiveTypes.Float64}}, nil)
	return array.NewRecord(schema, []arrow.Array{b.NewArray()}, input.NumRows()), nil
}

func main() {
	registry := rgoipc.NewRegistry()
	err := registry.Register("double", double, rgoipc.FunctionSignature{
		Args:       []rgoipc.ArgSpec{{Name: "x", Type: rgoipc.TypeSpec{Type: rgoipc.TypeFloat64}}},
		ReturnType: rgoipc.TypeSpec{Type: rgoipc.TypeFloat64},
		Vectorized: true,
	})
	if err != nil {
		log.Fatal(err)
	}
	rgoipc.Main(registry)
}
