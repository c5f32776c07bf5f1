package arrowipc

import (
	"bytes"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// isPlain tells which of the samples have plain columns only.
func (s sample) isPlain() bool {
	for _, word := range []string{"view", "union", "run ends", "dictionary", "extension", "several columns"} {
		if strings.Contains(s.name, word) {
			return false
		}
	}
	return true
}

// rest reads a reader to its end.
func rest(t testing.TB, reader array.RecordReader) (batches []arrow.RecordBatch) {
	t.Helper()
	defer reader.Release()
	for reader.Next() {
		batch := reader.RecordBatch()
		batch.Retain()
		batches = append(batches, batch)
	}
	if err := reader.Err(); err != nil {
		t.Fatal(err)
	}
	return batches
}

// byArrow reads a sound stream with arrow-go's reader, whatever its columns are.
func byArrow(t testing.TB, stream []byte) []arrow.RecordBatch {
	t.Helper()
	src := &messages{mem: memory.DefaultAllocator}
	src.refs.Store(1)
	if err := new(verifier).walk(stream, src.add); err != nil {
		t.Fatal(err)
	}
	reader, err := ipc.NewReaderFromMessageReader(src)
	if err != nil {
		t.Fatal(err)
	}
	return rest(t, reader)
}

// checkPaths checks that a sound stream of the batches is read alike with arrow-go's
// reader, with a schema that is new and with one that has come before.
func checkPaths(t testing.TB, stream []byte, batches []arrow.RecordBatch) {
	t.Helper()
	checkSame(t, "by arrow-go", byArrow(t, stream), batches)
	var schemas Schemas
	for _, path := range []string{"new schema", "known schema"} {
		reader, err := schemas.NewReader(stream, nil)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		checkSame(t, path, rest(t, reader), batches)
	}
}

// checkKnown checks that a stream that may be anything is as good or bad as it is
// if its schema has come before.
func checkKnown(t testing.TB, stream []byte, verified error) {
	t.Helper()
	v := verifier{rest: stream}
	if _, err := v.frame(); err != nil {
		return
	}
	var schemas Schemas
	if _, err := schemas.NewReader(stream[:len(stream)-len(v.rest)], nil); err != nil {
		return
	}
	if _, err := schemas.NewReader(stream, nil); (err == nil) != (verified == nil) {
		t.Fatalf("verified: %v, with a known schema: %v", verified, err)
	}
}

// checkSame compares batches, which it releases, to the last byte.
func checkSame(t testing.TB, path string, got, want []arrow.RecordBatch) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d batches, want %d", path, len(got), len(want))
	}
	for i := range got {
		schema := want[i].Schema()
		if !got[i].Schema().Equal(schema) || !got[i].Schema().Metadata().Equal(schema.Metadata()) {
			t.Fatalf("%s: schema %v, want %v", path, got[i].Schema(), schema)
		}
		if got, want := got[i].NumRows(), want[i].NumRows(); got != want {
			t.Fatalf("%s: %d rows, want %d", path, got, want)
		}
		for k, column := range want[i].Columns() {
			if !sameData(got[i].Column(k).Data(), column.Data()) {
				t.Fatalf("%s: batch %d, column %d is another one", path, i, k)
			}
		}
		got[i].Release()
	}
}

// sameData compares columns to the last byte, but for what rows there are not.
func sameData(a, b arrow.ArrayData) bool {
	if !arrow.TypeEqual(a.DataType(), b.DataType()) || a.Len() != b.Len() || nulls(a) != nulls(b) || a.Offset() != b.Offset() ||
		len(a.Buffers()) != len(b.Buffers()) || len(a.Children()) != len(b.Children()) {
		return false
	}
	for i := range a.Buffers() {
		if a.Len() > 0 && !bytes.Equal(bytesOf(a.Buffers()[i]), bytesOf(b.Buffers()[i])) {
			return false
		}
	}
	for i := range a.Children() {
		if !sameData(a.Children()[i], b.Children()[i]) {
			return false
		}
	}
	return a.DataType().ID() != arrow.DICTIONARY || sameData(a.Dictionary(), b.Dictionary())
}

// nulls counts where arrow-go has not yet, in dictionaries that it has joined.
func nulls(data arrow.ArrayData) int {
	column := array.MakeFromData(data)
	defer column.Release()
	return column.NullN()
}

func bytesOf(buffer *memory.Buffer) []byte {
	if buffer == nil {
		return nil
	}
	return buffer.Bytes()
}

// Plain columns are assembled, all others are read by arrow-go, and a schema that
// is known makes no difference.
func TestPaths(t *testing.T) {
	register(t)
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			whole := s.stream(t)
			reader, err := NewReader(whole, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := reader.r.(*assembled); ok != s.isPlain() {
				t.Errorf("assembled: %v, want %v", ok, s.isPlain())
			}
			for _, stream := range [][]byte{whole, newEdit(t, whole).uncounted(), newEdit(t, whole).withoutMarkers()} {
				batches, err := readAll(stream, nil)
				if err != nil {
					t.Fatal(err)
				}
				checkPaths(t, stream, batches)
			}
		})
	}
}

// A batch with metadata of its own keeps it, also if the schema is known.
func TestTaggedBatch(t *testing.T) {
	rec := sampleOf(t, "float64").record(t)
	metadata := arrow.NewMetadata([]string{"k"}, []string{"v"})
	tagged := array.NewRecordBatchWithMetadata(rec.Schema(), rec.Columns(), rec.NumRows(), metadata)
	var schemas Schemas
	for _, batch := range []arrow.RecordBatch{rec, tagged, tagged} {
		reader, err := schemas.NewReader(stream(t, []arrow.RecordBatch{batch}), nil)
		if err != nil {
			t.Fatal(err)
		}
		want := batch.(arrow.RecordBatchWithMetadata).Metadata()
		if got := rest(t, reader)[0].(arrow.RecordBatchWithMetadata).Metadata(); !got.Equal(want) {
			t.Errorf("metadata %v, want %v", got, want)
		}
	}
}

// Where the processor needs aligned bodies, arrow-go's reader copies them.
func TestMisalignedIsNotAssembled(t *testing.T) {
	whole := append(make([]byte, 1), sampleOf(t, "float64").stream(t)...)
	for start, want := range map[int]bool{0: true, 1: false} {
		copy(whole[start:], sampleOf(t, "float64").stream(t))
		src := &messages{align: true}
		if err := new(verifier).walk(whole[start:len(whole)-1+start], src.add); err != nil {
			t.Fatal(err)
		}
		if got := src.simple(src.list[1:]); got != want {
			t.Errorf("simple: %v, want %v", got, want)
		}
	}
}

// What should not have been verified is an error and no panic.
func TestAssembledDoesNotPanic(t *testing.T) {
	var schemas Schemas
	whole := sampleOf(t, "string").stream(t)
	reader, err := schemas.NewReader(whole, nil)
	if err != nil {
		t.Fatal(err)
	}
	reader.r.(*assembled).left[0].rows++
	if reader.Next() || reader.Err() == nil || reader.Next() {
		t.Errorf("%v, %v", reader.RecordBatch(), reader.Err())
	}
}
