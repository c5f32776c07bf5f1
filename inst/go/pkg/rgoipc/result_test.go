package rgoipc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// A result of type any is what its value is.
func TestResultAny(t *testing.T) {
	var nothing *float64
	for want, value := range map[string]any{
		`[null]`:                       nil,
		`[1.5]`:                        1.5,
		`[[1,2]]`:                      []int32{1, 2},
		`["a"]`:                        "a",
		`[[{"age":1,"name":"Ann"}]]`:   []person{{Name: "Ann", Age: 1}},
		`[[{"key":"a","value":true}]]`: map[string]bool{"a": true},
		`[[1,null]]`:                   Nulls[int]{Values: []int{1, 0}, Valid: []bool{true, false}},
		`[["b"]]`:                      fromJSON(t, memory.DefaultAllocator, texts, `["b"]`),
		`[[{"x":["c"]}]]`:              columnX(fromJSON(t, memory.DefaultAllocator, arrow.ListOf(texts), `[["c"]]`)),
	} {
		if got, _, err := resultOf(t, typed(t, func() any { return value }), columns(t)); err != nil || got != want {
			t.Errorf("%T: got %s, %v; want %s", value, got, err, want)
		}
	}
	if got, _, err := resultOf(t, typed(t, func() any { return nothing }), columns(t)); err != nil || got != `[null]` {
		t.Errorf("a nil pointer: got %s, %v", got, err)
	}
	two := typed(t, func(x float64) (any, any, error) { return x, []string{"a"}, nil })
	if got, _, err := resultOf(t, two, columns(t, arg{float64s, `[2]`, "", ""})); err != nil || got != `[{"result1":2,"result2":["a"]}]` {
		t.Errorf("two of them: got %s, %v", got, err)
	}
	// An argument that is returned as it came keeps its class.
	same := typed(t, func(x arrow.Array) any { x.Retain(); return x })
	if _, got, err := resultOf(t, same, classed(t, "raw")); err != nil || classOf(got.Schema().Field(0)) != "raw" {
		t.Errorf("got %v, %v", got, err)
	}
}

func mustZone(t *testing.T, name string) *time.Location {
	t.Helper()
	location, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return location
}

func TestResultTypes(t *testing.T) {
	pairs := arrow.FixedSizeListOfField(2, arrow.Field{Name: "item", Type: float64s})
	sorted := arrow.MapOf(texts, float64s)
	sorted.KeysSorted = true
	when := time.Date(2024, 7, 1, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name string
		fn   any
		want arrow.DataType
	}{
		{"float64", func() float64 { return 1 }, float64s},
		{"int32", func() int32 { return 1 }, int32s},
		{"int64", func() int64 { return 1 }, int64s},
		{"int", func() int { return 1 }, int64s},
		{"int8", func() int8 { return 1 }, arrow.PrimitiveTypes.Int8},
		{"int16", func() int16 { return 1 }, arrow.PrimitiveTypes.Int16},
		{"uint8", func() uint8 { return 1 }, uint8s},
		{"uint16", func() uint16 { return 1 }, arrow.PrimitiveTypes.Uint16},
		{"uint32", func() uint32 { return 1 }, arrow.PrimitiveTypes.Uint32},
		{"uint64", func() uint64 { return 1 }, arrow.PrimitiveTypes.Uint64},
		{"uint", func() uint { return 1 }, arrow.PrimitiveTypes.Uint64},
		{"float32", func() float32 { return 1 }, arrow.PrimitiveTypes.Float32},
		{"complex64", func() complex64 { return 1 }, pairs},
		{"array", func() [2]float64 { return [2]float64{} }, arrow.ListOf(float64s)},
		{"array of bytes", func() [2]byte { return [2]byte{} }, arrow.BinaryTypes.Binary},
		{"string", func() string { return "" }, texts},
		{"bool", func() bool { return true }, bools},
		{"time", func() time.Time { return when }, arrow.FixedWidthTypes.Timestamp_ns},
		{"duration", func() time.Duration { return 1 }, arrow.FixedWidthTypes.Duration_ns},
		{"date", func() Date { return 1 }, arrow.FixedWidthTypes.Date32},
		{"matrix", func() Matrix[float64] { return NewMatrix[float64](1, 1) }, arrow.ListOf(float64s)},
		{"frame", func() struct {
			_ Frame
			X []float64
			Y []Date
		} {
			return struct {
				_ Frame
				X []float64
				Y []Date
			}{}
		}, arrow.ListOf(arrow.StructOf(arrow.Field{Name: "X", Type: float64s, Nullable: true}, arrow.Field{Name: "Y", Type: arrow.FixedWidthTypes.Date32, Nullable: true}))},
		{"binary", func() []byte { return nil }, arrow.BinaryTypes.Binary},
		{"complex", func() complex128 { return 1 }, pairs},
		{"list", func() []string { return nil }, arrow.ListOf(texts)},
		{"struct", func() person { return person{} }, people},
		{"[]struct", func() []person { return nil }, arrow.ListOf(people)},
		{"map", func() map[string]float64 { return nil }, sorted},
		{"none", func() {}, nulls},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, got, err := resultOf(t, typed(t, tt.fn), columns(t))
			if err != nil {
				t.Fatal(err)
			}
			if field := got.Schema().Field(0); !arrow.TypeEqual(field.Type, tt.want) || !field.Nullable || got.NumRows() != 1 {
				t.Errorf("got %v of %d rows, want %v", field, got.NumRows(), tt.want)
			}
		})
	}
}

