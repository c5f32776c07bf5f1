// A server that returns its arguments unchanged: as Arrow, and as slices of Go types.
package main

import (
	"log"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"mangoro.local/pkg/rgoipc"
)

type point struct {
	X      float64
	Labels map[string]float64
	Lists  map[string][]string
	Times  map[string]time.Time
}

func same[T any](x T) T { return x }

func retained(rec arrow.Record) (arrow.Record, error) {
	rec.Retain()
	return rec, nil
}

func main() {
	registry := rgoipc.NewRegistry()
	for name, fn := range map[string]any{
		"array":     func(x arrow.Array) arrow.Array { x.Retain(); return x },
		"batch":     func(x arrow.RecordBatch) arrow.RecordBatch { x.Retain(); return x },
		"first":     func(x arrow.RecordBatch) arrow.RecordBatch { return x.NewSlice(0, 1) },
		"bools":     same[[]*bool],
		"ints":      same[[]*int32],
		"int64s":    same[[]*int64],
		"floats":    same[[]*float64],
		"strings":   same[[]*string],
		"times":     same[[]*time.Time],
		"durations": same[[]*time.Duration],
		"blobs":     same[[][]byte],
		"complexes": same[[]*complex128],
		"lists":     same[[][]float64],
		"points":    same[[]point],
		"point":     same[point],
		"maps":      same[[]map[string]float64],
		"map":       same[map[string][]float64],
		"each":      func(x *float64) *float64 { return x },
	} {
		if err := registry.Func(name, fn); err != nil {
			log.Fatal(err)
		}
	}
	number := rgoipc.TypeSpec{Type: rgoipc.TypeFloat64, Nullable: true}
	fields := func(names ...string) *rgoipc.StructDef {
		def := &rgoipc.StructDef{}
		for _, name := range names {
			def.Fields = append(def.Fields, rgoipc.FieldDef{Name: name, Type: number})
		}
		return def
	}
	for name, result := range map[string]rgoipc.TypeSpec{
		"record":       {Type: rgoipc.TypeStruct, StructDef: fields()},
		"record_of_x":  {Type: rgoipc.TypeStruct, StructDef: fields("x")},
		"record_of_xy": {Type: rgoipc.TypeStruct, StructDef: fields("x", "y")},
		"record_plain": {Type: rgoipc.TypeStruct},
		"untold":       {},
		"number":       number,
		"list":         {Type: rgoipc.TypeList},
		"nothing":      {Type: rgoipc.TypeNull},
	} {
		if err := registry.Register(name, retained, rgoipc.FunctionSignature{ReturnType: result}); err != nil {
			log.Fatal(err)
		}
	}
	rgoipc.Main(registry)
}
