package arrowipc

import (
	"encoding/binary"
	"io"
	"math"
	"math/bits"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"mangoro.local/internal/segment"
)

// Referred is a stream whose bodies lie in a segment: its metadata, and the parts in which
// the bodies lie one after the other, each part from the next multiple of 8 on.
type Referred struct {
	Metadata []byte
	Parts    []segment.Part
}

// Size estimates the size of a record's stream, mostly too high.
func Size(rec arrow.RecordBatch) int { return streamSize(rec) }

// Refer writes the stream of one record with its bodies in a segment. Buffers that lie
// there already are referred to, others are copied; under the nulls of these lies what R
// has for NA. It returns nil if there is no room.
func (w *Writer) Refer(rec arrow.RecordBatch, to *segment.Result) (*Referred, error) {
	var b body
	if !b.record(rec) {
		messages := pieces{to: to}
		if err := messages.write(rec); err != nil {
			return nil, err
		}
		return messages.referred(), nil
	}
	schema, err := w.message(rec.Schema())
	if err != nil {
		return nil, err
	}
	parts, ok := b.place(to)
	if !ok {
		return nil, nil
	}
	out := make([]byte, 0, len(schema)+framing+b.metadataSize()+endOfStream)
	out = b.appendMetadata(append(out, schema...))
	return &Referred{append32(out, continuation, 0), parts}, nil
}

// place has all buffers lie in a segment, and returns the parts of it that are the body
// then. It returns false if there is no room.
func (b *body) place(to *segment.Result) (parts []segment.Part, ok bool) {
	at, ok := b.copied(to)
	if !ok {
		return nil, false
	}
	b.size = 0
	start := 0 // of the last part, in the body
	for i := range b.buffers {
		buffer := &b.buffers[i]
		n := uint64(len(buffer.bytes))
		buffer.at = b.size
		if n == 0 {
			continue
		}
		last := len(parts) - 1
		// What is nearly adjacent is one part.
		if last >= 0 && at[i]-parts[last].Offset-parts[last].Length < alignment {
			parts[last].Length = at[i] + n - parts[last].Offset
		} else {
			parts = append(parts, segment.Part{Name: to.Name(), Offset: at[i], Length: n})
			last, start = last+1, b.size
		}
		buffer.at = start + int(at[i]-parts[last].Offset)
		b.size = start + padded(int(parts[last].Length))
	}
	return parts, true
}

// alignment is that of buffers that are copied.
const alignment = 64

// copied copies the buffers that do not lie in a segment yet, and returns where they all
// are. No two of them overlap, so that R can make a vector of each.
func (b *body) copied(to *segment.Result) (at []uint64, ok bool) {
	at = make([]uint64, len(b.buffers))
	there := b.there(to, at)
	size := 0
	for i, buffer := range b.buffers {
		if !there[i] {
			size += (len(buffer.bytes) + alignment - 1) &^ (alignment - 1)
		}
	}
	area := to.Alloc(size)
	if area == nil {
		return nil, false
	}
	from, _ := to.Offset(area)
	for i := range b.buffers {
		if there[i] {
			continue
		}
		buffer := &b.buffers[i]
		n := copy(area, buffer.bytes)
		at[i], buffer.bytes = from, area[:n]
		step := min((n+alignment-1)&^(alignment-1), len(area))
		area, from = area[step:], from+uint64(step)
		buffer.fill(b.buffers[max(i-1, 0)].bytes)
	}
	return at, true
}

