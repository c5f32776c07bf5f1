package arrowipc

import (
	"fmt"
	"slices"
	"sort"
)

// space is the memory that the bodies of a stream lie in if they do not follow their
// metadata: parts, of which each begins at the next multiple of 8. The bodies lie in it one
// after the other.
type space struct {
	parts  [][]byte
	starts []int64 // of each part
	size   int64   // of all parts
	used   int64   // by the bodies so far
}

func newSpace(parts [][]byte) *space {
	s := &space{parts: parts, starts: make([]int64, len(parts))}
	for i, part := range parts {
		s.starts[i] = s.size
		s.size += int64(padded(len(part)))
	}
	return s
}

// CheckParts returns an error if the bodies of a stream do not have as many bytes as the parts
// that they are to lie in, which are not read: before they are copied.
func CheckParts(stream []byte, parts [][]byte) error {
	s, v := newSpace(parts), verifier{rest: stream}
	for ; ; v.n++ {
		m, err := v.frame()
		if err == nil && m.meta == nil {
			break
		}
		if err == nil {
			root := newFlat(m.meta).root()
			size := root.i64(3)
			if err = root.f.err; err == nil {
				_, err = s.cut(size)
			}
		}
		if err != nil {
			return fmt.Errorf("%w: message %d: %w", ErrInvalidStream, v.n, err)
		}
	}
	if left := s.left(); left > 0 {
		return fmt.Errorf("%w: %d bytes follow the last body", ErrInvalidStream, left)
	}
	return nil
}

// bytes returns how many bytes there are.
func (s *space) bytes() int64 {
	if s == nil {
		return 0
	}
	return s.size
}

// left returns how many bytes no body has taken.
func (s *space) left() int64 {
	if s == nil {
		return 0
	}
	return s.size - s.used
}

// cut cuts off the body of the next message.
func (s *space) cut(size int64) (content, error) {
	if size < 0 || size > s.size-s.used {
		return content{}, fmt.Errorf("body of %d bytes is not there, %d bytes are left", size, s.size-s.used)
	}
	if size%8 != 0 {
		return content{}, fmt.Errorf("body of %d bytes does not end at a multiple of 8", size)
	}
	if size == 0 {
		return content{}, nil
	}
	from := s.used
	s.used += size
	if part, at := s.find(from); part != nil && size <= int64(padded(len(part)))-at {
		return content{bytes: part[at:min(at+size, int64(len(part)))], size: size}, nil
	}
	return content{space: s, from: from, size: size}, nil
}

// find returns the part that an address lies in, and where in it. Of the parts that begin
// at an address only the last has bytes.
func (s *space) find(address int64) (part []byte, at int64) {
	i := sort.Search(len(s.starts), func(i int) bool { return s.starts[i] > address }) - 1
	if i < 0 {
		return nil, 0
	}
	return s.parts[i], address - s.starts[i]
}

// content is the body of a message.
type content struct {
	bytes []byte // if it is in one piece; what pads the end may be missing
	space *space // or else
	from  int64  // in the space
	size  int64
}

// slice returns n bytes of the body, which must lie in one part. No bytes lie anywhere.
func (c content) slice(at, n int64) ([]byte, error) {
	if at < 0 || n < 0 || at > c.size || n > c.size-at {
		return nil, fmt.Errorf("leaves the body of %d bytes", c.size)
	}
	if n == 0 {
		return []byte{}, nil
	}
	bytes, from := c.bytes, at
	if c.space != nil {
		bytes, from = c.space.find(c.from + at)
	}
	if size := int64(len(bytes)); from > size || n > size-from {
		return nil, fmt.Errorf("leaves its part of %d bytes", size)
	}
	return bytes[from : from+n], nil
}

// joined returns the body as one piece of memory, in a copy if it is not.
func (c content) joined() []byte {
	if c.space == nil {
		return c.bytes
	}
	out := make([]byte, c.size)
	for i, part := range c.space.parts {
		start := c.space.starts[i] - c.from
		if start < c.size && start+int64(len(part)) > 0 {
			copy(out[max(start, 0):], part[max(-start, 0):])
		}
	}
	return out
}

// anyPiece tells whether that is so for a piece of memory of the body.
func (c content) anyPiece(is func([]byte) bool) bool {
	if c.space == nil {
		return is(c.bytes)
	}
	return slices.ContainsFunc(c.space.parts, is)
}