func TestResultClassOfComplex(t *testing.T) {
	for _, fn := range []any{
		func() complex128 { return complex(na, 1) },
		func() []complex128 { return []complex128{complex(1, na)} },
		func() *complex128 { return nil },
	} {
		_, got, err := resultOf(t, typed(t, fn), columns(t))
		if err != nil {
			t.Fatal(err)
		}
		field, column := got.Schema().Field(0), got.Column(0)
		if list, ok := column.(*array.List); ok {
			field, column = list.DataType().(*arrow.ListType).ElemField(), list.ListValues()
		}
		if class, _ := field.Metadata.GetValue(metaClass); class != "complex" || column.NullN() != 1 {
			t.Errorf("got %v: %v", field, column)
		}
	}
}

func TestResultRefuses(t *testing.T) {
	tests := []struct {
		name string
		fn   any
		want string
	}{
		{"string", func() string { return "a\xff" }, "the result must be UTF-8, but row 1 is \"a\\xff\""},
		{"strings that are UTF-8 together", func() []string { return []string{"a", "\xc3", "\xa9"} }, "but element 2 of row 1 is \"\\xc3\""},
		{"named result", func() (int, string) { return 0, "\xff" }, "result `result2` must be UTF-8"},
		{"field", func() []person { return []person{{Name: "a"}, {Name: "\xff"}} }, "field `name` of the result must be UTF-8, but element 2 of row 1"},
		{"key", func() map[string]int { return map[string]int{"\xff": 1} }, "field `name` of the result must be UTF-8"},
		{"value", func() map[string]string { return map[string]string{"a": "\xff"} }, "the result must be UTF-8"},
		{"Nulls", func() Nulls[int] { return Nulls[int]{Values: []int{1}, Valid: []bool{true, true}} }, "must have a Valid for each of its 1 Values, but has 2"},
		{"list of Nulls", func() []Nulls[int] { return []Nulls[int]{{}, {Values: []int{1}, Valid: []bool{}}} }, "must have a Valid for each of its 1 Values, but has 0, in element 2 of row 1"},
		{"matrix of too few", func() Matrix[int] { return Matrix[int]{Rows: 2, Cols: 2, Data: []int{1}} }, "the result must have 2 x 2 elements to be a matrix, but has 1"},
		{"matrix of less than none", func() Matrix[int] { return Matrix[int]{Rows: -1, Cols: -1, Data: []int{1}} }, "the result must have -1 x -1 elements to be a matrix, but has 1"},
		{"matrix of too many names", func() (int, Matrix[int]) { return 1, Matrix[int]{RowNames: []string{"a"}} }, "result `result2` must have a name for each of its 0 rows, or none, but has 1"},
		{"matrix of names that are not UTF-8", func() Matrix[int] { return Matrix[int]{Rows: 1, RowNames: []string{"\xff"}} }, "the result must have names of rows and columns that are UTF-8, but one is \"\\xff\""},
		{"matrix of texts", func() struct{ M Matrix[string] } {
			return struct{ M Matrix[string] }{Matrix[string]{Rows: 1, Cols: 2, Data: []string{"a", "\xff"}}}
		}, "field `M` of the result must be UTF-8, but element 2 of row 1 is"},
		{"columns of two lengths", func() table { return table{X: []float64{1}} }, "the result must have columns of one length to be a data frame, but `x` has 1, `Y` has 0"},
		{"column", func() table {
			return table{X: []float64{1, 2}, Y: Nulls[string]{Values: []string{"a", "\xff"}}}
		}, "field `Y` of the result must be UTF-8, but element 2 of row 1 is"},
		{"any without a codec", func() any { return uintptr(1) }, "the result cannot be sent to R: type uintptr is not supported"},
		{"no codec within any", func() (any, any) { return 1, []any{2, map[string]any{"a": func() {}}} }, "field `a` of element 2 of result `result2` cannot be sent to R: type func() is not supported: R has no Go functions"},
		{"any in itself", func() any { x := []any{nil}; x[0] = x; return x }, "the result is nested more than 1000 levels deep, or contains itself"},
		{"any in itself by another type", func() any { x := &holder{}; x.Any = x; return x }, "the result is nested more than 16 levels deep, or contains itself"},
		{"text within any", func() []map[string]any { return []map[string]any{{"a": "b"}, {"a": "\xff"}} }, "field `a` of element 2 of the result must be UTF-8, but has \"\\xff\""},
		{"name within any", func() map[string]any { return map[string]any{"\xff": 1} }, "of the result must be UTF-8"},
		{"leaf within any", func() []any { return []any{[]string{"a"}, []string{"\xff"}} }, "a value of type []string in the result must be UTF-8"},
		{"text that is none", func() []grade { return []grade{0, 9} }, "the result has a rgoipc.grade that cannot be written as text (there is no grade 9), in element 2 of row 1"},
		{"text of a key", func() map[grade]int { return map[grade]int{9: 1} }, "field `name` of the result has a rgoipc.grade that cannot be written as text (there is no grade 9), in row 1"},
		{"text within any that is none", func() any { return map[string]any{"a": grade(9)} }, "field `a` of the result has a rgoipc.grade that cannot"},
		{"stream in any", func() any { return failingReader(t) }, "the result must be the only result, of type array.RecordReader, to be a stream"},
		{"text in any", func() any { return "\xff" }, "the result must be UTF-8"},
		{"failing stream", func() array.RecordReader { return failingReader(t) }, "EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := typed(t, tt.fn).Handler(columns(t))
			if err == nil || !strings.Contains(err.Error(), tt.want) || CodeOf(err) != CodeHandler {
				t.Errorf("got %v (%s), want %q in it", err, CodeOf(err), tt.want)
			}
		})
	}
}

