package main

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// queueLen is the number of lines that wait for a slow reader.
const queueLen = 1024

// lineQueue is a writer that never blocks: R may have given the program a pipe that it does
// not read, and a full pipe must not stop the server. Lines that find the queue full are
// dropped, and their number is written later.
type lineQueue struct {
	lines   chan func(io.Writer) // what the one goroutine that writes is to do
	dropped atomic.Int64
}

func newLineQueue(out io.Writer) *lineQueue {
	q := &lineQueue{lines: make(chan func(io.Writer), queueLen)}
	go func() {
		for write := range q.lines {
			write(out)
		}
	}()
	return q
}

// Write queues a line, or drops it.
func (q *lineQueue) Write(line []byte) (int, error) {
	text := string(line)
	write := func(out io.Writer) {
		if n := q.dropped.Swap(0); n > 0 {
			fmt.Fprintf(out, "(%d lines were dropped, because nothing read them)\n", n)
		}
		// An error of the log cannot be reported.
		_, _ = io.WriteString(out, text)
	}
	select {
	case q.lines <- write:
	default:
		q.dropped.Add(1)
	}
	return len(line), nil
}

// flush waits until all lines queued so far are written, but no longer than
// the time given.
func (q *lineQueue) flush(longest time.Duration) {
	timer := time.NewTimer(longest)
	defer timer.Stop()
	done := make(chan struct{})
	select {
	case q.lines <- func(io.Writer) { close(done) }:
	case <-timer.C:
		return
	}
	select {
	case <-done:
	case <-timer.C:
	}
}
