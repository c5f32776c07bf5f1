package arrowipc

import (
	"io"
	"math"
	"slices"
	"testing"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"mangoro.local/internal/segment"
	"mangoro.local/internal/segment/segmenttest"
)

// partsOf returns the memory of what is referred to.
func partsOf(t testing.TB, r *Referred, file io.ReaderAt) (parts [][]byte) {
	t.Helper()
	for _, part := range r.Parts {
		if part.Offset%8 != 0 {
			t.Errorf("a part begins at %d", part.Offset)
		}
		bytes := make([]byte, part.Length)
		if _, err := file.ReadAt(bytes, int64(part.Offset)); err != nil {
			t.Fatal(err)
		}
		parts = append(parts, bytes)
	}
	return parts
}

func TestReferSamples(t *testing.T) {
	register(t)
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			to, file := segmenttest.Offer(t, 1)
			rec := s.record(t)
			stream, err := new(Writer).Append(nil, rec)
			if err != nil {
				return // arrow-go does not write it
			}
			referred, err := new(Writer).Refer(rec, to)
			if err != nil || referred == nil {
				t.Fatal(referred, err)
			}
			got, err := readParts(referred.Metadata, partsOf(t, referred, file))
			if err != nil {
				t.Fatal(err)
			}
			want, err := readAll(stream, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i := range got {
				if !array.RecordApproxEqual(got[i], want[i], array.WithNaNsEqual(true)) {
					t.Errorf("got %v, want %v", got[i], want[i])
				}
			}
		})
	}
}

// A stream is referred to if it is large.
func TestReferStreams(t *testing.T) {
	register(t)
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			to, file := segmenttest.Offer(t, 1)
			one, err := array.NewRecordReader(s.batches(t)[0].Schema(), s.batches(t))
			if err != nil {
				t.Fatal(err)
			}
			small, referred, err := AppendStream(nil, one, to, anyBatch, unchanged(one.Schema()))
			if err != nil {
				return // arrow-go does not write it
			}
			if referred != nil {
				t.Fatal("a small stream is referred to")
			}
			var batches []arrow.RecordBatch
			for n := 0; n < segment.Floor; n += len(small) - 8 {
				batches = append(batches, s.batches(t)...)
			}
			large, err := array.NewRecordReader(one.Schema(), batches)
			if err != nil {
				t.Fatal(err)
			}
			stream, referred, err := AppendStream(nil, large, to, anyBatch, unchanged(large.Schema()))
			if err != nil {
				t.Fatal(err)
			}
			var got []arrow.RecordBatch
			if referred == nil {
				if len(stream) >= segment.Floor+endOfStream {
					t.Fatal("a large stream is not referred to")
				}
				got, err = readAll(stream, nil)
			} else {
				got, err = readParts(referred.Metadata, partsOf(t, referred, file))
			}
			if err != nil || len(got) != len(batches) {
				t.Fatal(len(got), len(batches), err)
			}
			for i := range got {
				if !array.RecordApproxEqual(got[i], batches[i], array.WithNaNsEqual(true)) {
					t.Fatalf("got %v, want %v", got[i], batches[i])
				}
			}
		})
	}
}

// asBytes returns the memory of numbers.
func asBytes[T any](values []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), len(values)*int(unsafe.Sizeof(values[0])))
}

func columnOf(dataType arrow.DataType, n int, valid, values []byte) arrow.Array {
	var bitmap *memory.Buffer
	nulls := 0
	if valid != nil {
		bitmap, nulls = memory.NewBufferBytes(valid), array.UnknownNullCount
	}
	return array.MakeFromData(array.NewData(dataType, n, []*memory.Buffer{bitmap, memory.NewBufferBytes(values)}, nil, nulls, 0))
}

func recordOf(columns ...arrow.Array) arrow.RecordBatch {
	var fields []arrow.Field
	for i, c := range columns {
		fields = append(fields, arrow.Field{Name: string(rune('a' + i)), Type: c.DataType(), Nullable: true})
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, int64(columns[0].Len()))
}