func failingReader(t *testing.T) array.RecordReader {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{{Name: "a", Type: float64s}}, nil)
	return array.ReaderFromIter(schema, func(yield func(arrow.RecordBatch, error) bool) { yield(nil, io.EOF) })
}

func TestResultStream(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	batches := func(sizes ...int) array.RecordReader {
		schema := arrow.NewSchema([]arrow.Field{{Name: "a", Type: float64s}}, nil)
		return array.ReaderFromIter(schema, func(yield func(arrow.RecordBatch, error) bool) {
			for i, n := range sizes {
				column := fromJSON(t, mem, float64s, "["+strings.TrimSuffix(strings.Repeat(fmt.Sprint(i, ","), n), ",")+"]")
				rec := array.NewRecordBatch(schema, []arrow.Array{column}, int64(n))
				column.Release()
				if !yield(rec, nil) {
					return
				}
			}
		})
	}
	for _, tt := range []struct {
		want   []string // the batches that a server sends
		all    string   // the record that a handler returns
		reader array.RecordReader
	}{
		{[]string{`[{"a":0},{"a":0}]`, `[]`, `[{"a":2}]`}, `[0,0,2]`, batches(2, 0, 1)},
		{[]string{`[{"a":0}]`}, `[0]`, batches(1)},
		{nil, `[]`, batches()},
	} {
		f := typed(t, func() array.RecordReader { tt.reader.Retain(); return tt.reader })
		back, err := NewArrowReader(replied(t, f, columns(t)))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for back.Next() {
			text, _ := json.Marshal(back.RecordBatch())
			got = append(got, strings.TrimSpace(string(text)))
		}
		if !slices.Equal(got, tt.want) || back.Schema().Field(0).Name != "a" {
			t.Errorf("got %q with %v, want %q", got, back.Schema(), tt.want)
		}
	}
	for all, reader := range map[string]array.RecordReader{`[0,0,2]`: batches(2, 0, 1), `[0]`: batches(1), `[]`: batches()} {
		got, err := typed(t, func() array.RecordReader { return reader }).Handler(columns(t))
		if err != nil {
			t.Fatal(err)
		}
		if text, _ := json.Marshal(got.Column(0)); string(text) != all {
			t.Errorf("got %s, want %s", text, all)
		}
		got.Release()
	}
	if got := replied(t, typed(t, func() array.RecordReader { return nil }), columns(t)); got != nil {
		t.Errorf("got %v", got)
	}
}

