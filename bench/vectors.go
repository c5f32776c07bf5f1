// The functions that bench/vectors.R calls.
package main

import (
	"errors"
	"log"
	"math"

	"mangoro.local/pkg/rgoipc"
)

func add(x, y float64) float64 { return x + y }

func heavy(x float64) float64 {
	return math.Sin(x)*math.Exp(-x*x) + math.Log1p(math.Abs(x))*math.Cos(x)
}

func main() {
	registry := rgoipc.NewRegistry()
	err := errors.Join(
		registry.Func("same", func(x []float64) []float64 { return x }),
		registry.Func("add", add),
		registry.Func("add_parallel", add, rgoipc.Parallel()),
		registry.Func("heavy", heavy),
		registry.Func("heavy_parallel", heavy, rgoipc.Parallel()),
	)
	if err != nil {
		log.Fatal(err)
	}
	rgoipc.Main(registry)
}
