// Command rpc-example is a server to learn from: four functions on Arrow
// records, from the simplest to a nested one. Its argument is the URL to
// listen at.
package main

import (
	"errors"
	"fmt"
	"log"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"mangoro.local/pkg/rgoipc"
)

func main() {
	registry, err := newRegistry()
	if err != nil {
		log.Fatal(err)
	}
	rgoipc.Main(registry)
}

func newRegistry() (*rgoipc.Registry, error) {
	number := rgoipc.TypeSpec{Type: rgoipc.TypeFloat64, Nullable: true}
	text := rgoipc.TypeSpec{Type: rgoipc.TypeString, Nullable: true}
	person := rgoipc.TypeSpec{Type: rgoipc.TypeStruct, StructDef: &rgoipc.StructDef{Fields: []rgoipc.FieldDef{
		{Name: "name", Type: rgoipc.TypeSpec{Type: rgoipc.TypeString}},
		{Name: "age", Type: rgoipc.TypeSpec{Type: rgoipc.TypeInt32}},
	}}}
	registry := rgoipc.NewRegistry()
	return registry, errors.Join(
		registry.Register("add", add, rgoipc.FunctionSignature{
			Args:       []rgoipc.ArgSpec{{Name: "x", Type: number}, {Name: "y", Type: number}},
			ReturnType: number,
			Vectorized: true,
			Metadata:   map[string]string{"description": "Add two numeric vectors"},
		}),
		registry.Register("echoString", echo, rgoipc.FunctionSignature{
			Args:       []rgoipc.ArgSpec{{Name: "s", Type: text}},
			ReturnType: text,
			Vectorized: true,
			Metadata:   map[string]string{"description": "Echo back a string vector"},
		}),
		registry.Register("transposeMatrix", transpose, rgoipc.FunctionSignature{
			ReturnType: rgoipc.TypeSpec{Type: rgoipc.TypeStruct, StructDef: &rgoipc.StructDef{}},
			Metadata:   map[string]string{"description": "Transpose a matrix (columns <-> rows)"},
		}),
		registry.Register("echoStruct", echoAsIs, rgoipc.FunctionSignature{
			Args:       []rgoipc.ArgSpec{{Name: "person", Type: person}},
			ReturnType: person,
			Vectorized: true,
			Metadata:   map[string]string{"description": "Echo back a struct column (nested data)"},
		}),
	)
}

// add returns the sums of two columns; where either is missing, so is the sum.
// The server has checked the columns against the signature.
func add(rec arrow.RecordBatch) (arrow.RecordBatch, error) {
	x, y := rec.Column(0).(*array.Float64), rec.Column(1).(*array.Float64)
	sums := array.NewFloat64Builder(memory.DefaultAllocator)
	defer sums.Release()
	sums.Reserve(x.Len())
	for i := range x.Len() {
		if x.IsNull(i) || y.IsNull(i) {
			sums.AppendNull()
		} else {
			sums.Append(x.Value(i) + y.Value(i))
		}
	}
	column := sums.NewFloat64Array()
	defer column.Release()
	return result(column), nil
}

// echo returns its column.
func echo(rec arrow.RecordBatch) (arrow.RecordBatch, error) {
	return result(rec.Column(0)), nil
}

// echoAsIs returns its record, name of the column and all.
func echoAsIs(rec arrow.RecordBatch) (arrow.RecordBatch, error) {
	rec.Retain()
	return rec, nil
}

// transpose returns the rows of a record of numbers as columns V1, V2, ...
func transpose(rec arrow.RecordBatch) (arrow.RecordBatch, error) {
	columns := make([]*array.Float64, rec.NumCols())
	for i := range columns {
		column, ok := rec.Column(i).(*array.Float64)
		if !ok {
			return nil, &rgoipc.Error{
				Code:    rgoipc.CodeInvalidArgument,
				Message: fmt.Sprintf("column `%s` must be float64, not %s", rec.ColumnName(i), rec.Column(i).DataType()),
			}
		}
		columns[i] = column
	}
	fields := make([]arrow.Field, rec.NumRows())
	rows := make([]arrow.Array, rec.NumRows())
	for i := range rows {
		fields[i] = arrow.Field{Name: fmt.Sprintf("V%d", i+1), Type: arrow.PrimitiveTypes.Float64, Nullable: true}
		rows[i] = row(columns, i)
		defer rows[i].Release()
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), rows, rec.NumCols()), nil
}

// row returns the values of all columns at i.
func row(columns []*array.Float64, i int) arrow.Array {
	values := array.NewFloat64Builder(memory.DefaultAllocator)
	defer values.Release()
	for _, column := range columns {
		if column.IsNull(i) {
			values.AppendNull()
		} else {
			values.Append(column.Value(i))
		}
	}
	return values.NewArray()
}

// result returns a record of the one column "result".
func result(column arrow.Array) arrow.RecordBatch {
	field := arrow.Field{Name: "result", Type: column.DataType(), Nullable: true}
	return array.NewRecordBatch(arrow.NewSchema([]arrow.Field{field}, nil), []arrow.Array{column}, int64(column.Len()))
}
