package arrowipc

import "github.com/apache/arrow-go/v18/arrow"

// Places says where the values of a stream's columns lie.
type Places struct {
	Schema *arrow.Schema // nil: it is not known
	Rows   int
	Values []Place // of each column
}

// Place is a range of a stream.
type Place struct{ At, Size int }

// Places returns where the values of a stream of one record lie, if all its columns are of
// fixed width and without nulls, and no other bytes of the stream depend on these values: any
// others in their place make as valid a stream.
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
	buffers := record.vector(2, 16)
	if !ok || buffers.n != 2*len(v.schema.fields) || len(m.columns) != len(v.schema.fields) {
		return false
	}
	end := int64(0)
	for i := range buffers.n {
		at, size := buffers.i64(i, 0), buffers.i64(i, 8)
		if size > 0 && at < end {
			return false
		}
		end = max(end, at+size)
		f, c := v.schema.fields[i/2], m.columns[i/2]
		if f.layout != layoutFixed || c.nulls != 0 {
			return false
		}
		if i%2 == 1 {
			p.Values = append(p.Values, Place{At: body + int(at), Size: int(f.width * c.length)})
		}
	}
	p.Rows = int(m.rows)
	return true
}
