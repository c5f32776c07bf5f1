package arrowipc

import (
	"encoding/binary"
	"fmt"
)

// A flatbuffer is read through these types alone: they look at no byte that
// was not checked to be there.

// maxDepth is how deep tables may lie in each other.
const maxDepth = 64

// flatbuf is a flatbuffer under verification.
type flatbuf struct {
	bytes  []byte
	tables int // tables that may still be looked at
}

// newFlatbuf allows as many tables as the bytes can hold, each once: tables
// that share others cannot make the walk longer than the buffer.
func newFlatbuf(bytes []byte) *flatbuf {
	return &flatbuf{bytes: bytes, tables: len(bytes)/4 + 1}
}

// table is a table whose vtable and extent are inside the buffer. The zero
// table has no fields.
type table struct {
	buf    *flatbuf
	pos    int
	vtable int
	fields int // number of fields that the vtable has
	size   int // length of the table itself
	depth  int
}

// root returns the table that the buffer is about.
func (b *flatbuf) root() (table, error) {
	if len(b.bytes) < 4 {
		return table{}, fmt.Errorf("a flatbuffer of %d bytes", len(b.bytes))
	}
	return b.table(0, 1)
}

// table follows the offset at pos to a table.
func (b *flatbuf) table(pos, depth int) (table, error) {
	if depth > maxDepth {
		return table{}, fmt.Errorf("tables lie more than %d deep", maxDepth)
	}
	if b.tables--; b.tables < 0 {
		return table{}, fmt.Errorf("more tables than %d bytes can hold", len(b.bytes))
	}
	pos, err := b.follow(pos)
	if err != nil {
		return table{}, err
	}
	if len(b.bytes)-pos < 4 {
		return table{}, fmt.Errorf("a table at %d of %d bytes", pos, len(b.bytes))
	}
	vtable := int64(pos) - int64(int32(binary.LittleEndian.Uint32(b.bytes[pos:])))
	if vtable < 0 || vtable > int64(len(b.bytes)-4) {
		return table{}, fmt.Errorf("a vtable at %d of %d bytes", vtable, len(b.bytes))
	}
	t := table{buf: b, pos: pos, vtable: int(vtable), depth: depth}
	vtableSize := int(binary.LittleEndian.Uint16(b.bytes[t.vtable:]))
	t.size = int(binary.LittleEndian.Uint16(b.bytes[t.vtable+2:]))
	if vtableSize < 4 || vtableSize%2 != 0 || vtableSize > len(b.bytes)-t.vtable || t.size < 4 || t.size > len(b.bytes)-pos {
		return table{}, fmt.Errorf("a table of %d bytes with a vtable of %d bytes does not fit", t.size, vtableSize)
	}
	t.fields = (vtableSize - 4) / 2
	return t, nil
}

// follow returns the position that the offset at pos leads to.
func (b *flatbuf) follow(pos int) (int, error) {
	if pos < 0 || len(b.bytes)-pos < 4 {
		return 0, fmt.Errorf("an offset at %d of %d bytes", pos, len(b.bytes))
	}
	target := int64(pos) + int64(binary.LittleEndian.Uint32(b.bytes[pos:]))
	if target > int64(len(b.bytes)) {
		return 0, fmt.Errorf("an offset to %d of %d bytes", target, len(b.bytes))
	}
	return int(target), nil
}

// field returns where a field of so many bytes is, and whether it is there.
func (t table) field(index, size int) (pos int, ok bool, err error) {
	if index >= t.fields {
		return 0, false, nil
	}
	offset := int(binary.LittleEndian.Uint16(t.buf.bytes[t.vtable+4+2*index:]))
	if offset == 0 {
		return 0, false, nil
	}
	if offset < 4 || offset+size > t.size {
		return 0, false, fmt.Errorf("field %d lies outside its table", index)
	}
	return t.pos + offset, true, nil
}

// integer returns a field of 1, 2, 4 or 8 bytes as a signed number, or what it
// is by default.
func (t table) integer(index, size int, byDefault int64) (int64, error) {
	pos, ok, err := t.field(index, size)
	if err != nil || !ok {
		return byDefault, err
	}
	bytes := t.buf.bytes[pos:]
	switch size {
	case 1:
		return int64(int8(bytes[0])), nil
	case 2:
		return int64(int16(binary.LittleEndian.Uint16(bytes))), nil
	case 4:
		return int64(int32(binary.LittleEndian.Uint32(bytes))), nil
	default:
		return int64(binary.LittleEndian.Uint64(bytes)), nil
	}
}

// child returns the table that a field leads to, and whether there is one.
func (t table) child(index int) (table, bool, error) {
	pos, ok, err := t.field(index, 4)
	if err != nil || !ok {
		return table{}, false, err
	}
	child, err := t.buf.table(pos, t.depth+1)
	return child, err == nil, err
}

// vector is a vector whose elements are inside the buffer.
type vector struct {
	owner table
	pos   int // of the first element
	len   int
}

// vector returns the vector that a field leads to, of elements of size bytes.
// A field that is not there is an empty vector.
func (t table) vector(index, size int) (vector, error) {
	pos, ok, err := t.field(index, 4)
	if err != nil || !ok {
		return vector{}, err
	}
	if pos, err = t.buf.follow(pos); err != nil {
		return vector{}, err
	}
	left := len(t.buf.bytes) - pos - 4
	if left < 0 {
		return vector{}, fmt.Errorf("a vector at %d of %d bytes", pos, len(t.buf.bytes))
	}
	n := binary.LittleEndian.Uint32(t.buf.bytes[pos:])
	if int64(n) > int64(left/size) {
		return vector{}, fmt.Errorf("a vector claims %d elements of %d bytes, and %d bytes are left", n, size, left)
	}
	return vector{owner: t, pos: pos + 4, len: int(n)}, nil
}

// str returns the string that a field leads to. One that is not there is empty.
func (t table) str(index int) (string, error) {
	v, err := t.vector(index, 1)
	if err != nil || v.len == 0 {
		return "", err
	}
	return string(t.buf.bytes[v.pos : v.pos+v.len]), nil
}

// table returns an element of a vector of tables.
func (v vector) table(i int) (table, error) {
	return v.owner.buf.table(v.pos+4*i, v.owner.depth+1)
}

// int64 returns the number at a byte offset into a vector.
func (v vector) int64(offset int) int64 {
	return int64(binary.LittleEndian.Uint64(v.owner.buf.bytes[v.pos+offset:]))
}
