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

// checkWritten writes a record and reads it back, with arrow-go's reader and ours.
// It tells whether the record was written here and not by arrow-go.
func checkWritten(t testing.TB, rec arrow.RecordBatch) (ours bool) {
	t.Helper()
	ours = new(body).record(rec)
	var w *Writer
	const before = "before"
	out, err := w.Append([]byte(before), rec)
	if err != nil {
		if ours {
			t.Fatal(err)
		}
		return false // arrow-go reads more than it writes
	}
	if !strings.HasPrefix(string(out), before) {
		t.Fatalf("%q was before, and %q is", before, out[:len(before)])
	}
	if !ours {
		return false
	}
	if len(out) != cap(out) {
		t.Errorf("%d bytes have taken %d", len(out), cap(out))
	}
	stream := out[len(before):]
	if err := verify(stream); err != nil {
		t.Fatalf("%v: %v", rec.Schema(), err)
	}
	reader, err := ipc.NewReader(bytes.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	checkWrote(t, rest(t, reader), rec)
	again, err := readAll(stream, nil)
	if err != nil {
		t.Fatal(err)
	}
	checkWrote(t, again, rec)
	return true
}

// checkWrote compares the one batch of a stream with what was written.
func checkWrote(t testing.TB, got []arrow.RecordBatch, want arrow.RecordBatch) {
	t.Helper()
	if len(got) != 1 || !got[0].Schema().Equal(want.Schema()) || !got[0].Schema().Metadata().Equal(want.Schema().Metadata()) ||
		got[0].NumRows() != want.NumRows() {
		t.Fatalf("%v, want %v", got, want.Schema())
	}
	for i, column := range want.Columns() {
		if column.Len() > 1<<16 {
			continue // nulls, in no bytes
		}
		if !array.ApproxEqual(got[0].Column(i), column, array.WithNaNsEqual(true), array.WithAbsTolerance(0)) {
			t.Fatalf("column %d is %v, want %v", i, got[0].Column(i), column)
		}
	}
	got[0].Release()
}

// All samples, and parts of them.
func TestAppend(t *testing.T) {
	register(t)
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			rec := s.record(t)
			if ours := checkWritten(t, rec); ours != s.isPlain() && rec.NumRows() > 0 {
				t.Errorf("written here: %v, want %v", ours, s.isPlain())
			}
			for from := range rec.NumRows() + 1 {
				for to := from; to <= rec.NumRows(); to++ {
					if strings.Contains(s.name, "list view") && from > 0 {
						continue // arrow-go fails to write it
					}
					checkWritten(t, rec.NewSlice(from, to))
				}
			}
		})
	}
}

// arrays are columns of forms that the samples do not have.
func arrays() map[string]arrow.Array {
	var (
		number  = arrow.PrimitiveTypes.Float64
		text    = arrow.BinaryTypes.String
		numbers = memory.NewBufferBytes(make([]byte, 24))
		offsets = memory.NewBufferBytes([]byte{0, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0})
		later   = memory.NewBufferBytes([]byte{1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0})
		letters = memory.NewBufferBytes([]byte("abc"))
		second  = memory.NewBufferBytes([]byte{2})
		every   = memory.NewBufferBytes([]byte{255})
		none    = memory.NewBufferBytes(nil)
	)
	of := func(dataType arrow.DataType, n, nulls int, buffers ...*memory.Buffer) arrow.Array {
		return array.MakeFromData(array.NewData(dataType, n, buffers, nil, nulls, 0))
	}
	list := func(child arrow.Array, n int, offsets *memory.Buffer) arrow.Array {
		children := []arrow.ArrayData{child.Data()}
		return array.MakeFromData(array.NewData(arrow.ListOf(child.DataType()), n, []*memory.Buffer{nil, offsets}, children, 0, 0))
	}
	return map[string]arrow.Array{
		"no rows, no buffers":         of(number, 0, 0, nil, nil),
		"no rows, some bytes":         of(number, 0, 0, nil, numbers),
		"bytes after the rows":        of(number, 2, 0, nil, numbers),
		"nulls not counted":           of(number, 2, array.UnknownNullCount, second, numbers),
		"bitmap without nulls":        of(number, 1, 0, every, numbers),
		"some nulls":                  of(number, 2, 1, second, numbers),
		"no texts, no offsets":        of(text, 0, 0, nil, nil, nil),
		"no texts, empty offsets":     of(text, 0, 0, nil, none, none),
		"no texts, one offset":        of(text, 0, 0, nil, offsets, letters),
		"texts":                       of(text, 2, 0, nil, offsets, letters),
		"fewer texts than offsets":    of(text, 1, 0, nil, offsets, letters),
		"texts that begin later":      of(text, 2, 0, nil, later, letters),
		"lists":                       list(of(number, 3, 0, nil, numbers), 2, offsets),
		"lists that begin later":      list(of(number, 3, 0, nil, numbers), 2, later),
		"values after the lists":      list(of(number, 3, 0, nil, numbers), 1, offsets),
		"all null":                    array.MakeArrayOfNull(memory.DefaultAllocator, number, 9),
		"lists, all null":             array.MakeArrayOfNull(memory.DefaultAllocator, arrow.ListOf(text), 9),
		"structs, all null":           array.MakeArrayOfNull(memory.DefaultAllocator, arrow.StructOf(nullable("a", text)), 9),
		"a slice in a list":           list(array.NewSlice(of(number, 3, 0, nil, numbers), 1, 3), 1, memory.NewBufferBytes([]byte{0, 0, 0, 0, 2, 0, 0, 0})),
		"many nulls in no bytes":      array.NewNull(maxUnbacked),
		"fixed-size lists, shortened": array.NewSlice(array.MakeArrayOfNull(memory.DefaultAllocator, arrow.FixedSizeListOf(2, number), 5), 0, 3),
	}
}

