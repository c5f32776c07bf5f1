package rgoipc

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// classed is a column of one row, a list of raw bytes as R sends them.
func classed(t *testing.T, class string) arrow.RecordBatch {
	t.Helper()
	return columnX(boxed(fixedWidth(uint8s, []byte{1, 2}, nil), arrow.MetadataFrom(map[string]string{metaClass: class})))
}

// classOf returns the class of the elements of a list, or of a plain column.
func classOf(field arrow.Field) string {
	for {
		if class, _ := field.Metadata.GetValue(metaClass); class != "" {
			return class
		}
		list, ok := field.Type.(arrow.ListLikeType)
		if !ok {
			return ""
		}
		field = list.ElemField()
	}
}

func TestResultArrowArrays(t *testing.T) {
	for name, tt := range map[string]struct {
		fn   func(x arrow.Array) arrow.Array
		want string
	}{
		"as it came":   {func(x arrow.Array) arrow.Array { x.Retain(); return x }, "raw"},
		"its data":     {func(x arrow.Array) arrow.Array { return array.MakeFromData(x.Data()) }, "raw"},
		"a slice":      {func(x arrow.Array) arrow.Array { return array.NewSlice(x, 0, 1) }, ""},
		"another type": {func(arrow.Array) arrow.Array { return array.NewNull(2) }, ""},
	} {
		_, got, err := resultOf(t, typed(t, tt.fn), classed(t, "raw"))
		if err != nil || classOf(got.Schema().Field(0)) != tt.want {
			t.Errorf("%s: got %v, %v", name, got.Schema(), err)
		}
	}
	// A column that is no list is the array itself, and its result a list of that.
	rec := columns(t, arg{texts, `["a", "b"]`, "factor", ""})
	got, out, err := resultOf(t, typed(t, func(x arrow.Array) arrow.Array { x.Retain(); return x }), rec)
	if err != nil || got != `[["a","b"]]` || classOf(out.Schema().Field(0)) != "factor" {
		t.Errorf("got %s of %v, %v", got, out.Schema(), err)
	}
}

func TestResultArrowNothing(t *testing.T) {
	same := func(x arrow.Array) arrow.Array { x.Retain(); return x }
	got, out, err := resultOf(t, typed(t, same), columns(t, arg{nulls, `[null]`, "", ""}))
	if err != nil || got != `[null]` || out.Schema().Field(0).Type.ID() != arrow.NULL {
		t.Errorf("got %s of %v, %v", got, out.Schema(), err)
	}
}

// The columns of a record keep what they came with, alone and among others.
func TestResultArrowColumns(t *testing.T) {
	one := fixedWidth(uint8s, []byte{1, 2}, nil)
	field := arrow.Field{Name: "a", Type: one.DataType(), Nullable: true, Metadata: arrow.MetadataFrom(map[string]string{metaClass: "raw"})}
	rec := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{field}, nil), []arrow.Array{one}, 2)
	for name, fn := range map[string]FunctionHandler{
		"as it came": func(r arrow.RecordBatch) (arrow.RecordBatch, error) { r.Retain(); return r, nil },
		"renamed": func(r arrow.RecordBatch) (arrow.RecordBatch, error) {
			fields := []arrow.Field{{Name: "n", Type: arrow.Null}, {Name: "b", Type: one.DataType()}}
			return array.NewRecordBatch(arrow.NewSchema(fields, nil), []arrow.Array{array.NewNull(2), r.Column(0)}, 2), nil
		},
	} {
		registry := NewRegistry()
		if err := registry.Register("f", fn, FunctionSignature{}); err != nil {
			t.Fatal(err)
		}
		f, _ := registry.Get("f")
		out, err := readRecord(nil, replied(t, f, rec))
		if err != nil {
			t.Fatal(err)
		}
		schema := out.Schema()
		if last := schema.Field(schema.NumFields() - 1); classOf(last) != "raw" {
			t.Errorf("%s: got %v", name, schema)
		}
		out.Release()
	}

	args := columnX(boxed(array.RecordToStructArray(rec), arrow.Metadata{}))
	column := func(x arrow.RecordBatch) arrow.Array { c := x.Column(0); c.Retain(); return c }
	got, out, err := resultOf(t, typed(t, column), args)
	if err != nil || got != `[[1,2]]` || classOf(out.Schema().Field(0)) != "raw" {
		t.Errorf("got %s of %v, %v", got, out.Schema(), err)
	}
}