// A stream is read a batch at a time: each is written before the next is made, and a
// call that is over makes no more.
func TestResultStreamIsLazy(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "a", Type: float64s}}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	made := 0
	f := typed(t, func() array.RecordReader {
		return array.ReaderFromIter(schema, func(yield func(arrow.RecordBatch, error) bool) {
			for {
				made++
				if made == 3 {
					cancel()
				}
				column := fromJSON(t, memory.DefaultAllocator, float64s, `[1]`)
				if !yield(array.NewRecordBatch(schema, []arrow.Array{column}, 1), nil) {
					return
				}
			}
		})
	})
	if err := f.invoke(ctx, columns(t), new(reply).take); CodeOf(err) != CodeCancelled || made != 3 {
		t.Errorf("got %v after %d batches", err, made)
	}
}

// Attributes that say something of each row stay where there are as many rows.
func TestResultMetadataThatFits(t *testing.T) {
	mark := func(text string) *arrow.Metadata {
		m := arrow.NewMetadata([]string{metaAttributes, "mine"}, []string{text, "kept"})
		return &m
	}
	field := func(text string) arrow.Field {
		return arrow.Field{Name: "a", Type: float64s, Nullable: true, Metadata: *mark(text)}
	}
	column := fromJSON(t, memory.DefaultAllocator, float64s, `[1, 2]`)
	rec := array.NewRecordBatch(
		arrow.NewSchema([]arrow.Field{field(`{"names":["x","y"],"other":{"label":{"type":"character","value":["l"]}}}`)}, mark(`{"row_names":["r","s"]}`)),
		[]arrow.Array{column}, 2)
	for rows, want := range map[int64][2]string{
		2: {`{"row_names":["r","s"]}`, `{"names":["x","y"],"other":{"label":{"type":"character","value":["l"]}}}`},
		1: {``, `{"other":{"label":{"type":"character","value":["l"]}}}`},
	} {
		for name, fn := range map[string]any{
			"record": func() arrow.RecordBatch { return rec.NewSlice(0, rows) },
			"stream": func() array.RecordReader {
				return array.ReaderFromIter(rec.Schema(), func(yield func(arrow.RecordBatch, error) bool) { yield(rec.NewSlice(0, rows), nil) })
			},
		} {
			back, err := readRecord(nil, replied(t, typed(t, fn), columns(t)))
			if err != nil {
				t.Fatal(err)
			}
			own, fields := back.Schema().Metadata(), back.Schema().Fields()
			if name == "record" {
				item := fields[0].Type.(*arrow.ListType).ElemField()
				own, fields = item.Metadata, item.Type.(*arrow.StructType).Fields()
			}
			text, _ := own.GetValue(metaAttributes)
			of, _ := fields[0].Metadata.GetValue(metaAttributes)
			mine, _ := own.GetValue("mine")
			if text != want[0] || of != want[1] || mine != "kept" {
				t.Errorf("%d rows of a %s have %q and %q, want %q", rows, name, text, of, want)
			}
		}
	}
}

