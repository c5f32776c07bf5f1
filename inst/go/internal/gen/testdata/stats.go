package main

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	old "github.com/apache/arrow/go/v18/arrow"

	"mangoro.local/pkg/rgoipc"
)

// Temperature is a number with a name.
type Temperature float64

// Person is a list in R.
type Person struct {
	Name  string `r:"name"`
	Age   rgoipc.Null[int32]
	Born  time.Time
	cache chan int
	Next  func() `r:"-"`
}

// Older is a method.
func (p *Person) Older(by int32) { p.Age.V += by }

// Mean is the mean of `x`,
// "as usual".
//
//mangoro:once
func Mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// Root fails below 0.
//
//mangoro:name root
//mangoro:parallel
func Root(x float64) (float64, error) {
	if x < 0 {
		return 0, errors.New("below 0")
	}
	return math.Sqrt(x), nil
}

// Warm has parameters of types with names.
//
//mangoro:default by=-1.5
//mangoro:default wait=10
func Warm(t, by Temperature, wait time.Duration) Temperature { return t + by }

// Polar has named results.
func Polar(z complex128) (radius, angle float64) { return real(z), imag(z) }

// Parts has results without names.
func Parts(x float64) (int, float64) { return int(x), x - math.Trunc(x) }

// Named has one named result.
func Named(n string) (out string) { return n }

// Blank has parameters without names.
func Blank(context.Context, float64, string) error { return nil }

func Taken(_ float64, x1 int) {}

// Clamp has optional parameters.
//
//mangoro:default high=100000000000000000000 // a comment
//mangoro:default	label="a	b"
func Clamp(x float64, low, high *float64, label rgoipc.Null[string]) float64 { return x }

func Adults(people []Person, from int32) ([]Person, error) { return people, nil }

func Total(prices map[string]float64) float64 { return prices["a"] }

func Head(
	data arrow.RecordBatch, // the rows
	n int,
) (arrow.RecordBatch, error) {
	return data, nil
}

func Count(stream array.RecordReader, x old.Array, rest rgoipc.Nulls[string]) int { return 0 }

func Bytes(x []byte) [][]byte { return [][]byte{x} }

//mangoro:skip
func Skip(x float64) float64 { return x }

func unexported(x chan int) {}

func Map[T any](x []T, f func(T) T) []T { return x }

func Sum(x ...float64) float64 { return 0 }

//mangoro:default x=255
//mangoro:default y=-0.1
func Small(x uint8, y float32) float64 { return float64(byte(int8(x))) }

//mangoro:default id=0xffffffffffffffff
func Next(id ID, x uint64) ID { return id + 1 }

// ID is a type with a name.
type ID uint64

//mangoro:default x=18446744073709551615
func Largest(x uint64) uint64 { return x }

func Single(x float64) float32 { return 0 }

func Turn(x [3]float64, by [2][2]int16) [3]float64 { return x }

func Digest(x []byte) [32]byte { return [32]byte{} }

func Address(x uintptr) {}

func Twice(x **float64) {}

func Keys(x map[int]string) {}

func Any(x []any) {}

func Odd(x struct{ In []chan int }) {}

func Nothing(x struct{}) {}

func Streams(x float64) (a array.RecordReader, b int) { return nil, 0 }

type loop struct{ Next []loop }

func Endless(x loop) {}
