// Functions for tests of calls that live.
package main

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"

	"mangoro.local/pkg/rgoipc"
)

func Add(x, y float64) float64 { return x + y }

// Counts to n.
func Count(ctx context.Context, n int) int {
	for i := range n {
		rgoipc.Progress(ctx, int64(i+1), int64(n), "rows")
	}
	return n
}

// Has so many warnings, and then an error if it fails.
func Warns(ctx context.Context, n []int, fails []bool) ([]int, error) {
	for i := range n[0] {
		rgoipc.Warn(ctx, "warning %d", i+1)
	}
	if fails[0] {
		return nil, errors.New("it failed")
	}
	return n, nil
}

// Halves numbers, and warns of those that are odd.
func Halve(ctx context.Context, x int) int {
	if x%2 != 0 {
		rgoipc.Warn(ctx, "%d is odd", x)
	}
	return x / 2
}

var (
	gate  = make(chan struct{})
	ended atomic.Int64
)

// Release lets a call of Flood or Hold return.
func Release(x float64) float64 {
	gate <- struct{}{}
	return x
}

// Flood has n large warnings, and returns so many numbers once it is released.
func Flood(ctx context.Context, n, size int) []float64 {
	for range n {
		rgoipc.Warn(ctx, "%s", strings.Repeat("x", 4000))
	}
	<-gate
	return make([]float64, size)
}

// Wait has a warning, and waits for the end of its context.
func Wait(ctx context.Context, x float64) (float64, error) {
	rgoipc.Warn(ctx, "it waits")
	<-ctx.Done()
	ended.Add(1)
	return 0, ctx.Err()
}

// Ended returns how many calls of Wait have ended.
func Ended() int { return int(ended.Load()) }