// there tells which buffers lie in a segment, and sets at to where.
func (b *body) there(to *segment.Result, at []uint64) []bool {
	there := make([]bool, len(b.buffers))
	var order []int // of those, by their places
	for i, buffer := range b.buffers {
		var ok bool
		if at[i], ok = to.Offset(buffer.bytes); ok && at[i]%8 == 0 && len(buffer.bytes) > 0 {
			there[i] = true
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int { return int(at[i]) - int(at[j]) })
	end := uint64(0)
	for _, i := range order {
		if at[i] < end {
			there[i] = false
			continue
		}
		end = at[i] + uint64(len(b.buffers[i].bytes))
	}
	return there
}

// na is what R has for NA, which lies under the nulls of a buffer.
type na uint8

const (
	naNone  na = iota // there are no nulls, or R has no such values
	naFloat           // of float64
	naInt32
	naInt64
)

// naOf returns what lies under the nulls of a type.
func naOf(dataType arrow.DataType) na {
	switch dataType.ID() {
	case arrow.FLOAT64:
		return naFloat
	case arrow.INT32:
		return naInt32
	case arrow.INT64:
		return naInt64
	}
	return naNone
}

// realNA is R's NA_real_, a NaN.
const realNA = 0x7FF00000000007A2

// fill writes NA under the nulls of a buffer, given its bitmap.
func (b *buffer) fill(valid []byte) {
	if b.na == naNone {
		return
	}
	for i, byte := range valid {
		for nulls := ^byte; nulls != 0; nulls &= nulls - 1 {
			b.setNA(8*i + bits.TrailingZeros8(nulls))
		}
	}
}

// setNA sets a value to NA. The bits after the last value mean nothing.
func (b *buffer) setNA(i int) {
	switch {
	case b.na == naInt32 && 4*i < len(b.bytes):
		binary.LittleEndian.PutUint32(b.bytes[4*i:], 1<<31)
	case b.na == naInt64 && 8*i < len(b.bytes):
		binary.LittleEndian.PutUint64(b.bytes[8*i:], 1<<63)
	case b.na == naFloat && 8*i < len(b.bytes):
		binary.LittleEndian.PutUint64(b.bytes[8*i:], realNA)
	}
}

// pieces are the messages that arrow-go writes, an [ipc.PayloadWriter]. Their bodies lie in
// a segment, or in ordinary memory if it has no room for them.
type pieces struct {
	to       *segment.Result
	messages []piece
	size     int // of all of them
}

// piece is a message: its metadata with the frame, and its body.
type piece struct{ metadata, body []byte }

func (*pieces) Start() error { return nil }

func (p *pieces) WritePayload(payload ipc.Payload) error {
	meta := payload.Meta()
	defer meta.Release()
	n := padded(meta.Len())
	metadata := append32(make([]byte, 0, framing+n), continuation, uint32(n))
	metadata = append(metadata, meta.Bytes()...)[:framing+n]
	if len(p.messages) == 0 {
		mend(metadata)
	}
	size := newFlat(meta.Bytes()).root().i64(3)
	if size < 0 || size > math.MaxInt {
		return io.ErrShortBuffer
	}
	body := p.to.Alloc(int(size))
	if body == nil {
		body = make([]byte, size)
	}
	if err := payload.SerializeBody(&filler{body}); err != nil {
		return err
	}
	p.messages = append(p.messages, piece{metadata, body})
	p.size += len(metadata) + len(body)
	return nil
}

func (p *pieces) Close() error {
	p.messages = append(p.messages, piece{metadata: append32(nil, continuation, 0)})
	return nil
}

// write writes a stream of one record.
func (p *pieces) write(rec arrow.RecordBatch) error {
	w := ipc.NewWriterWithPayloadWriter(p, ipc.WithSchema(rec.Schema()))
	if err := w.Write(rec); err != nil {
		return err
	}
	return w.Close()
}

// referred returns the stream with its bodies in the segment, or nil if they are not.
func (p *pieces) referred() *Referred {
	var r Referred
	for _, m := range p.messages {
		r.Metadata = append(r.Metadata, m.metadata...)
		if len(m.body) == 0 {
			continue
		}
		at, ok := p.to.Offset(m.body)
		if !ok {
			return nil
		}
		r.Parts = append(r.Parts, segment.Part{Name: p.to.Name(), Offset: at, Length: uint64(len(m.body))})
	}
	return &r
}

// append appends the stream with its bodies behind their metadata.
func (p *pieces) append(buf []byte) []byte {
	buf = slices.Grow(buf, p.size+endOfStream)
	for _, m := range p.messages {
		buf = append(append(buf, m.metadata...), m.body...)
	}
	return buf
}

// filler fills bytes from their beginning.
type filler struct{ left []byte }

func (f *filler) Write(bytes []byte) (int, error) {
	n := copy(f.left, bytes)
	f.left = f.left[n:]
	if n < len(bytes) {
		return n, io.ErrShortWrite
	}
	return n, nil
}
