// Functions for tests of streams.
package main

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"iter"
	"os"
	"strconv"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow/array"
)

// Row is a row of a data frame.
type Row struct {
	A int
	B string
}

var (
	gate    = make(chan struct{})
	made    atomic.Int64 // values of Count
	running atomic.Int64 // iterations
)

// Add adds numbers.
func Add(x, y float64) float64 { return x + y }

// Made returns how many values Count has made since it was asked.
func Made() int { return int(made.Swap(0)) }

// Running returns how many iterations run.
func Running() int { return int(running.Load()) }

// Open lets n values of Gated come.
func Open(n int) int {
	for range n {
		gate <- struct{}{}
	}
	return n
}

// Count counts.
func Count(n int) iter.Seq[float64] {
	return func(yield func(float64) bool) {
		running.Add(1)
		defer running.Add(-1)
		for i := range n {
			made.Add(1)
			if !yield(float64(i)) {
				return
			}
		}
	}
}

// Gated has a value each time that it is opened, until the call ends.
func Gated(ctx context.Context) iter.Seq[float64] {
	return func(yield func(float64) bool) {
		running.Add(1)
		defer running.Add(-1)
		for i := 0; ; i++ {
			select {
			case <-gate:
			case <-ctx.Done():
				return
			}
			if !yield(float64(i)) {
				return
			}
		}
	}
}

// Rows has n rows, and then an error.
func Rows(n int, fails string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for i := range n {
			if !yield(Row{i, strconv.Itoa(i)}, nil) {
				return
			}
		}
		switch fails {
		case "error":
			yield(Row{}, errors.New("there are no more"))
		case "panic":
			panic("there are no more")
		}
	}
}

// Send sends texts through a channel.
func Send(ctx context.Context, n int) <-chan string {
	c := make(chan string)
	running.Add(1)
	go func() {
		defer running.Add(-1)
		defer close(c)
		for i := range n {
			select {
			case c <- strconv.Itoa(i):
			case <-ctx.Done():
				return
			}
		}
	}()
	return c
}

// Refuse returns no stream.
func Refuse() (iter.Seq[float64], error) { return nil, errors.New("there is no stream") }

// Nothing returns nil.
func Nothing() iter.Seq[float64] { return nil }

// Whole numbers that are no integers of R's in the second part.
func Whole(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if i == n-1 {
				i = 1 << 40
			}
			if !yield(i) {
				return
			}
		}
	}
}

// Lists has vectors.
func Lists(n int) iter.Seq[[]float64] {
	return func(yield func([]float64) bool) {
		for i := range n {
			if !yield(make([]float64, i)) {
				return
			}
		}
	}
}

// CSV reads a file.
func CSV(path string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		file, err := os.Open(path)
		if err != nil {
			yield(Row{}, err)
			return
		}
		defer file.Close()
		r := csv.NewReader(file)
		r.ReuseRecord = true
		for {
			record, err := r.Read()
			if err == io.EOF {
				return
			}
			var row Row
			if err == nil {
				row.A, err = strconv.Atoi(record[0])
				row.B = record[1]
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// Same returns the records that it gets.
func Same(x array.RecordReader) array.RecordReader {
	x.Retain()
	return x
}

// Sum adds numbers.
func Sum(x iter.Seq[float64]) (sum float64) {
	for v := range x {
		sum += v
	}
	return sum
}

// Twice doubles numbers as they come.
func Twice(x iter.Seq[float64]) iter.Seq[float64] {
	return func(yield func(float64) bool) {
		for v := range x {
			if !yield(2 * v) {
				return
			}
		}
	}
}

// Again reads a sequence twice.
func Again(x iter.Seq[float64]) float64 { return Sum(x) + Sum(x) }

// First returns the first number.
func First(x iter.Seq[int]) int {
	for v := range x {
		return v
	}
	return -1
}

// Lines returns how many lines there are, and the last one.
func Lines(x iter.Seq[string]) (n int, last string) {
	for v := range x {
		n++
		last = v
	}
	return n, last
}

// Last returns how many rows there are, and the last one.
func Last(x iter.Seq[Row]) (n int, last Row) {
	for v := range x {
		n++
		last = v
	}
	return n, last
}

// Blind counts rows, and does not look at the error of the reader.
func Blind(x array.RecordReader) (rows int) {
	for x.Next() {
		rows += int(x.RecordBatch().NumRows())
	}
	return rows
}

// Blindly has the rows of each batch, and does not look at the error of the reader.
func Blindly(x array.RecordReader) iter.Seq[int] {
	return func(yield func(int) bool) {
		for x.Next() && yield(int(x.RecordBatch().NumRows())) {
		}
	}
}

// Applied has what a function returns.
func Applied(f func(float64) float64, n int) iter.Seq[float64] {
	return func(yield func(float64) bool) {
		running.Add(1)
		defer running.Add(-1)
		for i := range n {
			if !yield(f(float64(i))) {
				return
			}
		}
	}
}

// Sizes returns how many rows the batches have.
func Sizes(x array.RecordReader) (sizes []int, err error) {
	for x.Next() {
		sizes = append(sizes, int(x.RecordBatch().NumRows()))
	}
	return sizes, x.Err()
}
