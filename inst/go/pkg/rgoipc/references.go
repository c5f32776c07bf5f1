package rgoipc

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"mangoro.local/internal/segment"
)

// references stand at the beginning of the payload of a call or result by reference, before
// its stream, whose bodies lie in parts of segments. All integers are little-endian:
//
//	[offer fd:4][offer generation:4][parts:4][0:4]
//	for each part [fd:4][generation:4][offset:8][length:8]
//
// Each part begins at the next multiple of 8 in the address space of the bodies. In a
// result, all parts are of the segment that was offered, and there is no offer.
type references struct {
	offer segment.Name // its FD may be segment.None
	parts []segment.Part
	noNaN bool // of a result: none of its numbers is NaN or NA
}

// flagNoNaN is the flag of references that says so.
const flagNoNaN = 1

const (
	referencesLen = 16
	partLen       = 24
)

// cutReferences reads references off the front of a payload. The parts may have so many
// bytes, all in all.
func cutReferences(payload []byte, most int64) (r references, stream []byte, err error) {
	if len(payload) < referencesLen {
		return r, nil, errorf(CodeProtocol, "%w: %d bytes are too short for references", ErrInvalidMessage, len(payload))
	}
	little := binary.LittleEndian
	n, rest := little.Uint32(payload[8:]), payload[referencesLen:]
	if uint64(n) > uint64(len(rest))/partLen || little.Uint32(payload[12:]) > flagNoNaN {
		return r, nil, errorf(CodeProtocol, "%w: it claims to refer to %d parts, in %d bytes", ErrInvalidMessage, n, len(rest))
	}
	r.offer = segment.Name{FD: little.Uint32(payload), Generation: little.Uint32(payload[4:])}
	r.noNaN = little.Uint32(payload[12:]) == flagNoNaN
	r.parts = make([]segment.Part, n)
	left := uint64(most)
	for i := range r.parts {
		at := rest[partLen*i:]
		p := segment.Part{
			Name:   segment.Name{FD: little.Uint32(at), Generation: little.Uint32(at[4:])},
			Offset: little.Uint64(at[8:]), Length: little.Uint64(at[16:]),
		}
		if p.Offset%8 != 0 {
			return r, nil, errorf(CodeProtocol, "%w: part %d is misaligned at %d", ErrInvalidMessage, i, p.Offset)
		}
		if p.Length > left {
			return r, nil, errorf(CodeResourceExhausted, "the arguments have more bytes than the server takes: at most %d", most)
		}
		left -= p.Length
		r.parts[i] = p
	}
	return r, rest[partLen*int(n):], nil
}

// bytes returns how many bytes the parts have.
func (r references) bytes() (n int64) {
	for _, p := range r.parts {
		n += int64(p.Length)
	}
	return n
}

// append appends the references to a message.
func (r references) append(buf []byte) []byte {
	little := binary.LittleEndian
	flags := uint32(0)
	if r.noNaN {
		flags = flagNoNaN
	}
	buf = slices.Grow(buf, referencesLen+partLen*len(r.parts))
	for _, v := range []uint32{r.offer.FD, r.offer.Generation, uint32(len(r.parts)), flags} {
		buf = little.AppendUint32(buf, v)
	}
	for _, p := range r.parts {
		buf = little.AppendUint32(buf, p.FD)
		buf = little.AppendUint32(buf, p.Generation)
		buf = little.AppendUint64(buf, p.Offset)
		buf = little.AppendUint64(buf, p.Length)
	}
	return buf
}

// moveParts adds to the offsets of the parts that a result refers to.
func moveParts(payload []byte, by int) {
	little := binary.LittleEndian
	for i := range int(little.Uint32(payload[8:])) {
		at := payload[referencesLen+partLen*i+8:]
		little.PutUint64(at, little.Uint64(at)+uint64(by))
	}
}

// open returns the memory of the parts, which is there until release is called.
func (r references) open(table *segment.Table) (parts [][]byte, release func(), err error) {
	var releases []func()
	release = func() {
		for _, f := range releases {
			f()
		}
	}
	for _, p := range r.parts {
		memory, done, err := table.Read(p.Name, p.Offset, p.Length)
		if err != nil {
			release()
			return nil, nil, err
		}
		parts, releases = append(parts, memory), append(releases, done)
	}
	return parts, release, nil
}

// copied returns the parts in ordinary memory, given what open has returned. Bytes that parts
// share are copied once: the segments have as much memory as the copies, whatever is claimed.
func (r references) copied(parts [][]byte) [][]byte {
	order := make([]int, len(parts))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		a, b := r.parts[i], r.parts[j]
		return cmp.Or(cmp.Compare(a.FD, b.FD), cmp.Compare(a.Generation, b.Generation), cmp.Compare(a.Offset, b.Offset))
	})
	out := make([][]byte, len(parts))
	var first segment.Part // of those that share bytes
	var memory []byte      // of these
	for _, i := range order {
		p := r.parts[i]
		at := p.Offset - first.Offset
		if memory == nil || p.Name != first.Name || at >= uint64(len(memory)) {
			first, memory, at = p, bytes.Clone(parts[i]), 0
		} else if more := int(at+p.Length) - len(memory); more > 0 {
			memory = append(memory, parts[i][len(parts[i])-more:]...)
		}
		out[i] = memory[at : at+p.Length : at+p.Length]
	}
	return out
}
