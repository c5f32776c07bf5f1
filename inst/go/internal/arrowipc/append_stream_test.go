package arrowipc

import (
	"errors"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

func unchanged(schema *arrow.Schema) func() *arrow.Schema {
	return func() *arrow.Schema { return schema }
}

func anyBatch(arrow.RecordBatch) error { return nil }

// appendStream is AppendStream without a segment.
func appendStream(buf []byte, r array.RecordReader, before func(arrow.RecordBatch) error, schema func() *arrow.Schema) ([]byte, error) {
	out, _, err := AppendStream(buf, r, nil, before, schema)
	return out, err
}

// Each sample is written as a stream of none, one and several batches.
func TestAppendStream(t *testing.T) {
	register(t)
	for _, s := range samples() {
		if strings.Contains(s.name, "union without children") {
			continue // which arrow-go does not write
		}
		all := s.batches(t)
		for n := 0; n <= len(all); n++ {
			reader, err := array.NewRecordReader(all[0].Schema(), all[:n])
			if err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
			out, err := appendStream([]byte("before"), reader, anyBatch, unchanged(reader.Schema()))
			if err != nil {
				t.Errorf("%s: %v", s.name, err)
				continue
			}
			back, err := NewReader(out[len("before"):], nil)
			if err != nil {
				t.Errorf("%s: %v", s.name, err)
				continue
			}
			if !back.Schema().Equal(reader.Schema()) {
				t.Errorf("%s: got %v, want %v", s.name, back.Schema(), reader.Schema())
			}
			got := 0
			for ; back.Next(); got++ {
				if got < n && !array.RecordEqual(back.RecordBatch(), all[got]) {
					t.Errorf("%s: batch %d is %v, want %v", s.name, got, back.RecordBatch(), all[got])
				}
			}
			if got != n || back.Err() != nil {
				t.Errorf("%s: got %d batches, %v, want %d", s.name, got, back.Err(), n)
			}
		}
	}
}

func TestAppendStreamReplacesTheSchema(t *testing.T) {
	rec := sampleOf(t, "several columns").record(t)
	for _, text := range []string{"", strings.Repeat("longer", 1000)} {
		reader, err := array.NewRecordReader(rec.Schema(), []arrow.RecordBatch{rec, rec})
		if err != nil {
			t.Fatal(err)
		}
		metadata := arrow.NewMetadata([]string{"key"}, []string{text})
		other := arrow.NewSchema(rec.Schema().Fields(), &metadata)
		out, err := appendStream(nil, reader, anyBatch, unchanged(other))
		if err != nil {
			t.Fatal(err)
		}
		batches, err := readAll(out, nil)
		if err != nil || len(batches) != 2 {
			t.Fatal(len(batches), err)
		}
		if own := batches[1].Schema().Metadata(); !own.Equal(metadata) {
			t.Errorf("got %v", own)
		}
	}
}

func TestAppendStreamFails(t *testing.T) {
	rec := sampleOf(t, "several columns").record(t)
	reader, err := array.NewRecordReader(rec.Schema(), []arrow.RecordBatch{rec})
	if err != nil {
		t.Fatal(err)
	}
	stop := errors.New("stop")
	if _, err := appendStream(nil, reader, func(arrow.RecordBatch) error { return stop }, unchanged(rec.Schema())); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
	other := sampleOf(t, "no rows").record(t)
	failing := array.ReaderFromIter(rec.Schema(), func(yield func(arrow.RecordBatch, error) bool) { yield(other, nil) })
	if _, err := appendStream(nil, failing, anyBatch, unchanged(rec.Schema())); err == nil || !strings.Contains(err.Error(), "batch 1") {
		t.Errorf("got %v", err)
	}
}