// A record is also made of a stream, whose batches it joins.
func TestRecordOfAStream(t *testing.T) {
	f := typed(t, func(x arrow.RecordBatch) arrow.RecordBatch { x.Retain(); return x })
	part := func(text string) arrow.Array { return fromJSON(t, memory.DefaultAllocator, texts, text) }
	field := arrow.Field{Name: "a", Type: texts, Nullable: true, Metadata: arrow.MetadataFrom(map[string]string{metaClass: "AsIs"})}
	for want, batches := range map[string][]arrow.Array{
		`[[]]`:                     {},
		`[[{"a":"b"}]]`:            {part(`["b"]`)},
		`[[{"a":"b"},{"a":null}]]`: {part(`["b"]`), part(`[]`), part(`[null]`)},
	} {
		var stream bytes.Buffer
		schema := arrow.NewSchema([]arrow.Field{field}, nil)
		writer := ipc.NewWriter(&stream, ipc.WithSchema(schema))
		for _, column := range batches {
			if err := writer.Write(array.NewRecordBatch(schema, []arrow.Array{column}, int64(column.Len()))); err != nil {
				t.Fatal(err)
			}
		}
		if err := writer.Close(); err != nil {
			t.Fatal(err)
		}
		builder := array.NewBinaryBuilder(memory.DefaultAllocator, arrow.BinaryTypes.Binary)
		builder.Append(stream.Bytes())
		got, out, err := resultOf(t, f, columnX(builder.NewArray()))
		if err != nil || got != want {
			t.Errorf("got %s, %v; want %s", got, err, want)
		} else if rows := out.Schema().Field(0).Type.(*arrow.ListType).Elem().(*arrow.StructType); classOf(rows.Field(0)) != "AsIs" {
			t.Errorf("the column has lost its class: %v", rows)
		}
	}
}

// A function may keep what it gets and what it returns, and return it again.
func TestArrowDataIsKept(t *testing.T) {
	var kept []arrow.Array
	var records []arrow.RecordBatch
	var readers []array.RecordReader
	frame := func() arrow.RecordBatch {
		return columnX(boxed(array.RecordToStructArray(columns(t, arg{float64s, `[1, 2]`, "", ""})), arrow.Metadata{}))
	}
	for name, tt := range map[string]struct {
		keep, get any
		rec       arrow.RecordBatch
		want      string
	}{
		"array": {
			func(x arrow.Array) arrow.Array { kept = append(kept, x); return x },
			func() arrow.Array { return kept[len(kept)-1] }, classed(t, "raw"), `[[1,2]]`,
		},
		"array that is not returned": {
			func(x arrow.Array) { kept = append(kept, x) },
			func() arrow.Array { return kept[len(kept)-1] }, classed(t, "raw"), `[[1,2]]`,
		},
		"array that is no list": {
			func(x arrow.Array) { kept = append(kept, x) },
			func() arrow.Array { return kept[len(kept)-1] }, columns(t, arg{texts, `["a"]`, "", ""}), `[["a"]]`,
		},
		"array that is retained": {
			func(x arrow.Array) { x.Retain(); kept = append(kept, x) },
			func() arrow.Array { return kept[len(kept)-1] }, classed(t, "raw"), `[[1,2]]`,
		},
		"column": {
			func(x arrow.RecordBatch) { kept = append(kept, x.Column(0)) },
			func() arrow.Array { return kept[len(kept)-1] }, frame(), `[[1,2]]`,
		},
		"record": {
			func(x arrow.RecordBatch) arrow.RecordBatch { records = append(records, x); return x },
			func() arrow.RecordBatch { return records[len(records)-1] }, frame(), `[[{"x":1},{"x":2}]]`,
		},
		"batch of a reader": {
			func(x array.RecordReader) {
				for x.Next() {
					records = append(records, x.RecordBatch())
				}
				readers = append(readers, x)
			},
			func() arrow.RecordBatch { return records[len(records)-1] }, frame(), `[[{"x":1},{"x":2}]]`,
		},
	} {
		if out, err := typed(t, tt.keep).Handler(tt.rec); err != nil {
			t.Errorf("%s: %v", name, err)
		} else {
			out.Release()
		}
		tt.rec.Release()
		for range 3 {
			got, err := typed(t, tt.get).Handler(columns(t))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if text := asJSON(t, got.Column(0)); text != tt.want {
				t.Errorf("%s: got %s, want %s", name, text, tt.want)
			}
			got.Release()
		}
		if name == "batch of a reader" && readers[0].Next() {
			t.Error("a reader has batches again")
		}
	}
}

func TestHandlersKeepRecords(t *testing.T) {
	var kept, made arrow.RecordBatch
	registry := NewRegistry()
	for name, fn := range map[string]FunctionHandler{
		"keep": func(rec arrow.RecordBatch) (arrow.RecordBatch, error) { kept = rec; return rec, nil },
		"kept": func(arrow.RecordBatch) (arrow.RecordBatch, error) { return kept, nil },
		"make": func(arrow.RecordBatch) (arrow.RecordBatch, error) {
			if made == nil {
				made = columns(t, arg{float64s, `[3]`, "", ""})
			}
			return made, nil
		},
	} {
		if err := registry.Register(name, fn, FunctionSignature{}); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		for _, tt := range []struct{ name, want string }{{"keep", "[1,2]"}, {"kept", "[1,2]"}, {"kept", "[1,2]"}, {"make", "[3]"}} {
			rec := columns(t, arg{float64s, `[1, 2]`, "", ""})
			f, _ := registry.Get(tt.name)
			out, err := readRecord(nil, replied(t, f, rec))
			if err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			if got := asJSON(t, out.Column(0)); got != tt.want {
				t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
			}
			rec.Release()
			out.Release()
		}
	}
}

func asJSON(t *testing.T, column arrow.Array) string {
	t.Helper()
	text, err := json.Marshal(column)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
