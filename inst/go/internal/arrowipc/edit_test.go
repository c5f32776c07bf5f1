package arrowipc

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// edit is a copy of a stream whose parts a test may change.
type edit struct {
	t     testing.TB
	bytes []byte
}

func newEdit(t testing.TB, stream []byte) edit { return edit{t, bytes.Clone(stream)} }

// place says where a message lies in its stream.
type place struct{ meta, body, end int }

// places finds the messages of a stream with continuation markers.
func (e edit) places() []place {
	e.t.Helper()
	var out []place
	for pos := 0; pos < len(e.bytes); {
		length := int(binary.LittleEndian.Uint32(e.bytes[pos+4:]))
		if length == 0 {
			break
		}
		p := place{meta: pos + 8, body: pos + 8 + length}
		p.end = p.body + int(newFlat(e.bytes[p.meta:p.body]).root().i64(3))
		out = append(out, p)
		pos = p.end
	}
	return out
}

// batches are the indices of the messages that have nodes.
func (e edit) batches() []int {
	e.t.Helper()
	var out []int
	for i := range e.places() {
		if e.message(i).u8(1) != headerSchema {
			out = append(out, i)
		}
	}
	return out
}

// last is the index of the last message.
func (e edit) last() int { return len(e.places()) - 1 }

func (e edit) message(i int) table {
	e.t.Helper()
	p := e.places()[i]
	return newFlat(e.bytes[p.meta:p.body]).root()
}

// record is the RecordBatch table of a message.
func (e edit) record(i int) table {
	e.t.Helper()
	m := e.message(i)
	header := m.must(2, "header")
	if m.u8(1) == headerDictionary {
		return header.must(1, "data")
	}
	return header
}

// column is the Field table of a column, or of what lies below it.
func (e edit) column(i int, children ...int) table {
	e.t.Helper()
	field := e.message(0).must(2, "header").vector(1, 4).table(i)
	for _, child := range children {
		field = field.vector(5, 4).table(child)
	}
	return field
}

// put writes an integer of size bytes at pos of the metadata of a message.
func (e edit) put(message, pos, size int, value int64) {
	e.t.Helper()
	var raw [8]byte
	binary.LittleEndian.PutUint64(raw[:], uint64(value))
	copy(e.bytes[e.places()[message].meta+pos:], raw[:size])
}

// set changes the field of a slot, which must be there.
func (e edit) set(message int, t table, slot, size int, value int64) {
	e.t.Helper()
	pos, ok := t.at(slot, size)
	if !ok {
		e.t.Fatalf("the table at %d has no field %d: %v", t.pos, slot, t.f.err)
	}
	e.put(message, pos, size, value)
}

// node changes the length and the null count of a node.
func (e edit) node(message, i int, length, nulls int64) {
	e.t.Helper()
	nodes := e.record(message).vector(1, 16)
	e.put(message, nodes.pos+16*i, 8, length)
	e.put(message, nodes.pos+16*i+8, 8, nulls)
}

// bounds changes where a buffer lies.
func (e edit) bounds(message, i int, offset, length int64) {
	e.t.Helper()
	buffers := e.record(message).vector(2, 16)
	e.put(message, buffers.pos+16*i, 8, offset)
	e.put(message, buffers.pos+16*i+8, 8, length)
}

// buffer is the bytes of a buffer.
func (e edit) buffer(message, i int) []byte {
	e.t.Helper()
	buffers := e.record(message).vector(2, 16)
	start := int64(e.places()[message].body) + buffers.i64(i, 0)
	return e.bytes[start : start+buffers.i64(i, 8)]
}

// withoutMarkers is the stream as written before Arrow 0.15.
func (e edit) withoutMarkers() []byte {
	e.t.Helper()
	var out []byte
	for _, p := range e.places() {
		out = append(out, e.bytes[p.meta-4:p.end]...)
	}
	return append(out, 0, 0, 0, 0)
}

// version4 is the stream with the metadata version of Arrow before 1.0.
func (e edit) version4() []byte {
	e.t.Helper()
	for i := range e.places() {
		e.set(i, e.message(i), 0, 2, version4)
	}
	return e.bytes
}

// uncounted is the stream without null counts.
func (e edit) uncounted() []byte {
	e.t.Helper()
	for _, i := range e.batches() {
		nodes := e.record(i).vector(1, 16)
		for k := range nodes.n {
			e.node(i, k, nodes.i64(k, 0), -1)
		}
	}
	return e.bytes
}

// delta is a dictionary message as one that extends the dictionary.
func (e edit) delta(i int) []byte {
	e.t.Helper()
	p, r := e.places()[i], e.record(i)
	raw := func(slot, size int) []byte {
		v := r.vector(slot, size)
		return e.bytes[p.meta+v.pos : p.meta+v.pos+v.n*v.size]
	}
	data := newTable(
		number(0, 8, r.i64(0)), vectorOf(1, 16, raw(1, 16)), vectorOf(2, 16, raw(2, 16)), vectorOf(4, 8, raw(4, 8)),
	)
	id := e.message(i).must(2, "header").i64(0)
	return newMessage(headerDictionary, newTable(number(0, 8, id), reference(1, data), number(2, 1, 1)), e.bytes[p.body:p.end])
}
