package lane

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"unsafe"
)

// The columns of a ring: a slot's header has a bit for each.
const (
	maxColumns = 8 * (ringHeader - 4)
	valueSize  = 8 // bytes of a slot for each value, whatever its type
	rowStep    = 64
)

// ErrGivenUp is the error of a ring whose call R has given up, or whose connection has ended.
var ErrGivenUp = errors.New("the call was given up while its arguments were read")

// Peer is R at the other end of a lane, as the call sees it that is answered.
type Peer interface {
	// Wait waits until done. False: R has given up the call, or the connection has ended.
	Wait(done func() bool) bool
	// Event tells R that something was done. It may be called on any goroutine.
	Event()
}

// Ring carries the columns of a call from R in chunks, which lie in the memory of the lane.
// They are taken in order, by one goroutine or several, and given back in any order. What R
// says of them is checked, but the values may change as long as they are looked at.
type Ring struct {
	memory []byte // of the lane
	peer   Peer

	mu        sync.Mutex // held while a chunk is waited for; protects what follows
	rows      int
	columns   int
	chunkRows int // of all chunks but the last
	taken     uint32

	back struct { // what was given back
		mu   sync.Mutex
		read uint32          // chunks, all of them before
		done [ringSlots]bool // the slots of those after them
	}
}

// Chunk is some rows of the columns of a call.
type Chunk struct {
	First   int // row of the call
	Rows    int
	Columns [][]byte // of each at least 8 bytes for each row

	na     [ringHeader - 4]byte
	number uint32
}

// HasNA tells whether column i has a value that R takes for NA, or a NaN.
func (c *Chunk) HasNA(i int) bool { return c.na[i/8]&(1<<(i%8)) != 0 }

// NewRing returns the ring in the memory of a lane.
func NewRing(memory []byte, peer Peer) *Ring { return &Ring{memory: memory[:Size], peer: peer} }

// Open says what the request has said: how many rows and columns there are.
func (r *Ring) Open(rows, columns int) error {
	if columns < 1 || columns > maxColumns {
		return fmt.Errorf("%d columns do not go through a ring", columns)
	}
	chunkRows := min(ringRows, (slotSize-ringHeader)/(valueSize*columns)/rowStep*rowStep)
	if rows < 0 || rows/chunkRows >= math.MaxUint32 {
		return fmt.Errorf("%d rows do not go through a ring", rows)
	}
	r.rows, r.columns, r.chunkRows = rows, columns, chunkRows
	return nil
}

// Next waits for the next chunk. It returns nil after the last one.
func (r *Ring) Next() (*Chunk, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	first := int(r.taken) * r.chunkRows
	if first >= r.rows {
		return nil, nil
	}
	there := func() bool { return r.load(chunksWritten) != r.taken }
	if !there() && !r.peer.Wait(there) {
		return nil, ErrGivenUp
	}
	if ahead := r.load(chunksWritten) - r.taken; ahead > ringSlots {
		return nil, fmt.Errorf("the ring has %d slots, but R has written %d chunks that were not read", ringSlots, ahead)
	}
	slot := r.memory[ringAt+int(r.taken%ringSlots)*slotSize:][:slotSize:slotSize]
	c := &Chunk{First: first, Rows: min(r.chunkRows, r.rows-first), Columns: make([][]byte, r.columns), number: r.taken}
	copy(c.na[:], slot[4:ringHeader])
	if n := binary.NativeEndian.Uint32(slot); n != uint32(c.Rows) {
		return nil, fmt.Errorf("a chunk of %d rows came where one of %d was due", n, c.Rows)
	}
	for i := range c.Columns {
		at := ringHeader + i*valueSize*r.chunkRows
		c.Columns[i] = slot[at : at+valueSize*c.Rows : at+valueSize*c.Rows]
	}
	r.taken++
	return c, nil
}

// Done gives a chunk back. R writes another one over it when all before it are back too.
func (r *Ring) Done(c *Chunk) {
	r.back.mu.Lock()
	defer r.back.mu.Unlock()
	r.back.done[c.number%ringSlots] = true
	read := r.back.read
	for r.back.done[read%ringSlots] {
		r.back.done[read%ringSlots] = false
		read++
	}
	if read == r.back.read {
		return
	}
	r.back.read = read
	atomic.StoreUint32(r.word(chunksRead), read)
	r.peer.Event()
}

func (r *Ring) load(at int) uint32 { return atomic.LoadUint32(r.word(at)) }

func (r *Ring) word(at int) *uint32 { return (*uint32)(unsafe.Pointer(&r.memory[at])) }

// Ring returns the ring that the columns of this request come through.
func (r Request) Ring() *Ring { return NewRing(r.lane.memory, r) }

// Wait waits for what R does.
func (r Request) Wait(done func() bool) bool {
	l := r.lane
	return l.wait(func() bool { return done() || l.isGivenUp(r.number) }, true) && !l.isGivenUp(r.number)
}

// Event tells R that something was done.
func (r Request) Event() { r.lane.event() }
