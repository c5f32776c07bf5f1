// Package lanetest is R's end of a lane, for tests.
package lanetest

import (
	"encoding/binary"
	"math"
	"runtime"
	"slices"
	"sync/atomic"
	"unsafe"

	"mangoro.local/internal/lane"
)

// The layout, as src/lane.h has it.
const (
	RingSlots  = 8
	RingRows   = 8192
	SlotSize   = 65 * 4096
	RingHeader = 64

	chunksWritten = 76
	chunksRead    = 204
	ringAt        = 4096 + 2*65536
)

// End is R's end of a ring.
type End struct {
	memory []byte
	events atomic.Int64
	gone   atomic.Bool
}

// New returns the end of a ring in memory of this process.
func New() *End {
	words := make([]uint64, lane.Size/8)
	return &End{memory: unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), lane.Size)}
}

// Ring returns the other end.
func (e *End) Ring() *lane.Ring { return lane.NewRing(e.memory, e) }

// Wait is for the other end.
func (e *End) Wait(done func() bool) bool {
	for !done() {
		if e.gone.Load() {
			return false
		}
		runtime.Gosched()
	}
	return true
}

// Event is for the other end.
func (e *End) Event() { e.events.Add(1) }

// Events returns how many events there were.
func (e *End) Events() int { return int(e.events.Load()) }

// GiveUp gives up the call.
func (e *End) GiveUp() { e.gone.Store(true) }

func (e *End) word(at int) *uint32 { return (*uint32)(unsafe.Pointer(&e.memory[at])) }

// Read returns how many chunks were read.
func (e *End) Read() uint32 { return atomic.LoadUint32(e.word(chunksRead)) }

// SetWritten says that so many chunks were written.
func (e *End) SetWritten(chunks uint32) { atomic.StoreUint32(e.word(chunksWritten), chunks) }

// Slot returns the slot of a chunk.
func (e *End) Slot(chunk int) []byte {
	return e.memory[ringAt+chunk%RingSlots*SlotSize:][:SlotSize:SlotSize]
}

// ChunkRows returns how many rows a chunk of so many columns has.
func ChunkRows(columns int) int { return min(RingRows, (SlotSize-RingHeader)/(8*columns)/64*64) }

// Write writes columns of one length, each a []float64 or an []int32, as fast as they are
// read, until the call is given up.
func (e *End) Write(columns ...any) {
	n, step := length(columns[0]), ChunkRows(len(columns))
	for chunk := 0; chunk*step < n; chunk++ {
		if !e.Wait(func() bool { return uint32(chunk)-e.Read() < RingSlots }) {
			return
		}
		e.fill(chunk, chunk*step, min((chunk+1)*step, n), columns)
		e.SetWritten(uint32(chunk) + 1)
	}
}

func (e *End) fill(chunk, from, to int, columns []any) {
	slot := e.Slot(chunk)
	clear(slot[:RingHeader])
	binary.NativeEndian.PutUint32(slot, uint32(to-from))
	for i, column := range columns {
		if put(slot[RingHeader+8*ChunkRows(len(columns))*i:], column, from, to) {
			slot[4+i/8] |= 1 << (i % 8)
		}
	}
}

// Full returns a ring whose chunks are always there, and are these columns each time.
func (e *End) Full(columns ...any) *lane.Ring {
	for slot := range RingSlots {
		e.fill(slot, 0, length(columns[0]), columns)
	}
	e.SetWritten(0)
	return lane.NewRing(e.memory, always{e})
}

// always is an end that has written the next chunk whenever it is waited for.
type always struct{ *End }

func (e always) Wait(func() bool) bool {
	e.SetWritten(atomic.LoadUint32(e.word(chunksWritten)) + 1)
	return true
}

func length(column any) int {
	if ints, ok := column.([]int32); ok {
		return len(ints)
	}
	return len(column.([]float64))
}

// put writes rows of a column, and returns whether one is NA or NaN.
func put(to []byte, column any, from, end int) (hasNA bool) {
	if ints, ok := column.([]int32); ok {
		copy(to, bytesOf(ints[from:end]))
		return slices.Contains(ints[from:end], math.MinInt32)
	}
	values := column.([]float64)[from:end]
	copy(to, bytesOf(values))
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum != sum && slices.ContainsFunc(values, math.IsNaN)
}

func bytesOf[T any](values []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), uintptr(len(values))*unsafe.Sizeof(*new(T)))
}
