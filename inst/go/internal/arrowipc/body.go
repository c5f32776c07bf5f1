package arrowipc

import (
	"encoding/binary"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
)

// body has the nodes and buffers of a record batch of plain columns, in the order of the
// type tree.
type body struct {
	rows    int64
	nodes   []node
	buffers []buffer
	size    int // of all buffers, padded
}

// buffer is a buffer and where it begins in the body.
type buffer struct {
	bytes []byte
	at    int
	na    na // of values, whose bitmap is the buffer before them
}

type node struct{ length, nulls int64 }

// record adds the columns of a record. It returns false if arrow-go must write them: if one
// is not plain, begins in the middle of its buffers, or has buffers of other sizes than the
// format wants.
func (b *body) record(rec arrow.RecordBatch) bool {
	if tagged, ok := rec.(arrow.RecordBatchWithMetadata); ok && tagged.Metadata().Len() > 0 {
		return false
	}
	b.rows = rec.NumRows()
	b.nodes = make([]node, 0, rec.NumCols())
	b.buffers = make([]buffer, 0, 2*rec.NumCols())
	for _, column := range rec.Columns() {
		column.NullN() // counts them if that has not been done
		if int64(column.Len()) != b.rows || !b.column(column.Data(), 1) {
			return false
		}
	}
	return b.metadataSize() <= maxMetadata
}

// column adds a column and its children.
func (b *body) column(data arrow.ArrayData, depth int) bool {
	layout, width, ok := plainLayout(data.DataType())
	// A slice's nulls are mostly not counted.
	if !ok || data.Offset() != 0 || data.NullN() < 0 || depth > maxDepth {
		return false
	}
	b.nodes = append(b.nodes, node{int64(data.Len()), int64(data.NullN())})
	if layout == layoutNull {
		return true
	}
	return b.validity(data) && b.values(data, layout, width) && b.children(data, layout, width, depth)
}

// validity adds the bitmap, or an empty one if all rows are valid.
func (b *body) validity(data arrow.ArrayData) bool {
	if data.NullN() == 0 {
		return b.add(nil)
	}
	return b.first(data, 0, int(bitutil.BytesForBits(int64(data.Len()))))
}

// values adds the buffers after the bitmap.
func (b *body) values(data arrow.ArrayData, layout layout, width int) bool {
	switch layout {
	case layoutBits:
		return b.first(data, 1, int(bitutil.BytesForBits(int64(data.Len()))))
	case layoutFixed:
		if !b.first(data, 1, width*data.Len()) {
			return false
		}
		if data.NullN() > 0 {
			b.buffers[len(b.buffers)-1].na = naOf(data.DataType())
		}
		return true
	case layoutList, layoutMap:
		_, ok := b.offsets(data, width)
		return ok
	case layoutBinary:
		last, ok := b.offsets(data, width)
		return ok && b.first(data, 2, last)
	}
	return true
}

// offsets adds those of binary values or lists, and returns the last of them.
func (b *body) offsets(data arrow.ArrayData, width int) (last int, ok bool) {
	n := data.Len()
	if !b.first(data, 1, width*(n+1)) {
		return 0, false
	}
	offsets := b.buffers[len(b.buffers)-1].bytes
	return int(at(offsets, int64(n), int64(width))), at(offsets, 0, int64(width)) == 0
}

// children adds the children, which must be as long as the column needs them. The offsets
// of a list are the last buffer so far.
func (b *body) children(data arrow.ArrayData, layout layout, width, depth int) bool {
	n := data.Len()
	switch layout {
	case layoutList, layoutMap:
		n = int(at(b.buffers[len(b.buffers)-1].bytes, int64(n), int64(width)))
	case layoutFixedList:
		n *= width
	}
	for _, child := range data.Children() {
		if child.Len() != n || !b.column(child, depth+1) {
			return false
		}
	}
	return true
}

// first adds the first n bytes of a buffer.
func (b *body) first(data arrow.ArrayData, i, n int) bool {
	if n == 0 {
		return b.add(nil)
	}
	buffers := data.Buffers()
	if i >= len(buffers) || buffers[i] == nil || n < 0 || n > buffers[i].Len() {
		return false
	}
	return b.add(buffers[i].Bytes()[:n])
}

func (b *body) add(bytes []byte) bool {
	b.buffers = append(b.buffers, buffer{bytes: bytes, at: b.size})
	b.size += padded(len(bytes))
	return true
}

// padded returns the bytes that n take where each buffer begins at a multiple of 8.
func padded(n int) int { return (n + 7) &^ 7 }

// Sizes of a message beside its body: the framing, and the metadata up to the nodes and
// between nodes and buffers.
const (
	framing   = 8
	preamble  = 80
	interlude = 8
	// structSize is that of a node, and of a buffer.
	structSize = 16
)

func (b *body) metadataSize() int {
	return preamble + interlude + structSize*(len(b.nodes)+len(b.buffers))
}

func (b *body) messageSize() int { return framing + b.metadataSize() + b.size }

// appendMessage appends the message.
func (b *body) appendMessage(out []byte) []byte {
	out = b.appendMetadata(out)
	for _, buffer := range b.buffers {
		var padding [8]byte
		out = append(out, buffer.bytes...)
		out = append(out, padding[:padded(len(buffer.bytes))-len(buffer.bytes)]...)
	}
	return out
}

// appendMetadata appends the message without its body. The tables of its metadata are
// always the same, so that they are written front to back, at these offsets:
//
//	 0  offset of the Message
//	 4  vtable of the Message: version, header type, header, body length
//	16  vtable of the RecordBatch: length, nodes, buffers
//	32  Message
//	56  RecordBatch
//	76  number of nodes, nodes, padding, number of buffers, buffers
func (b *body) appendMetadata(out []byte) []byte {
	out = append32(out, continuation, uint32(b.metadataSize()))
	out = append32(out, 32)
	out = append16(out, 12, 20, 16, 18, 4, 8)
	out = append16(out, 10, 20, 8, 4, 16, 0, 0, 0)
	out = append32(out, 32-4, 56-36)
	out = append64(out, int64(b.size))
	out = append16(out, version5, headerRecords, 0, 0)
	out = append32(out, 56-16, 76-60)
	out = append64(out, b.rows)
	out = append32(out, uint32(interlude+structSize*len(b.nodes)+4), uint32(len(b.nodes)))
	for _, n := range b.nodes {
		out = append64(out, n.length, n.nulls)
	}
	out = append32(out, 0, uint32(len(b.buffers)))
	for _, buffer := range b.buffers {
		out = append64(out, int64(buffer.at), int64(len(buffer.bytes)))
	}
	return out
}

func append16(out []byte, values ...uint16) []byte {
	for _, v := range values {
		out = binary.LittleEndian.AppendUint16(out, v)
	}
	return out
}

func append32(out []byte, values ...uint32) []byte {
	for _, v := range values {
		out = binary.LittleEndian.AppendUint32(out, v)
	}
	return out
}

func append64(out []byte, values ...int64) []byte {
	for _, v := range values {
		out = binary.LittleEndian.AppendUint64(out, uint64(v))
	}
	return out
}
