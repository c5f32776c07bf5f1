package arrowipc

import (
	"encoding/binary"
	"slices"
)

// writer writes flatbuffers from front to back, sound ones and others.
type writer struct{ bytes []byte }

// part writes something at the end and returns where.
type part func(w *writer) int

func (w *writer) align(n int) {
	for len(w.bytes)%n != 0 {
		w.bytes = append(w.bytes, 0)
	}
}

func (w *writer) put(pos, size int, value int64) {
	var raw [8]byte
	binary.LittleEndian.PutUint64(raw[:], uint64(value))
	copy(w.bytes[pos:], raw[:size])
}

// entry is a field of a table: a number, or a reference to what to does.
type entry struct {
	slot, size int
	value      int64
	to         part
}

func number(slot, size int, value int64) entry { return entry{slot: slot, size: size, value: value} }
func reference(slot int, to part) entry        { return entry{slot: slot, size: 4, to: to} }

// newTable is a table of the entries, each aligned to its size.
func newTable(entries ...entry) part {
	return func(w *writer) int {
		slots := 0
		for _, e := range entries {
			slots = max(slots, e.slot+1)
		}
		w.align(8)
		vtable := len(w.bytes)
		w.bytes = append(w.bytes, make([]byte, 4+2*slots)...)
		w.align(8)
		pos := len(w.bytes)
		w.bytes = append(w.bytes, make([]byte, 4)...)
		w.put(pos, 4, int64(pos-vtable))
		at := make([]int, len(entries))
		for i, e := range entries {
			w.align(e.size)
			at[i] = len(w.bytes)
			w.put(vtable+4+2*e.slot, 2, int64(at[i]-pos))
			w.bytes = append(w.bytes, make([]byte, e.size)...)
			w.put(at[i], e.size, e.value)
		}
		w.put(vtable, 2, int64(4+2*slots))
		w.put(vtable+2, 2, int64(len(w.bytes)-pos))
		for i, e := range entries {
			if e.to != nil {
				w.put(at[i], 4, int64(e.to(w)-at[i]))
			}
		}
		return pos
	}
}

// vectorOf refers to a vector of elements of size bytes.
func vectorOf(slot, size int, raw []byte) entry {
	return reference(slot, func(w *writer) int {
		w.align(8)
		w.bytes = append(w.bytes, 0, 0, 0, 0)
		pos := len(w.bytes)
		w.bytes = append(w.bytes, make([]byte, 4)...)
		w.put(pos, 4, int64(len(raw)/size))
		w.bytes = append(w.bytes, raw...)
		return pos
	})
}

// textOf refers to a string.
func textOf(slot int, text string) entry {
	return reference(slot, func(w *writer) int {
		w.align(4)
		pos := len(w.bytes)
		w.bytes = append(w.bytes, make([]byte, 4)...)
		w.put(pos, 4, int64(len(text)))
		w.bytes = append(append(w.bytes, text...), 0)
		return pos
	})
}

// tablesOf refers to a vector of tables.
func tablesOf(slot int, tables ...part) entry {
	return reference(slot, func(w *writer) int {
		w.align(4)
		pos := len(w.bytes)
		w.bytes = append(w.bytes, make([]byte, 4+4*len(tables))...)
		w.put(pos, 4, int64(len(tables)))
		for i, table := range tables {
			at := pos + 4 + 4*i
			w.put(at, 4, int64(table(w)-at))
		}
		return pos
	})
}

// repeatedOf refers to a vector of n times the same table.
func repeatedOf(slot, n int, table part) entry {
	return reference(slot, func(w *writer) int {
		pos := tablesOf(slot, slices.Repeat([]part{func(*writer) int { return 0 }}, n)...).to(w)
		shared := table(w)
		for at := pos + 4; at < pos+4+4*n; at += 4 {
			w.put(at, 4, int64(shared-at))
		}
		return pos
	})
}

// newMessage is a message of version 5, unless more entries say otherwise.
func newMessage(kind int64, header part, body []byte, more ...entry) []byte {
	entries := []entry{number(0, 2, version5), number(1, 1, kind), reference(2, header), number(3, 8, int64(len(body)))}
	return framed(newTable(append(entries, more...)...), body)
}

// framed is a message of any table.
func framed(root part, body []byte) []byte {
	w := &writer{bytes: make([]byte, 8)}
	w.put(0, 4, int64(root(w)))
	w.align(8)
	out := []byte{255, 255, 255, 255}
	out = binary.LittleEndian.AppendUint32(out, uint32(len(w.bytes)))
	return slices.Concat(out, w.bytes, body)
}

// newSchema is the schema message of a column of each field.
func newSchema(fields ...part) []byte {
	return newMessage(headerSchema, newTable(tablesOf(1, fields...)), nil)
}

// newField is a field of a type, with more entries.
func newField(kind int64, params part, more ...entry) part {
	return newTable(append([]entry{textOf(0, "x"), number(2, 1, kind), reference(3, params)}, more...)...)
}
