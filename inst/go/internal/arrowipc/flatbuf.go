package arrowipc

import (
	"encoding/binary"
	"fmt"
)

const (
	// maxTables bounds the tables of one message, and with them the fields of a
	// schema, whatever the size of its metadata.
	maxTables = 1 << 20
	// reuseFactor bounds how often the bytes of one message may be referred to.
	// Writers that share strings and tables stay far below; a table graph that
	// unfolds exponentially does not.
	reuseFactor = 16
	reuseFloor  = 64 << 10
)

// flat reads one flatbuffer. The first failed check stays in err; from then on
// every accessor returns a zero value, so that callers need to look at err only
// before they act on what they have read.
type flat struct {
	data   []byte
	tables int
	bytes  int64
	err    error

	// short counts the fields beyond the end of their table, see [table.at]. With
	// widen the table ends behind them from then on.
	short int
	widen bool
}

func newFlat(data []byte) *flat {
	return &flat{
		data:   data,
		tables: min(len(data)/8+64, maxTables),
		bytes:  reuseFactor*int64(len(data)) + reuseFloor,
	}
}

func (f *flat) fail(format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf(format, args...)
	}
}

// spend charges n visited bytes to the budget.
func (f *flat) spend(n int) bool {
	f.bytes -= int64(n)
	if f.bytes < 0 {
		f.fail("metadata refers to its own bytes too often")
	}
	return f.err == nil
}

// span checks that n elements of the given size follow pos.
func (f *flat) span(pos, n, size int) bool {
	if f.err == nil && (pos < 0 || pos > len(f.data) || n < 0 || n > (len(f.data)-pos)/size) {
		f.fail("metadata of %d bytes has no %d x %d bytes at %d", len(f.data), n, size, pos)
	}
	return f.err == nil
}

func (f *flat) u16(pos int) int    { return int(binary.LittleEndian.Uint16(f.data[pos:])) }
func (f *flat) u32(pos int) uint32 { return binary.LittleEndian.Uint32(f.data[pos:]) }
func (f *flat) i64(pos int) int64  { return int64(binary.LittleEndian.Uint64(f.data[pos:])) }

// follow resolves the offset stored at pos, which the caller has bounded. Offsets
// are unsigned and relative, so a chain of them always moves on.
func (f *flat) follow(pos int) int {
	off := f.u32(pos)
	if off < 4 || uint64(off) > uint64(len(f.data)-pos) {
		f.fail("offset %d at %d leaves the metadata of %d bytes", off, pos, len(f.data))
		return 0
	}
	return pos + int(off)
}

// root returns the table the buffer starts with.
func (f *flat) root() table {
	if !f.span(0, 1, 4) {
		return table{f: f}
	}
	return f.table(f.follow(0))
}

// table is a verified table: its vtable and its fixed part lie in the buffer. A
// table without slots stands for one that is absent or could not be verified.
type table struct {
	f             *flat
	pos, size     int
	vtable, slots int
}

func (f *flat) table(pos int) table {
	none := table{f: f}
	if !f.span(pos, 1, 4) {
		return none
	}
	if f.tables--; f.tables < 0 {
		f.fail("metadata has too many tables")
		return none
	}
	vtable := int64(pos) - int64(int32(f.u32(pos)))
	if pos%4 != 0 || vtable < 0 || vtable%2 != 0 || vtable > int64(len(f.data)) {
		f.fail("table at %d is misplaced (vtable at %d)", pos, vtable)
		return none
	}
	t := table{f: f, pos: pos, vtable: int(vtable)}
	if !f.span(t.vtable, 1, 4) {
		return none
	}
	length := f.u16(t.vtable)
	t.size = f.u16(t.vtable + 2)
	if length < 4 || length%2 != 0 || t.size < 4 {
		f.fail("table at %d has a vtable of %d bytes for %d bytes", pos, length, t.size)
		return none
	}
	if !f.span(t.vtable, length, 1) || !f.span(pos, t.size, 1) || !f.spend(t.size) {
		return none
	}
	t.slots = length/2 - 2
	return t
}

