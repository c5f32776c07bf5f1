package arrowipc

import (
	"encoding/binary"

	"github.com/apache/arrow-go/v18/arrow"
)

// Places says where the values of a stream's columns lie.
type Places struct {
	Schema *arrow.Schema // nil: it is not known
	Rows   int
	Values []Place // of each column
}

// Place is a range of a stream, in which there are values of a type. Of a list they are its
// elements.
type Place struct {
	At, Size int
	Type     arrow.Type // NULL: not one of the numbers that R has
}

// Places returns where the values of a stream of one record lie, if all its columns are of
// fixed width, or lists of such in one row, and without nulls, and no other bytes of the stream
// depend on these values: any others in their place make as valid a stream.
func (s *Schemas) Places(stream []byte) (p Places, ok bool) {
	v, messages, plain := verifier{known: s}, 0, false
	err := v.walk(stream, func(m message) {
		if messages++; messages == 2 {
			plain = v.places(&p, m, len(stream)-len(v.rest)-int(m.body.size))
		}
	})
	if err != nil || !plain || messages != 2 {
		return Places{}, false
	}
	if v.parsed != nil {
		p.Schema = v.parsed.arrow
	}
	return p, true
}

// places finds the values of a message whose body begins at an offset of the stream. Its
// buffers must lie one after the other, so that no bitmap lies where values are.
func (v *verifier) places(p *Places, m message, body int) bool {
	record, ok := newFlat(m.meta).root().child(2)
	if !ok || len(m.columns) != len(v.schema.fields) {
		return false
	}
	buffers := record.vector(2, 16)
	next, end := 0, int64(0)
	buffer := func() (at int64, ok bool) {
		if next == buffers.n {
			return 0, false
		}
		at, size := buffers.i64(next, 0), buffers.i64(next, 8)
		next++
		if size > 0 && at < end {
			return 0, false
		}
		end = max(end, at+size)
		return at, true
	}
	for i, f := range v.schema.fields {
		c := m.columns[i]
		if f.layout == layoutList && c.length == 1 && c.nulls == 0 {
			if from, to := offsets(c.values, f.width); from != 0 || to != c.children[0].length {
				return false
			}
			for range 2 { // its bitmap, and the offsets
				if _, ok := buffer(); !ok {
					return false
				}
			}
			f, c = f.children[0], c.children[0]
		}
		if f.layout != layoutFixed || c.nulls != 0 {
			return false
		}
		_, hasBitmap := buffer()
		at, hasValues := buffer()
		if !hasBitmap || !hasValues {
			return false
		}
		p.Values = append(p.Values, Place{At: body + int(at), Size: int(f.width * c.length), Type: f.number()})
	}
	p.Rows = int(m.rows)
	return next == buffers.n
}

// offsets returns the first two offsets of a list.
func offsets(values []byte, width int64) (from, to int64) {
	if width == 4 {
		return int64(binary.LittleEndian.Uint32(values)), int64(binary.LittleEndian.Uint32(values[4:]))
	}
	return int64(binary.LittleEndian.Uint64(values)), int64(binary.LittleEndian.Uint64(values[8:]))
}

// number returns the type of numbers that R has, or NULL.
func (f *field) number() arrow.Type {
	switch {
	case f.kind == typeFloat && f.width == 8:
		return arrow.FLOAT64
	case f.kind == typeInt && f.signed && f.width == 8:
		return arrow.INT64
	case f.kind == typeInt && f.signed && f.width == 4:
		return arrow.INT32
	default:
		return arrow.NULL
	}
}