// One nil []byte is NULL, and one without bytes is not.
func TestResultBytes(t *testing.T) {
	for want, fn := range map[string]any{
		`["AQ=="]`:     func() []byte { return []byte{1} },
		`[""]`:         func() []byte { return []byte{} },
		`[null]`:       func() []byte { return nil },
		`[["",null]]`:  func() [][]byte { return [][]byte{{}, nil} },
		`[{"B":null}]`: func() struct{ B []byte } { return struct{ B []byte }{} },
	} {
		if got, _, err := resultOf(t, typed(t, fn), columns(t)); err != nil || got != want {
			t.Errorf("got %s, %v; want %s", got, err, want)
		}
	}
	rec := lists(t, arg{arrow.BinaryTypes.Binary, `["", null]`, "", ""})
	nils := func(x [][]byte) []bool { return []bool{x[0] == nil, x[1] == nil} }
	if got, _, err := resultOf(t, typed(t, nils), rec); err != nil || got != `[[false,true]]` {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestResultOfAVectorIsNotCopied(t *testing.T) {
	values := []float64{1, na}
	rec, err := typed(t, func() []float64 { return values }).Handler(columns(t))
	if err != nil {
		t.Fatal(err)
	}
	got := rec.Column(0).(*array.List).ListValues().(*array.Float64).Float64Values()
	if &got[0] != &values[0] || math.Float64bits(values[1]) != math.Float64bits(na) {
		t.Error("the vector has been copied or changed")
	}
}

func TestFuncErrors(t *testing.T) {
	mine := errors.New("mine")
	tests := []struct {
		name string
		err  error
		want Code
	}{
		{"plain", mine, CodeHandler},
		{"coded", &Error{Code: CodeNotFound, Err: mine}, CodeNotFound},
		{"timeout", fmt.Errorf("late: %w, %w", mine, context.DeadlineExceeded), CodeTimeout},
		{"cancelled", fmt.Errorf("off: %w, %w", mine, context.Canceled), CodeCancelled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := typed(t, func() (float64, error) { return 0, tt.err }).Handler(columns(t))
			if CodeOf(err) != tt.want || !errors.Is(err, mine) {
				t.Errorf("got %v (%s), want %s", err, CodeOf(err), tt.want)
			}
		})
	}
}

// A result has the schema of the one before if that says the same, and never if it
// is Arrow itself.
func TestResultSchema(t *testing.T) {
	paris, tokyo := mustZone(t, "Europe/Paris"), mustZone(t, "Asia/Tokyo")
	var zones []*time.Location
	tests := []struct {
		name string
		fn   any
		same [3]bool // as before, in the second call and so on
	}{
		{"number", func() float64 { return 1 }, [3]bool{true, true, true}},
		{"list", func() (float64, []string) { return 1, nil }, [3]bool{true, true, true}},
		{"nothing", func() {}, [3]bool{true, true, true}},
		{"times", func() []time.Time { return []time.Time{time.Unix(0, 0).In(zones[0])} }, [3]bool{true, false, true}},
		{"array", func() arrow.Array { return array.NewNull(2) }, [3]bool{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := typed(t, tt.fn)
			var before *arrow.Schema
			for i, zone := range []*time.Location{paris, paris, tokyo, tokyo} {
				zones = []*time.Location{zone}
				got, err := f.Handler(columns(t))
				if err != nil {
					t.Fatal(err)
				}
				if !arrow.TypeEqual(got.Schema().Field(0).Type, got.Column(0).DataType(), arrow.CheckMetadata()) {
					t.Errorf("schema %v of a column of %v", got.Schema(), got.Column(0).DataType())
				}
				if same := got.Schema() == before; i > 0 && same != tt.same[i-1] {
					t.Errorf("call %d: the same schema: %v, want %v", i+1, same, tt.same[i-1])
				}
				before = got.Schema()
				got.Release()
			}
		})
	}
}