// at returns where the field of a slot lies, or false if it is absent. It may lie
// beyond the size of its table: the flatbuffers of Go let tables share a vtable if
// their fields begin at the same places, and with it the size of the first of them,
// though the last field of another one may be longer.
func (t table) at(slot, size int) (int, bool) {
	if t.f.err != nil || slot >= t.slots {
		return 0, false
	}
	off := t.f.u16(t.vtable + 4 + 2*slot)
	if off == 0 {
		return 0, false
	}
	pos := t.pos + off
	if off < 4 || pos%size != 0 || pos > len(t.f.data)-size {
		t.f.fail("field %d of the table at %d is misplaced", slot, t.pos)
		return 0, false
	}
	if off > t.size-size {
		t.f.short++
		if t.f.widen && off+size > t.f.u16(t.vtable+2) {
			binary.LittleEndian.PutUint16(t.f.data[t.vtable+2:], uint16(off+size))
		}
	}
	return pos, true
}

func (t table) u8(slot int) uint8 {
	if pos, ok := t.at(slot, 1); ok {
		return t.f.data[pos]
	}
	return 0
}

// flag reads a boolean, which is 0 or 1 and nothing else.
func (t table) flag(slot int) bool {
	v := t.u8(slot)
	if v > 1 {
		t.f.fail("field %d of the table at %d is %d, neither false nor true", slot, t.pos, v)
	}
	return v == 1
}

// i16 and i32 read an integer or an enum; absent is def.
func (t table) i16(slot int, def int16) int16 {
	if pos, ok := t.at(slot, 2); ok {
		return int16(t.f.u16(pos))
	}
	return def
}

func (t table) i32(slot int, def int32) int32 {
	if pos, ok := t.at(slot, 4); ok {
		return int32(t.f.u32(pos))
	}
	return def
}

func (t table) i64(slot int) int64 {
	if pos, ok := t.at(slot, 8); ok {
		return t.f.i64(pos)
	}
	return 0
}

// child returns the table a slot refers to, or false if there is none.
func (t table) child(slot int) (table, bool) {
	pos, ok := t.at(slot, 4)
	if !ok {
		return table{f: t.f}, false
	}
	c := t.f.table(t.f.follow(pos))
	return c, t.f.err == nil
}

// must is child for a slot the format requires.
func (t table) must(slot int, what string) table {
	c, ok := t.child(slot)
	if !ok {
		t.f.fail("%s is missing", what)
	}
	return c
}

// text checks the string of a slot and returns it; absent is empty.
func (t table) text(slot int) []byte {
	v := t.vector(slot, 1)
	if v.f == nil {
		return nil
	}
	end := v.pos + v.n
	if end >= len(v.f.data) || v.f.data[end] != 0 {
		v.f.fail("string at %d is not terminated", v.pos)
		return nil
	}
	return v.f.data[v.pos:end]
}

// vector is a verified vector of n elements of size bytes that start at pos. The
// zero vector is an absent one.
type vector struct {
	f            *flat
	pos, n, size int
}

// vector returns the vector of a slot. Elements are aligned to their size, but
// to no more than 8.
func (t table) vector(slot, size int) vector {
	at, ok := t.at(slot, 4)
	if !ok {
		return vector{}
	}
	f := t.f
	pos := f.follow(at)
	if !f.span(pos, 1, 4) {
		return vector{}
	}
	n := f.u32(pos)
	if uint64(n) > uint64(len(f.data)-pos-4)/uint64(size) {
		f.fail("vector at %d claims %d elements of %d bytes in metadata of %d bytes", pos, n, size, len(f.data))
		return vector{}
	}
	if pos%4 != 0 || n > 0 && (pos+4)%min(size, 8) != 0 {
		f.fail("vector at %d is misaligned", pos)
		return vector{}
	}
	if !f.spend(int(n) * size) {
		return vector{}
	}
	return vector{f: f, pos: pos + 4, n: int(n), size: size}
}

// table returns the i-th element of a vector of tables.
func (v vector) table(i int) table {
	if v.f.err != nil {
		return table{f: v.f}
	}
	return v.f.table(v.f.follow(v.pos + 4*i))
}

// i64 reads the integer at off bytes into the i-th element.
func (v vector) i64(i, off int) int64 { return v.f.i64(v.pos + i*v.size + off) }
