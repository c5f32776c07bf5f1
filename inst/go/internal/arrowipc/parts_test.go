package arrowipc

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
)

// apart takes a stream apart into its metadata and its bodies.
func apart(t testing.TB, stream []byte) (metadata []byte, bodies [][]byte) {
	t.Helper()
	v := verifier{rest: stream}
	err := v.walk(stream, func(m message) { bodies = append(bodies, m.body.bytes) })
	if err != nil {
		t.Fatal(err)
	}
	for v.rest = stream; ; {
		before := v.rest
		m, err := v.frame()
		if err != nil {
			t.Fatal(err)
		}
		metadata = append(metadata, before[:len(before)-len(v.rest)]...)
		if m.meta == nil {
			return metadata, bodies
		}
		v.rest = v.rest[newFlat(m.meta).root().i64(3):]
	}
}

// whole puts a stream together, or returns nil if its bodies cannot follow their metadata.
func whole(metadata []byte, parts [][]byte) (stream []byte) {
	var bodies []byte
	for _, part := range parts {
		bodies = append(bodies, part...)
		bodies = append(bodies, make([]byte, padded(len(part))-len(part))...)
	}
	v := verifier{rest: metadata}
	for {
		before := v.rest
		m, err := v.frame()
		if err != nil {
			return nil
		}
		stream = append(stream, before[:len(before)-len(v.rest)]...)
		if m.meta == nil {
			return append(stream, v.rest...)
		}
		size := newFlat(m.meta).root().i64(3)
		if size < 0 || size > int64(len(bodies)) {
			return nil
		}
		stream, bodies = append(stream, bodies[:size]...), bodies[size:]
	}
}

// readParts reads a stream with parts, twice with the same schemas.
func readParts(metadata []byte, parts [][]byte) (batches []arrow.RecordBatch, err error) {
	var schemas Schemas
	for range 2 {
		batches = nil
		reader, err := schemas.NewPartsReader(metadata, parts, nil)
		if err != nil {
			return nil, err
		}
		for reader.Next() {
			reader.RecordBatch().Retain()
			batches = append(batches, reader.RecordBatch())
		}
		if reader.Err() != nil {
			return nil, reader.Err()
		}
		reader.Release()
	}
	return batches, nil
}

// useParts reads a stream with parts that may be anything. What passes is what the stream
// is with its bodies behind their metadata.
func useParts(t testing.TB, metadata []byte, parts [][]byte) (passed bool) {
	t.Helper()
	batches, err := readParts(metadata, parts)
	if err != nil {
		if !errors.Is(err, ErrInvalidStream) {
			t.Fatalf("%v does not wrap ErrInvalidStream", err)
		}
		return false
	}
	if err := CheckParts(metadata, parts); err != nil {
		t.Fatalf("its parts have another size than its bodies: %v", err)
	}
	want, err := readAll(whole(metadata, parts), nil)
	if err != nil {
		t.Fatalf("passes in parts, but not as a whole: %v", err)
	}
	checkSame(t, "in parts", batches, want)
	v := &visitor{left: 1000}
	for _, batch := range want {
		v.record(t, batch)
	}
	return true
}

// cut cuts bytes into pieces whose lengths are given, and the rest.
func cut(b []byte, lengths []byte) (parts [][]byte) {
	for _, n := range lengths {
		n := min(int(n), len(b))
		parts, b = append(parts, b[:n:n]), b[n:]
	}
	return append(parts, b)
}

func TestPartsOfSamples(t *testing.T) {
	register(t)
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			metadata, bodies := apart(t, s.stream(t))
			for _, parts := range [][][]byte{bodies, {slices.Concat(bodies...)}, eights(bodies)} {
				batches, err := readParts(metadata, parts)
				if err != nil {
					if len(parts) <= len(bodies) {
						t.Error(err)
					}
					continue
				}
				want, err := readAll(s.stream(t), nil)
				if err != nil {
					t.Fatal(err)
				}
				checkSame(t, "in parts", batches, want)
			}
		})
	}
}

// eights cuts bodies into parts of 8 bytes. A larger buffer lies in no part then.
func eights(bodies [][]byte) (parts [][]byte) {
	for _, body := range bodies {
		parts = slices.AppendSeq(parts, slices.Chunk(body, 8))
	}
	return parts
}

