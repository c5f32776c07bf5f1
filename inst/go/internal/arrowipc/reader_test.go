package arrowipc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// readAll reads a stream with an allocator that may be nil.
func readAll(stream []byte, mem memory.Allocator) (batches []arrow.RecordBatch, err error) {
	reader, err := NewReader(stream, mem)
	if err != nil {
		return nil, err
	}
	defer reader.Release()
	for reader.Next() {
		batch := reader.RecordBatch()
		batch.Retain()
		batches = append(batches, batch)
	}
	return batches, reader.Err()
}

// checkRead checks that a stream holds the batches, and that all of its memory is
// given back.
func checkRead(t *testing.T, stream []byte, want []arrow.RecordBatch) {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	got, err := readAll(stream, mem)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Fatalf("%d batches, want %d", len(got), len(want))
	}
	for i := range got {
		if got, want := fmt.Sprint(got[i]), fmt.Sprint(want[i]); got != want {
			t.Errorf("batch %d: %s, want %s", i, got, want)
		}
		(&visitor{left: 1000}).record(t, got[i])
		got[i].Release()
	}
}

func TestRoundTrip(t *testing.T) {
	register(t)
	for _, s := range samples() {
		want := s.batches(t)
		whole := stream(t, want)
		streams := map[string][]byte{
			"whole":            whole,
			"without end mark": whole[:len(whole)-8],
			"without markers":  newEdit(t, whole).withoutMarkers(),
			"without counts":   newEdit(t, whole).uncounted(),
			"misaligned":       append([]byte{0}, whole...)[1:],
		}
		if !strings.Contains(s.name, "union") && !strings.Contains(s.name, "run ends") {
			streams["version 4"] = newEdit(t, whole).version4()
		}
		for name, stream := range streams {
			t.Run(s.name+"/"+name, func(t *testing.T) { checkRead(t, stream, want) })
		}
	}
}

