package rgoipc

import (
	"bytes"
	"testing"
	"unsafe"

	"mangoro.local/internal/segment"
)

func TestCopiedParts(t *testing.T) {
	const size = 1 << 12
	memory := make([]byte, size)
	for i := range memory {
		memory[i] = byte(i % 251)
	}
	part := func(fd uint32, offset, length uint64) segment.Part {
		return segment.Part{Name: segment.Name{FD: fd, Generation: 1}, Offset: offset, Length: length}
	}
	tests := map[string]struct {
		parts []segment.Part
		bytes int // of the copies
	}{
		"none":               {nil, 0},
		"apart":              {[]segment.Part{part(1, 64, 10), part(1, 128, 10)}, 20},
		"of two segments":    {[]segment.Part{part(2, 64, 10), part(1, 64, 10)}, 20},
		"the same":           {[]segment.Part{part(1, 64, 100), part(1, 64, 100), part(1, 64, 100)}, 100},
		"one within another": {[]segment.Part{part(1, 128, 10), part(1, 64, 100)}, 100},
		"adjacent":           {[]segment.Part{part(1, 64, 64), part(1, 128, 64)}, 128},
		"empty":              {[]segment.Part{part(1, 64, 0), part(1, 64, 8), part(1, 72, 0), part(1, 64, 0)}, 8},
		"all of it, later":   {[]segment.Part{part(1, 64, 8), part(1, 0, size)}, size},
	}
	for name, tt := range tests {
		refs := references{parts: tt.parts}
		var parts [][]byte
		for _, p := range tt.parts {
			parts = append(parts, memory[p.Offset:p.Offset+p.Length:p.Offset+p.Length])
		}
		places := make(map[*byte]bool)
		for i, copied := range refs.copied(parts) {
			if !bytes.Equal(copied, parts[i]) || cap(copied) != len(copied) {
				t.Errorf("%s: part %d is another one", name, i)
			}
			for k := range copied {
				if places[&copied[k]] = true; &copied[k] == unsafe.SliceData(parts[i]) {
					t.Errorf("%s: part %d is not copied", name, i)
				}
			}
		}
		if len(places) != tt.bytes {
			t.Errorf("%s: %d bytes are copied, want %d", name, len(places), tt.bytes)
		}
	}
	// Each has some bytes of the one before.
	var parts [][]byte
	var refs references
	for from := 0; from+100 <= size; from += 8 {
		refs.parts = append(refs.parts, part(1, uint64(from), 100))
		parts = append(parts, memory[from:from+100:from+100])
	}
	for i, copied := range refs.copied(parts) {
		if !bytes.Equal(copied, parts[i]) {
			t.Errorf("part %d is another one", i)
		}
	}
}