// A part for each buffer, without what pads it.
func TestPartsOfBuffers(t *testing.T) {
	for _, s := range samples() {
		rec := s.record(t)
		var b body
		if !b.record(rec) || b.size == 0 {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			stream, err := new(Writer).Append(nil, rec)
			if err != nil {
				t.Fatal(err)
			}
			metadata, _ := apart(t, stream)
			got, err := readParts(metadata, bytesOfAll(b.buffers))
			if err != nil {
				t.Fatal(err)
			}
			want, err := readAll(stream, nil)
			if err != nil {
				t.Fatal(err)
			}
			checkSame(t, "a part for each buffer", got, want)
		})
	}
}

func TestPartsThatDoNotFit(t *testing.T) {
	rec := sampleOf(t, "string").record(t)
	var b body
	if !b.record(rec) || len(b.buffers) != 3 {
		t.Fatal("a column of strings has other buffers")
	}
	stream, err := new(Writer).Append(nil, rec)
	if err != nil {
		t.Fatal(err)
	}
	metadata, _ := apart(t, stream)
	buffers := bytesOfAll(b.buffers)
	offsets, text := buffers[1], buffers[2]
	behind := slices.Clone(offsets)
	behind[len(behind)-4]++
	falling := slices.Clone(offsets)
	falling[0] = 0x7F
	broken := slices.Clone(text)
	broken[0] = 0xFF
	for want, parts := range map[string][][]byte{
		"leaves its part":      replaced(buffers, 2, text[:len(text)-1]),
		"is not there":         buffers[:2],
		"bytes follow the":     append(slices.Clone(buffers), []byte{0}),
		"0 bytes are left":     {},
		"at 8 leaves its part": {buffers[0], offsets[:8], offsets[8:], text},
		"offsets reach":        replaced(buffers, 1, behind),
		"offset falls":         replaced(buffers, 1, falling),
		"not valid UTF-8":      replaced(buffers, 2, broken),
	} {
		if _, err := readParts(metadata, parts); !errors.Is(err, ErrInvalidStream) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
}

func TestCheckParts(t *testing.T) {
	stream, err := new(Writer).Append(nil, sampleOf(t, "string").record(t))
	if err != nil {
		t.Fatal(err)
	}
	metadata, bodies := apart(t, stream)
	bodies = eights(bodies)
	for want, tt := range map[string]struct {
		stream []byte
		parts  [][]byte
	}{
		"are left":             {metadata, bodies[1:]},
		"8 bytes follow the":   {metadata, append(slices.Clone(bodies), make([]byte, 3))},
		"8000 bytes follow":    {nil, [][]byte{make([]byte, 8000)}},
		"inside the length":    {metadata[:3], bodies},
		"longer than the rest": {metadata[:100], bodies},
		"message 0: ":          {append([]byte{8, 0, 0, 0}, bytes.Repeat([]byte{0xFF}, 8)...), bodies},
	} {
		if err := CheckParts(tt.stream, tt.parts); !errors.Is(err, ErrInvalidStream) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
	if err := CheckParts(metadata, bodies); err != nil {
		t.Error(err)
	}
}

func bytesOfAll(buffers []buffer) (parts [][]byte) {
	for _, b := range buffers {
		parts = append(parts, b.bytes)
	}
	return parts
}

func replaced(parts [][]byte, i int, with []byte) [][]byte {
	out := slices.Clone(parts)
	out[i] = with
	return out
}

// Damaged metadata and bodies, cut into parts anywhere.
func TestMutatedParts(t *testing.T) {
	register(t)
	random := rand.New(rand.NewPCG(3, 4))
	count, passed := 0, 0
	for _, s := range samples() {
		metadata, bodies := apart(t, s.stream(t))
		all := slices.Concat(bodies...)
		for range 50 {
			m, b := metadata, all
			if random.IntN(2) == 0 || len(b) < 8 {
				m = mutate(random, m)
			} else {
				b = mutate(random, b)
			}
			var lengths []byte
			for range random.IntN(4) {
				lengths = append(lengths, byte(random.IntN(32))*8)
			}
			if count++; useParts(t, m, cut(b, lengths)) {
				passed++
			}
		}
	}
	t.Logf("%d streams, of which %d pass", count, passed)
}

func FuzzParts(f *testing.F) {
	register(f)
	for _, s := range samples() {
		metadata, bodies := apart(f, s.stream(f))
		all := slices.Concat(bodies...)
		f.Add(metadata, all, []byte{})
		f.Add(metadata, all, bytes.Repeat([]byte{8}, 4))
		f.Add(metadata, all, []byte{64, 0, 64})
	}
	f.Fuzz(func(t *testing.T, metadata, bodies, lengths []byte) {
		useParts(t, metadata, cut(bodies, lengths))
	})
}