func TestAppendForms(t *testing.T) {
	byArrow := map[string]bool{
		"no texts, no offsets": true, "no texts, empty offsets": true, "texts that begin later": true,
		"lists that begin later": true, "values after the lists": true, "a slice in a list": true, "fixed-size lists, shortened": true,
	}
	for name, column := range arrays() {
		t.Run(name, func(t *testing.T) {
			schema := arrow.NewSchema([]arrow.Field{nullable("x", column.DataType())}, nil)
			rec := array.NewRecordBatch(schema, []arrow.Array{column}, int64(column.Len()))
			if ours := checkWritten(t, rec); ours == byArrow[name] {
				t.Errorf("written here: %v, want %v", ours, !byArrow[name])
			}
		})
	}
}

// Data without the buffers of its type are not written.
func TestBodyOfNoBuffers(t *testing.T) {
	for _, dataType := range []arrow.DataType{arrow.PrimitiveTypes.Float64, arrow.BinaryTypes.String, arrow.ListOf(arrow.Null)} {
		for _, nulls := range []int{0, 1, array.UnknownNullCount} {
			if new(body).column(array.NewData(dataType, 2, nil, nil, nulls, 0), 1) {
				t.Errorf("%v with %d nulls is written", dataType, nulls)
			}
		}
	}
}

// Types that are nested too deep for the format are left to arrow-go to refuse.
func TestAppendTooDeep(t *testing.T) {
	column := arrow.Array(array.NewNull(1))
	for range maxDepth {
		dataType := arrow.StructOf(nullable("x", column.DataType()))
		column = array.MakeFromData(array.NewData(dataType, 1, []*memory.Buffer{nil}, []arrow.ArrayData{column.Data()}, 0, 0))
	}
	schema := arrow.NewSchema([]arrow.Field{nullable("x", column.DataType())}, nil)
	var w Writer
	if _, err := w.Append(nil, array.NewRecordBatch(schema, []arrow.Array{column}, 1)); err == nil {
		t.Error("there is no error")
	}
}

// The message of a schema is that of the record's own schema.
func TestWriterRemembers(t *testing.T) {
	var w Writer
	records := []arrow.RecordBatch{sampleOf(t, "float64").record(t), sampleOf(t, "string").record(t)}
	for i := range 6 {
		rec := records[i/2%2]
		stream, err := w.Append(nil, rec)
		if err != nil {
			t.Fatal(err)
		}
		got, err := readAll(stream, nil)
		if err != nil {
			t.Fatal(err)
		}
		checkWrote(t, got, rec)
		if w.last.Load().schema != rec.Schema() {
			t.Errorf("call %d: the schema is not remembered", i)
		}
	}
	wide := sampleOf(t, "int8")
	wide.fields[0].Metadata = arrow.NewMetadata([]string{"k"}, []string{strings.Repeat("v", maxSchemaSize)})
	rec := wide.record(t)
	if _, err := w.Append(nil, rec); err != nil || w.last.Load().schema == rec.Schema() {
		t.Errorf("a large schema is remembered, or %v", err)
	}
}
