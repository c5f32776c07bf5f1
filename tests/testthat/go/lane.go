// Functions for tests of the lane.
package main

import (
	"context"
	"errors"
	"os"
	"runtime"
	"sync/atomic"
	"time"
)

func Add(x, y float64) float64 { return x + y }

func Whole(x, y int) int { return x + y }

func Int32(x, y int32) int32 { return x + y }

func Both(x, y bool) bool { return x && y }

func Greet(name string) string { return "hello " + name }

func Or(x *float64, y float64) float64 {
	if x == nil {
		return y
	}
	return *x
}

func Scaled(x float64, by ...float64) float64 {
	for _, b := range by {
		x *= b
	}
	return x
}

func Root(x float64) (float64, error) {
	if x < 0 {
		return 0, errors.New("it is negative")
	}
	return x / 2, nil
}

func Panics(x float64) float64 {
	if x < 0 {
		panic("negative")
	}
	return x
}

func Exits(x float64) float64 {
	if x < 0 {
		runtime.Goexit()
	}
	return x
}

func Nothing(x float64) {}

func Long(n int) string { return string(make([]byte, n)) }

func Pid(x float64) float64 { return float64(os.Getpid()) }

// Waits until its context ends, or for so many seconds.
func Nap(ctx context.Context, seconds float64) (float64, error) {
	select {
	case <-time.After(time.Duration(seconds * float64(time.Second))):
		return seconds, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

var (
	gate  = make(chan struct{})
	holds atomic.Int64
)

// Hold does not hear of a cancel: it returns when Release is called.
func Hold(x float64) float64 {
	holds.Add(1)
	<-gate
	return x
}

func Release(x float64) float64 {
	gate <- struct{}{}
	return x
}

func Holds(x float64) float64 { return float64(holds.Load()) }
