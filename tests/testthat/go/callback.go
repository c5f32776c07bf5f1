// Functions for tests of R functions as arguments.
package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"mangoro.local/pkg/rgoipc"
)

func Add(x, y float64) float64 { return x + y }

// Minimize finds the minimum of f by golden section.
func Minimize(f func(float64) float64, lo, hi float64) float64 {
	const ratio = 0.6180339887498949
	a, b := hi-ratio*(hi-lo), lo+ratio*(hi-lo)
	fa, fb := f(a), f(b)
	for hi-lo > 1e-6 {
		if fa < fb {
			hi, b, fb = b, a, fa
			a = hi - ratio*(hi-lo)
			fa = f(a)
		} else {
			lo, a, fa = a, b, fb
			b = lo + ratio*(hi-lo)
			fb = f(b)
		}
	}
	return (lo + hi) / 2
}

// Repeat calls f so many times, and returns the sum of what it returns.
func Repeat(f func(float64) float64, n int) float64 {
	sum := 0.0
	for i := range n {
		sum += f(float64(i))
	}
	return sum
}

// RepeatVector calls f with a vector of that length.
func RepeatVector(f func([]float64) ([]float64, error), n, length int) ([]float64, error) {
	x := make([]float64, length)
	for range n {
		y, err := f(x)
		if err != nil {
			return nil, fmt.Errorf("in the middle: %w", err)
		}
		x = y
	}
	return x, nil
}

// Objective is a named type.
type Objective func(x, y float64, label string) (float64, error)

type Point struct{ X, Y float64 }

func Named(f Objective, label string) (float64, error) { return f(3, 4, label) }

// Try says what kind of error f has.
func Try(f func(float64) (float64, error), x float64) string {
	y, err := f(x)
	var stop *rgoipc.RError
	switch {
	case errors.As(err, &stop):
		return fmt.Sprintf("%s: %s", stop.Class, stop.Message)
	case err != nil:
		return "other: " + err.Error()
	default:
		return fmt.Sprint(y)
	}
}

// Wrap wraps the error.
func Wrap(f func(float64) (float64, error), x float64) (float64, error) {
	y, err := f(x)
	if err != nil {
		return 0, fmt.Errorf("at %g: %w", x, err)
	}
	return y, nil
}

// Replace has an error of its own instead.
func Replace(f func() error) error {
	if f() != nil {
		return errors.New("it is another one")
	}
	return nil
}

func Several(f func(float64) float64, g func(float64) float64, x float64) float64 { return f(g(x)) }

func Strings(f func(string) string, x []string) []string {
	out := make([]string, len(x))
	for i, s := range x {
		out[i] = f(s)
	}
	return out
}

func Ints(f func(int) (int, error), x int) (int, error) { return f(x) }

func Small(f func(int8) (int8, error), x []int) (int8, error) { return f(int8(x[0])) }

func Bools(f func(bool) (bool, error), x []bool) (bool, error) { return f(x[0]) }

func Times(f func(time.Time) (time.Time, error), x time.Time) (time.Time, error) { return f(x) }

func Points(f func(Point) (Point, error), p Point) (Point, error) { return f(p) }

func Frames(f func([]Point) ([]Point, error), n int) ([]Point, error) {
	points := make([]Point, n)
	for i := range points {
		points[i] = Point{float64(i), float64(2 * i)}
	}
	return f(points)
}

func Records(f func(arrow.RecordBatch) (arrow.RecordBatch, error), data arrow.RecordBatch) (arrow.RecordBatch, error) {
	return f(data)
}

func Anything(f func(any) (any, error), x any) (any, error) { return f(x) }

func Maps(f func(map[string]float64) (map[string]float64, error), x map[string]float64) (map[string]float64, error) {
	return f(x)
}

func Matrices(f func(rgoipc.Matrix[float64]) rgoipc.Matrix[float64], x rgoipc.Matrix[float64]) rgoipc.Matrix[float64] {
	return f(x)
}

func Missing(f func(*float64) (*float64, error), x *float64) (*float64, error) { return f(x) }

// Tell calls f without a result.
func Tell(f func(string), x []string) int {
	for _, s := range x {
		f(s)
	}
	return len(x)
}

// Thunk calls f without arguments.
func Thunk(f func() float64) float64 { return f() }

// Contexts passes its context on.
func Contexts(ctx context.Context, f func(context.Context, float64) (float64, error), x float64, cancel []bool) (float64, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if cancel[0] {
		stop()
	}
	return f(ctx, x)
}

// Many calls f from several goroutines.
func Many(f func(float64) (float64, error), n int) (float64, error) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var sum float64
	var failed error
	for i := range n {
		wg.Go(func() {
			y, err := f(float64(i + 1))
			mu.Lock()
			defer mu.Unlock()
			sum += y
			failed = errors.Join(failed, err)
		})
	}
	wg.Wait()
	return sum, failed
}

// Prints prints around a callback, and warns.
func Prints(ctx context.Context, f func(string)) int {
	fmt.Println("before")
	rgoipc.Warn(ctx, "of Go")
	f("in R")
	fmt.Println("after")
	return 1
}

var kept func(float64) (float64, error)

// Keep keeps a function.
func Keep(f func(float64) (float64, error)) float64 {
	kept = f
	y, _ := f(1)
	return y
}

// Kept calls it after its call has ended.
func Kept(x []float64) (float64, error) { return kept(x[0]) }

//mangoro:default f=NULL
func Optional(f func(float64) float64, x []float64) float64 {
	if f == nil {
		return x[0]
	}
	return f(x[0])
}

// Large gets and gives vectors that do not fit the lane.
func Large(f func([]float64) ([]float64, error), n int) ([]float64, error) {
	return f(make([]float64, n))
}

// Texts passes a text of that length.
func Texts(f func(string) (string, error), n int) (int, error) {
	s, err := f(strings.Repeat("x", n))
	return len(s), err
}

var ended = make(chan string, 100)

// Ends says how its callback ended, by the next call of HowEnded.
func Ends(ctx context.Context, f func(float64) (float64, error), x []float64) (float64, error) {
	y, err := f(x[0])
	if err != nil && ctx.Err() == nil {
		ended <- "before its context: " + err.Error()
	} else {
		ended <- fmt.Sprint(ctx.Err())
	}
	return y, err
}

// HowEnded waits for that.
func HowEnded() string { return <-ended }

// Deferred tries to go on after its callback has failed.
func Deferred(f func(float64) float64, x []float64) float64 {
	defer func() {
		recover()
		ended <- "deferred"
	}()
	return f(x[0])
}

// Nest calls f, whose R code may call Nest.
func Nest(f func(int) (int, error), depth int) (int, error) {
	if depth == 0 {
		return 0, nil
	}
	n, err := f(depth - 1)
	return n + 1, err
}

// Alternate calls f with vectors of other lengths in turn, and g with integers.
func Alternate(f func([]float64) float64, g func(int32, float64) int32, n int) float64 {
	sum := 0.0
	for i := range n {
		sum += f(make([]float64, i%3)) + float64(g(int32(i), 0.5))
	}
	return sum
}

// Goes returns after f has been called by a goroutine, which tells how it ended.
func Goes(f func(float64) float64, x []float64) float64 {
	done := make(chan float64, 1)
	go func() {
		defer close(done)
		done <- f(x[0])
	}()
	return <-done
}

var letGo = make(chan struct{})

// Stays goes on after f, called by a goroutine, has failed, until LetGo is called.
func Stays(f func(float64) float64, x []float64) float64 {
	go f(x[0])
	<-letGo
	return 0
}

func LetGo() { letGo <- struct{}{} }
