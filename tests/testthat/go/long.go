// Functions for tests of tasks.
package main

import (
	"context"
	"errors"
	"os"
	"sync/atomic"

	"mangoro.local/pkg/rgoipc"
)

var (
	gate    = make(chan struct{})
	running atomic.Int64
	ended   atomic.Int64
)

// Double doubles numbers.
func Double(x float64) float64 { return 2 * x }

// Total adds numbers.
func Total(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum
}

// Range returns the numbers below n.
func Range(n int, from []int) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = float64(from[0] + i)
	}
	return values
}

// Nothing has no result.
func Nothing(x []float64) {}

// Fail fails if x is not below limit.
func Fail(x, limit []float64) ([]float64, error) {
	if x[0] >= limit[0] {
		return nil, errors.New("it is too large")
	}
	return x, nil
}

// Hold waits until it is opened or the call ends.
func Hold(ctx context.Context, x []float64) ([]float64, error) {
	running.Add(1)
	defer running.Add(-1)
	select {
	case <-gate:
		return x, nil
	case <-ctx.Done():
		ended.Add(1)
		return nil, ctx.Err()
	}
}

// Open lets n calls of Hold return.
func Open(n int) int {
	for range n {
		gate <- struct{}{}
	}
	return n
}

// Running returns how many calls of Hold run.
func Running() int { return int(running.Load()) }

// Ended returns how many calls of Hold were ended before they were opened.
func Ended() int { return int(ended.Load()) }

// Warns has so many warnings, each once it is opened, and then returns x.
func Warns(ctx context.Context, n []int, x []string) []string {
	for i := range n[0] {
		<-gate
		rgoipc.Warn(ctx, "warning %d", i+1)
	}
	return x
}

// Exit ends the process.
func Exit(status []int) { os.Exit(status[0]) }