// An extension type that the program does not know is its storage.
func TestUnknownExtension(t *testing.T) {
	s := sampleOf(t, "extension")
	got, err := readAll(s.stream(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	field := got[0].Schema().Field(0)
	if field.Type.ID() != arrow.STRING || got[0].Column(0).ValueStr(0) != "a" {
		t.Errorf("%v", got[0])
	}
	if name, ok := field.Metadata.GetValue(ipc.ExtensionTypeKeyName); !ok || name != "mangoro.tag" {
		t.Errorf("the name of the type is lost: %v", field)
	}
}

// The format knows extensions of dictionaries, not dictionaries of extensions.
func TestExtensionOfDictionary(t *testing.T) {
	register(t)
	batches := dictionaryBatches(t, sampleOf(t, "extension").record(t).Column(0))
	got, err := readAll(stream(t, batches), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, batch := range got {
		(&visitor{left: 1000}).record(t, batch)
	}
	column, ok := got[1].Column(0).(*tagArray)
	if !ok || column.Storage().DataType().ID() != arrow.DICTIONARY || column.Storage().ValueStr(0) != "a" {
		t.Errorf("%v", got[1])
	}
}

// dictionaryBatches are two batches of dictionaries, the second of which is longer.
func dictionaryBatches(t testing.TB, values arrow.Array) []arrow.RecordBatch {
	t.Helper()
	dataType := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int16, ValueType: values.DataType()}
	schema := arrow.NewSchema([]arrow.Field{nullable("x", dataType)}, nil)
	var out []arrow.RecordBatch
	for n := int64(1); n <= int64(values.Len()); n++ {
		indices := array.NewInt16Builder(memory.DefaultAllocator)
		for i := range n {
			indices.Append(int16(i))
		}
		indices.AppendNull()
		dictionary := array.NewSlice(values, 0, n)
		column := array.NewDictionaryArray(dataType, indices.NewArray(), dictionary)
		out = append(out, array.NewRecordBatch(schema, []arrow.Array{column}, n+1))
	}
	return out
}

// Dictionaries of every type that can be, extended and replaced.
func TestDictionaries(t *testing.T) {
	register(t)
	for _, s := range append(flatSamples(), nestedSamples()...) {
		batches := dictionaryBatches(t, s.record(t).Column(0))
		for name, deltas := range map[string]bool{"deltas": true, "replacements": false} {
			if deltas && strings.Contains(s.name, "list view") {
				continue // arrow-go fails to write it
			}
			t.Run(s.name+"/"+name, func(t *testing.T) {
				whole := stream(t, batches, ipc.WithDictionaryDeltas(deltas))
				checkRead(t, whole, batches)
				checkRead(t, newEdit(t, whole).uncounted(), batches)
			})
		}
	}
}

// Dictionaries of every type, extended by themselves.
func TestDoubledDictionaries(t *testing.T) {
	for _, s := range append(flatSamples(), nestedSamples()...) {
		t.Run(s.name, func(t *testing.T) {
			values := s.record(t).Column(0)
			batches := dictionaryBatches(t, values)
			e := newEdit(t, stream(t, batches[len(batches)-1:]))
			p := e.places()
			doubled := slices.Concat(e.bytes[:p[1].end], e.delta(1), e.bytes[p[1].end:])
			got, err := readAll(doubled, nil)
			if err != nil {
				t.Fatal(err)
			}
			(&visitor{left: 1000}).record(t, got[0])
			dictionary := got[0].Column(0).(*array.Dictionary).Dictionary()
			n := values.Len()
			if dictionary.Len() != 2*n {
				t.Fatalf("%d values, want %d", dictionary.Len(), 2*n)
			}
			for i := range n {
				want := values.ValueStr(i)
				if first, second := dictionary.ValueStr(i), dictionary.ValueStr(n+i); first != want || second != want {
					t.Errorf("value %d is %s and %s, want %s", i, first, second, want)
				}
			}
		})
	}
}

// A dictionary that two columns share, and that comes after one that no row needs.
func TestSharedDictionary(t *testing.T) {
	factor := dictionaryOf(arrow.PrimitiveTypes.Int8)
	s := sample{"", []arrow.Field{nullable("a", factor), nullable("b", factor)}, `[{"a": "x", "b": "x"}]`}
	rec := s.record(t)
	e := newEdit(t, stream(t, []arrow.RecordBatch{rec}))
	e.set(0, e.column(1).must(4, "dictionary"), 0, 8, 0)
	// What was the dictionary of b is now another one for both.
	e.set(2, e.message(2).must(2, "header"), 0, 8, 0)
	checkRead(t, e.bytes, []arrow.RecordBatch{rec})
}

// A stream that is cut off passes at the end of a message, and is refused elsewhere.
func TestTruncated(t *testing.T) {
	for _, s := range samples() {
		whole := s.stream(t)
		ends := map[int]bool{}
		for i, p := range newEdit(t, whole).places() {
			// With two dictionaries a stream must not end after the first.
			ends[p.end] = s.name != "several columns" || i != 1
		}
		for n := range len(whole) {
			_, err := readAll(whole[:n], nil)
			if ends[n] && err != nil || !ends[n] && !errors.Is(err, ErrInvalidStream) {
				t.Fatalf("%s, %d of %d bytes: %v", s.name, n, len(whole), err)
			}
		}
	}
}

// Where the processor needs it, bodies are copied to where they are aligned.
func TestAlignedBodies(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	want := sampleOf(t, "several columns").record(t)
	whole := append(make([]byte, 1), stream(t, []arrow.RecordBatch{want})...)[1:]
	src := &messages{mem: mem, align: true}
	src.refs.Store(1)
	if err := new(verifier).walk(whole, src.add); err != nil {
		t.Fatal(err)
	}
	reader, err := ipc.NewReaderFromMessageReader(src, ipc.WithAllocator(mem))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Release()
	if !reader.Next() || !array.RecordEqual(reader.RecordBatch(), want) {
		t.Errorf("%v, %v, want %v", reader.RecordBatch(), reader.Err(), want)
	}
	if mem.CurrentAlloc() == 0 {
		t.Error("nothing was copied")
	}
}

// Once the records are in use the reader may go.
func TestRecordsOutliveReader(t *testing.T) {
	want := sampleOf(t, "several columns").batches(t)
	reader, err := NewReader(stream(t, want), nil)
	if err != nil {
		t.Fatal(err)
	}
	reader.Retain()
	reader.Release()
	if !reader.Next() {
		t.Fatal(reader.Err())
	}
	first := reader.RecordBatch()
	first.Retain()
	if reader.Record() != first || !reader.Schema().Equal(want[0].Schema()) {
		t.Error("Record and Schema are not those of the batch")
	}
	reader.Release()
	if !array.RecordEqual(first, want[0]) {
		t.Errorf("%v, want %v", first, want[0])
	}
	first.Release()
}

// Bodies are views: reading copies nothing.
func TestZeroCopy(t *testing.T) {
	whole := sampleOf(t, "float64").stream(t)
	batches, err := readAll(whole, nil)
	if err != nil {
		t.Fatal(err)
	}
	body := newEdit(t, whole).places()[1].body
	values := batches[0].Column(0).(*array.Float64)
	if values.Value(0) != 1.5 {
		t.Fatal(values)
	}
	i := bytes.Index(whole[body:], values.Data().Buffers()[1].Bytes())
	clear(whole[body+i : body+i+8])
	if values.Value(0) != 0 {
		t.Error("the values have been copied")
	}
}

// What arrow-go refuses after all is an error, too: an extension type that is not
// for this storage, an allocator that has no more.
func TestErrorsOfArrow(t *testing.T) {
	register(t)
	s := one("", newTag(arrow.FixedWidthTypes.Boolean), "true")
	if _, err := NewReader(s.stream(t), nil); !errors.Is(err, ErrInvalidStream) || !strings.Contains(err.Error(), "no tag for booleans") {
		t.Error(err)
	}
	batches := dictionaryBatches(t, sampleOf(t, "string").record(t).Column(0))
	got, err := readAll(stream(t, batches, ipc.WithDictionaryDeltas(true)), noMemory{memory.DefaultAllocator})
	if !errors.Is(err, ErrInvalidStream) || !strings.Contains(err.Error(), "batch 1: ") || len(got) != 1 {
		t.Errorf("%d batches, %v", len(got), err)
	}
}

type noMemory struct{ memory.Allocator }

func (noMemory) Allocate(int) []byte { panic("no memory") }

// The messages end like every MessageReader.
func TestMessagesEnd(t *testing.T) {
	src := &messages{}
	if _, err := src.Message(); err != io.EOF {
		t.Errorf("%v, want %v", err, io.EOF)
	}
}

// verify reads a stream as Schemas.NewReader does, and makes nothing of it.
func verify(stream []byte) error {
	return new(verifier).walk(stream, func(message) {})
}

// Verification costs next to nothing beside reading.
func BenchmarkVerify(b *testing.B) {
	values := array.NewFloat64Builder(memory.DefaultAllocator)
	values.AppendValues(make([]float64, 10_000_000), nil)
	texts := array.NewStringBuilder(memory.DefaultAllocator)
	for range 1_000_000 {
		texts.Append("a string of some length")
	}
	for _, column := range []arrow.Array{values.NewArray(), texts.NewArray()} {
		schema := arrow.NewSchema([]arrow.Field{nullable("x", column.DataType())}, nil)
		rec := array.NewRecordBatch(schema, []arrow.Array{column}, int64(column.Len()))
		bytes := stream(b, []arrow.RecordBatch{rec})
		b.Run(column.DataType().Name(), func(b *testing.B) {
			b.SetBytes(int64(len(bytes)))
			for b.Loop() {
				if err := verify(bytes); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
