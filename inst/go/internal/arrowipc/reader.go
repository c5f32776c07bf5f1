package arrowipc

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync/atomic"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/endian"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Reader hands out the record batches of a verified stream.
//
// Its records are views into the bytes given to [NewReader] wherever that is
// possible: those bytes must not change as long as a record is in use, and the
// garbage collector keeps them for that long. Only what arrow-go has to build
// anew, dictionaries with deltas, comes from the allocator, and so does a body
// whose bytes are not aligned to 8 on a processor that needs that.
//
// Retain and Release may be called from several goroutines at once, nothing else.
type Reader struct {
	r   array.RecordReader // arrow-go's, or one of ours
	n   int                // batches read so far
	err error
}

// NewReader verifies a stream and returns a reader of its record batches. The
// error wraps [ErrInvalidStream] if the stream is to blame. A nil allocator is
// [memory.DefaultAllocator]. Release the reader after use; a record that is to
// outlive the next call of Next must be retained.
func NewReader(stream []byte, mem memory.Allocator) (*Reader, error) {
	return (*Schemas)(nil).NewReader(stream, mem)
}

// NewReader is the function [NewReader], and knows the schema of the stream if it
// has come before.
func (s *Schemas) NewReader(stream []byte, mem memory.Allocator) (*Reader, error) {
	return s.newReader(stream, nil, mem)
}

// NewPartsReader is NewReader for a stream whose bodies do not follow their metadata, but
// lie in parts one after the other. Each part begins at the next multiple of 8. A buffer
// must lie in one part, of which records are views.
func (s *Schemas) NewPartsReader(stream []byte, parts [][]byte, mem memory.Allocator) (*Reader, error) {
	return s.newReader(stream, newSpace(parts), mem)
}

func (s *Schemas) newReader(stream []byte, elsewhere *space, mem memory.Allocator) (*Reader, error) {
	if endian.IsBigEndian {
		return nil, fmt.Errorf("arrowipc: %w on big endian processors", errors.ErrUnsupported)
	}
	if mem == nil {
		mem = memory.DefaultAllocator
	}
	src := &messages{mem: mem, align: !toleratesMisaligned}
	src.refs.Store(1)
	v := verifier{known: s, elsewhere: elsewhere}
	if err := v.walk(stream, src.add); err != nil {
		return nil, err
	}
	schema, batches := src.list[0], src.list[1:]
	if v.parsed != nil && src.simple(batches) {
		return &Reader{r: &assembled{schema: v.parsed, left: batches}}, nil
	}
	inner, err := ipc.NewReaderFromMessageReader(src, ipc.WithAllocator(mem))
	if err != nil {
		return nil, fmt.Errorf("%w: schema: %w", ErrInvalidStream, err)
	}
	if !allPlain(inner.Schema().Fields()) {
		return &Reader{r: inner}, nil
	}
	v.parsed = &parsed{verified: v.schema, arrow: inner.Schema()}
	s.add(schema, v.parsed)
	if !src.simple(batches) {
		return &Reader{r: inner}, nil
	}
	inner.Release()
	return &Reader{r: &assembled{schema: v.parsed, left: batches}}, nil
}

// Retain increases the reference count by 1.
func (r *Reader) Retain() { r.r.Retain() }

// Release decreases the reference count by 1. At 0 the current record and the
// dictionaries are released.
func (r *Reader) Release() { r.r.Release() }

// Schema returns the schema of the stream. It is never nil.
func (r *Reader) Schema() *arrow.Schema { return r.r.Schema() }

// Next moves on to the next record batch and reports whether there is one. After
// false, Err tells whether that is the end of the stream.
func (r *Reader) Next() bool {
	if r.r.Next() {
		r.n++
		return true
	}
	if err := r.r.Err(); err != nil && r.err == nil {
		r.err = fmt.Errorf("%w: batch %d: %w", ErrInvalidStream, r.n, err)
	}
	return false
}

// RecordBatch returns the current record batch, which is valid until the next call
// of Next, or nil if there is none.
func (r *Reader) RecordBatch() arrow.RecordBatch { return r.r.RecordBatch() }

// Record is RecordBatch.
//
// Deprecated: use RecordBatch.
func (r *Reader) Record() arrow.RecordBatch { return r.r.RecordBatch() }

// Err returns what has ended the stream early, or nil.
func (r *Reader) Err() error { return r.err }

// toleratesMisaligned says whether the processor loads a float64 from any address.
// On all others arrow-go's views need aligned bodies.
const toleratesMisaligned = runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64" ||
	runtime.GOARCH == "386" || runtime.GOARCH == "ppc64le" || runtime.GOARCH == "wasm"

// messages is the verified stream as arrow-go wants to read it.
type messages struct {
	refs  atomic.Int64
	mem   memory.Allocator
	align bool
	list  []message
	last  *ipc.Message
}

func (s *messages) add(m message) { s.list = append(s.list, m) }

// simple tells whether batches need nothing but their columns put together. Else
// arrow-go's reader copies bodies, or hands out metadata of their own.
func (s *messages) simple(batches []message) bool {
	return !slices.ContainsFunc(batches, func(m message) bool { return m.tagged || m.body.anyPiece(s.misaligned) })
}

func (s *messages) Retain() { s.refs.Add(1) }

func (s *messages) Release() {
	if s.refs.Add(-1) == 0 {
		s.drop()
		s.list = nil
	}
}

func (s *messages) drop() {
	if s.last != nil {
		s.last.Release()
		s.last = nil
	}
}

// Message returns the next message, which is valid until the call after it.
func (s *messages) Message() (*ipc.Message, error) {
	s.drop()
	if len(s.list) == 0 {
		return nil, io.EOF
	}
	m := s.list[0]
	s.list = s.list[1:]
	body := s.body(m.body.joined())
	defer body.Release()
	s.last = ipc.NewMessage(memory.NewBufferBytes(m.meta), body)
	return s.last, nil
}

// misaligned tells whether the bytes of a body must be aligned and are not.
func (s *messages) misaligned(b []byte) bool {
	return s.align && uintptr(unsafe.Pointer(unsafe.SliceData(b)))%8 != 0
}

// body wraps the bytes of a body, or a copy if they are misaligned.
func (s *messages) body(b []byte) *memory.Buffer {
	if !s.misaligned(b) {
		return memory.NewBufferBytes(b)
	}
	buf := memory.NewResizableBuffer(s.mem)
	buf.Resize(len(b))
	copy(buf.Bytes(), b)
	return buf
}

var (
	_ array.RecordReader = (*Reader)(nil)
	_ ipc.MessageReader  = (*messages)(nil)
)