// What lies in the segment is referred to, once, and all else is copied.
func TestReferDoesNotCopy(t *testing.T) {
	to, _ := segmenttest.Offer(t, 1)
	const n = segment.Floor
	there, elsewhere := segment.Make[float64](to, n), make([]float64, n)
	x := columnOf(arrow.PrimitiveTypes.Float64, n, nil, asBytes(there))
	y := columnOf(arrow.PrimitiveTypes.Float64, n, nil, asBytes(elsewhere))
	for _, tt := range []struct {
		name    string
		columns []arrow.Array
		copied  int
	}{
		{"there", []arrow.Array{x}, 0},
		{"there and elsewhere", []arrow.Array{x, y}, 1},
		{"twice", []arrow.Array{x, x}, 1},
	} {
		before, _ := to.Offset(to.Alloc(1))
		r, err := new(Writer).Refer(recordOf(tt.columns...), to)
		if err != nil || r == nil {
			t.Fatal(r, err)
		}
		after, _ := to.Offset(to.Alloc(1))
		if got := int(after-before) / (8 * n); got != tt.copied {
			t.Errorf("%s: %d columns were copied, want %d", tt.name, got, tt.copied)
		}
		if r.Parts[0].Offset != 0 || r.Parts[0].Length != 8*n {
			t.Errorf("%s: %+v", tt.name, r.Parts)
		}
	}
}

func TestReferWritesNA(t *testing.T) {
	to, file := segmenttest.Offer(t, 1)
	valid := []byte{0b101} // and nothing after the third row
	floats, ints, longs, shorts := []float64{1, 2, 3}, []int32{1, 2, 3}, []int64{1, 2, 3}, []int16{1, 2, 3}
	rec := recordOf(
		columnOf(arrow.PrimitiveTypes.Float64, 3, valid, asBytes(floats)),
		columnOf(arrow.PrimitiveTypes.Int32, 3, valid, asBytes(ints)),
		columnOf(arrow.PrimitiveTypes.Int64, 3, valid, asBytes(longs)),
		columnOf(arrow.PrimitiveTypes.Int16, 3, valid, asBytes(shorts)),
	)
	r, err := new(Writer).Refer(rec, to)
	if err != nil || r == nil {
		t.Fatal(r, err)
	}
	got, err := readParts(r.Metadata, partsOf(t, r, file))
	if err != nil {
		t.Fatal(err)
	}
	f := got[0].Column(0).(*array.Float64).Float64Values()
	i := got[0].Column(1).(*array.Int32).Int32Values()
	l := got[0].Column(2).(*array.Int64).Int64Values()
	s := got[0].Column(3).(*array.Int16).Int16Values()
	if f[0] != 1 || math.Float64bits(f[1]) != realNA || f[2] != 3 {
		t.Errorf("got %v", f)
	}
	if !slices.Equal(i, []int32{1, math.MinInt32, 3}) || !slices.Equal(l, []int64{1, math.MinInt64, 3}) || !slices.Equal(s, shorts) {
		t.Errorf("got %v, %v, %v", i, l, s)
	}
	if floats[1] != 2 || ints[1] != 2 || longs[1] != 2 {
		t.Error("the values of others have changed")
	}
}

// Without room a record is not referred to, and a stream is written as a whole.
func TestReferWithoutRoom(t *testing.T) {
	to, _ := segmenttest.Offer(t, 1)
	to.Release()
	for _, name := range []string{"string", "dictionary by int32"} {
		rec := sampleOf(t, name).record(t)
		if r, err := new(Writer).Refer(rec, to); r != nil || err != nil {
			t.Errorf("%s: got %+v, %v", name, r, err)
		}
		reader, err := array.NewRecordReader(rec.Schema(), []arrow.RecordBatch{rec})
		if err != nil {
			t.Fatal(err)
		}
		out, r, err := AppendStream(nil, reader, to, anyBatch, unchanged(rec.Schema()))
		if err != nil || r != nil {
			t.Fatal(r, err)
		}
		if got, err := readAll(out, nil); err != nil || !array.RecordEqual(got[0], rec) {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
}
