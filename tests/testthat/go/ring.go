// The functions of test-ring.R.
package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"unsafe"
)

func Add(x, y float64) float64 { return x + y }

//mangoro:parallel
func AddParallel(x, y float64) float64 { return x + y }

func Subtract(x, y int32) int32 { return x - y }

func Times(x, y int) int { return x * y }

func Not(x bool) bool { return !x }

func Pick(x float64, y int32, z bool) float64 {
	if z {
		return x
	}
	return float64(y)
}

func Six(a, b, c, d, e, f float64) float64 { return a + 2*b + 3*c + 4*d + 5*e + 6*f }

func Forty(
	a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9,
	c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, d0, d1, d2, d3, d4, d5, d6, d7, d8, d9 float64,
) float64 {
	return a0 + 2*a9 + 3*b5 + 4*c1 + 5*c2 + 6*d9
}

func Text(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

func Parts(x float64) (whole int, left float64) {
	whole = int(x)
	return whole, x - float64(whole)
}

func Fail(x, at float64) (float64, error) {
	if x == at {
		return 0, fmt.Errorf("%v is bad", x)
	}
	return x, nil
}

func Boom(x, at float64) float64 {
	if x == at {
		panic("boom")
	}
	return x
}

//mangoro:parallel
func BoomParallel(x, at float64) float64 { return Boom(x, at) }

func Exit(x, at float64) float64 {
	if x == at {
		runtime.Goexit()
	}
	return x
}

// Wait waits until the call is given up.
func Wait(ctx context.Context, x, at float64) float64 {
	if x == at {
		<-ctx.Done()
	}
	return x
}

var released = make(chan struct{})

// Hold goes on, however long R waits, until Release is called.
func Hold(x, at float64) float64 {
	if x == at {
		<-released
	}
	return x
}

func Release() { released <- struct{}{} }

// Die kills the program.
func Die(x, at float64) float64 {
	if x == at {
		_ = syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
	}
	return x
}

// Lie writes nonsense to R where it looks for how many chunks were read.
func Lie(x, at, chunks float64) (float64, error) {
	if x != at {
		return x, nil
	}
	lane, err := findLane()
	if err != nil {
		return 0, err
	}
	atomic.StoreUint32((*uint32)(unsafe.Add(lane, 204)), uint32(chunks))
	return x, nil
}

// findLane returns where the lane is mapped.
func findLane() (unsafe.Pointer, error) {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(maps)) {
		var from uintptr
		if _, err := fmt.Sscanf(line, "%x-", &from); err != nil || !strings.Contains(line, "memfd") {
			continue
		}
		at := *(*unsafe.Pointer)(unsafe.Pointer(&from))
		if string(unsafe.Slice((*byte)(at), 8)) == "mgolane1" {
			return at, nil
		}
	}
	return nil, fmt.Errorf("there is no lane")
}
