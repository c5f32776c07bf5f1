// Functions for tests of all that lives, together.
package main

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"os"
	"runtime"
	"sync/atomic"

	"mangoro.local/pkg/rgoipc"
)

var (
	running  atomic.Int64
	counters atomic.Int64
)

// Everything adds what f makes of the rows, says how far it is, and prints and warns
// at its end.
func Everything(ctx context.Context, rows iter.Seq[float64], f func(float64) (float64, error), total int) (float64, error) {
	running.Add(1)
	defer running.Add(-1)
	sum, done := 0.0, 0
	for row := range rows {
		value, err := f(row)
		if err != nil {
			return 0, fmt.Errorf("row %d: %w", done+1, err)
		}
		sum += value
		done++
		rgoipc.Progress(ctx, int64(done), int64(total), "rows")
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	fmt.Println("the sum is", sum)
	rgoipc.Warn(ctx, "there were %d rows", done)
	return sum, nil
}

// Wait waits until the call ends.
func Wait(ctx context.Context) error {
	running.Add(1)
	defer running.Add(-1)
	<-ctx.Done()
	return ctx.Err()
}

// Numbers streams the numbers from 1 on, without an end.
func Numbers(ctx context.Context) iter.Seq[float64] {
	return func(yield func(float64) bool) {
		running.Add(1)
		defer running.Add(-1)
		for i := 1.0; yield(i); i++ {
		}
	}
}

// Counter counts.
type Counter struct{ counts []int }

// NewCounter makes a counter.
func NewCounter() *Counter {
	c := new(Counter)
	counters.Add(1)
	runtime.AddCleanup(c, func(struct{}) { counters.Add(-1) }, struct{}{})
	return c
}

// Add adds what f returns, so often.
func (c *Counter) Add(f func() int, times int) int {
	sum := 0
	for range times {
		c.counts = append(c.counts, f())
	}
	for _, count := range c.counts {
		sum += count
	}
	return sum
}

// Same returns a counter.
func Same(c *Counter) *Counter { return c }

// Left is what there is: running calls, counters, open files and goroutines, but for those
// that are kept for the next request, of which there are now more, now fewer.
func Left() (map[string]int, error) {
	runtime.GC()
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	idle := bytes.Count(stacks, []byte("rep.(*peer).wait("))
	files, err := os.ReadDir("/proc/self/fd")
	return map[string]int{
		"running": int(running.Load()), "counters": int(counters.Load()),
		"goroutines": runtime.NumGoroutine() - idle, "files": len(files),
	}, err
}
