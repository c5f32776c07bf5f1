package arrowipc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// sample is a record as JSON, a row a line.
type sample struct {
	name   string
	fields []arrow.Field
	json   string
}

func field(name string, dataType arrow.DataType) arrow.Field {
	return arrow.Field{Name: name, Type: dataType, Nullable: true}
}

// one is a sample of a single column "x".
func one(name string, dataType arrow.DataType, values ...string) sample {
	var rows []string
	for _, value := range values {
		rows = append(rows, `{"x": `+value+`}`)
	}
	return sample{name, []arrow.Field{field("x", dataType)}, "[" + strings.Join(rows, ",") + "]"}
}

func samples() []sample {
	dictionary := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}
	return []sample{
		one("null", arrow.Null, "null", "null"),
		one("bool", arrow.FixedWidthTypes.Boolean, "true", "null", "false"),
		one("int8", arrow.PrimitiveTypes.Int8, "-128", "null", "127"),
		one("int16", arrow.PrimitiveTypes.Int16, "1", "2"),
		one("int32", arrow.PrimitiveTypes.Int32, "1", "null"),
		one("int64", arrow.PrimitiveTypes.Int64, "1", "null"),
		one("uint8", arrow.PrimitiveTypes.Uint8, "1", "255"),
		one("uint16", arrow.PrimitiveTypes.Uint16, "1"),
		one("uint32", arrow.PrimitiveTypes.Uint32, "1"),
		one("uint64", arrow.PrimitiveTypes.Uint64, "1"),
		one("float16", arrow.FixedWidthTypes.Float16, "1.5"),
		one("float32", arrow.PrimitiveTypes.Float32, "1.5", "null"),
		one("float64", arrow.PrimitiveTypes.Float64, "1.5", "null", "-0"),
		one("decimal", &arrow.Decimal128Type{Precision: 10, Scale: 2}, `"1.50"`),
		one("wide decimal", &arrow.Decimal256Type{Precision: 50, Scale: 2}, `"1.50"`),
		one("date32", arrow.FixedWidthTypes.Date32, `"1969-12-31"`, "null"),
		one("date64", arrow.FixedWidthTypes.Date64, `"2024-02-29"`),
		one("time32", arrow.FixedWidthTypes.Time32s, `"12:34:56"`),
		one("time64", arrow.FixedWidthTypes.Time64ns, `"12:34:56.789"`),
		one("timestamp", &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "Europe/Zurich"}, "1709208000000000"),
		one("duration", arrow.FixedWidthTypes.Duration_ms, `"5ms"`),
		one("months", arrow.FixedWidthTypes.MonthInterval, `{"months": 3}`),
		one("days and time", arrow.FixedWidthTypes.DayTimeInterval, `{"days": 3, "milliseconds": 4}`),
		one("months to ns", arrow.FixedWidthTypes.MonthDayNanoInterval, `{"months": 1, "days": 3, "nanoseconds": 4}`),
		one("string", arrow.BinaryTypes.String, `"a"`, "null", `""`, `"\u00e9"`),
		one("large string", arrow.BinaryTypes.LargeString, `"a"`, "null"),
		one("binary", arrow.BinaryTypes.Binary, `"AAEC"`, "null"),
		one("large binary", arrow.BinaryTypes.LargeBinary, `"AAEC"`),
		one("fixed-size binary", &arrow.FixedSizeBinaryType{ByteWidth: 3}, `"AAEC"`, "null"),
		one("list", arrow.ListOf(arrow.PrimitiveTypes.Int32), "[1, null]", "null", "[]"),
		one("large list", arrow.LargeListOf(arrow.BinaryTypes.String), `["a"]`, "null"),
		one("fixed-size list", arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Float64), "[1, 2]", "null"),
		one("struct", arrow.StructOf(field("a", arrow.PrimitiveTypes.Int32), field("b", arrow.BinaryTypes.String)),
			`{"a": 1, "b": "x"}`, "null", `{"a": null, "b": null}`),
		one("struct with nulls and a dictionary", arrow.StructOf(field("n", arrow.Null), field("d", dictionary)), `{"n": null, "d": "a"}`),
		one("map", arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int32), `[{"key": "k", "value": 1}]`),
		one("dictionary", dictionary, `"a"`, "null", `"b"`, `"a"`),
		one("list of nulls", arrow.ListOf(arrow.Null), "[null, null]", "null"),
		one("list of structs of lists", arrow.ListOf(arrow.StructOf(field("l", arrow.ListOf(arrow.BinaryTypes.String)))),
			`[{"l": ["a", null]}, null]`),
		one("no rows", arrow.PrimitiveTypes.Float64),
		{"no columns", nil, `[{}]`},
		{"several columns", []arrow.Field{
			field("i", arrow.PrimitiveTypes.Int32), field("d", arrow.PrimitiveTypes.Float64),
			field("s", arrow.BinaryTypes.String), field("f", dictionary),
		}, `[{"i": 1, "d": 1.5, "s": "a", "f": "u"}, {"i": null, "d": null, "s": null, "f": null}]`},
	}
}

func (s sample) record(t testing.TB) arrow.RecordBatch {
	t.Helper()
	metadata := arrow.NewMetadata([]string{"made by"}, []string{"a test"})
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, arrow.NewSchema(s.fields, &metadata), strings.NewReader(s.json))
	if err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	return rec
}

// stream writes batches as arrow-go does.
func stream(t testing.TB, batches ...arrow.RecordBatch) []byte {
	t.Helper()
	var out bytes.Buffer
	w := ipc.NewWriter(&out, ipc.WithSchema(batches[0].Schema()))
	for _, batch := range batches {
		if err := w.Write(batch); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func readAll(stream []byte) (batches []arrow.RecordBatch, err error) {
	reader, err := NewReader(stream, memory.DefaultAllocator)
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

func TestRoundTrip(t *testing.T) {
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			rec := s.record(t)
			want := []arrow.RecordBatch{rec, rec}
			if rec.NumRows() > 1 {
				want = append(want, rec.NewSlice(1, rec.NumRows()))
			}
			bytes := stream(t, want...)
			got, err := readAll(bytes)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != len(want) {
				t.Fatalf("%d batches, want %d", len(got), len(want))
			}
			for i := range got {
				if !array.RecordEqual(got[i], want[i]) {
					t.Errorf("batch %d: %v, want %v", i, got[i], want[i])
				}
				if !got[i].Schema().Equal(want[i].Schema()) {
					t.Errorf("schema %v, want %v", got[i].Schema(), want[i].Schema())
				}
			}
			if err := Verify(bytes[:len(bytes)-8]); err != nil {
				t.Errorf("without its end mark: %v", err)
			}
		})
	}
}

// Every stream that is cut off is refused, or is a whole number of messages.
func TestTruncated(t *testing.T) {
	for _, s := range samples() {
		whole := stream(t, s.record(t))
		for n := range len(whole) {
			if _, err := readAll(whole[:n]); err != nil && !errors.Is(err, ErrInvalidStream) {
				t.Fatalf("%s, %d of %d bytes: %v", s.name, n, len(whole), err)
			}
			if err := Verify(whole[:n]); err == nil && n%8 != 0 {
				t.Fatalf("%s, %d of %d bytes pass", s.name, n, len(whole))
			}
		}
	}
}

// patch returns a copy of a stream in which the only place of old is new.
func patch(t *testing.T, stream, old, replacement []byte) []byte {
	t.Helper()
	if n := bytes.Count(stream, old); n != 1 {
		t.Fatalf("%v is there %d times", old, n)
	}
	return bytes.Replace(stream, old, replacement, 1)
}

func le64(values ...int64) []byte {
	var out []byte
	for _, value := range values {
		out = binary.LittleEndian.AppendUint64(out, uint64(value))
	}
	return out
}

// One lie a stream. The batch is a float64 column of 4711 rows with one null.
func TestLies(t *testing.T) {
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	b.AppendNull()
	for i := range 4710 {
		b.Append(float64(i))
	}
	column := b.NewArray()
	rec := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{field("x", column.DataType())}, nil), []arrow.Array{column}, 4711)
	good := stream(t, rec)
	if _, err := readAll(good); err != nil {
		t.Fatal(err)
	}
	schemaSize := int(binary.LittleEndian.Uint32(good[4:]))
	batchStart := 8 + schemaSize
	node := bytes.Index(good, le64(4711, 1))
	buffers := bytes.Index(good, le64(4711*8)) - 24 // (offset, length) of the bitmap and of the values
	firstLength := int64(binary.LittleEndian.Uint64(good[buffers+8:]))
	at := func(pos int, value []byte) []byte {
		bad := bytes.Clone(good)
		copy(bad[pos:], value)
		return bad
	}
	bodyLength := int64(len(good) - 8 - batchStart - 8 - int(binary.LittleEndian.Uint32(good[batchStart+4:])))
	tests := []struct {
		name  string
		bytes []byte
		want  string
	}{
		{"nothing", nil, "no schema"},
		{"end mark alone", []byte{255, 255, 255, 255, 0, 0, 0, 0}, "no schema"},
		{"text", []byte("GET / HTTP/1.1\r\n\r\n"), "mark of a message"},
		{"bytes after the end", append(bytes.Clone(good), 0), "after the end"},
		{"metadata of -1 bytes", at(4, []byte{255, 255, 255, 255}), "claims -1 bytes of metadata"},
		{"metadata of 2 GiB", at(4, []byte{255, 255, 255, 127}), "claims 2147483647 bytes of metadata"},
		{"root outside", at(8, []byte{255, 255, 0, 0}), "offset"},
		{"batch before schema", good[batchStart:], "schema must come first"},
		{"two schemas", append(bytes.Clone(good[:batchStart]), good...), "schema must come first"},
		{"body of 1 TiB", patch(t, good, le64(bodyLength), le64(1<<40)), "claims a body"},
		{"body of -1 bytes", patch(t, good, le64(bodyLength), le64(-1)), "claims a body"},
		{"more rows than values", at(node, le64(4712, 1)), "values"},
		{"node of 2^62", at(node, le64(1<<62, 1)), "values"},
		{"negative node", at(node, le64(-1, 1)), "values"},
		{"more nulls than values", at(node, le64(4711, 4712)), "are null"},
		{"negative nulls", at(node, le64(4711, -1)), "are null"},
		{"buffer before the body", at(buffers, le64(-8)), "a buffer of"},
		{"buffer behind the body", at(buffers, le64(1<<40)), "a buffer of"},
		{"buffer longer than the body", at(buffers+8, le64(1<<40)), "a buffer of"},
		{"buffer of negative length", at(buffers+8, le64(-1)), "a buffer of"},
		{"buffer that overflows", at(buffers, le64(1<<62, 1<<62+1<<61)), "a buffer of"},
		{"bitmap too short", at(buffers+8, le64(firstLength/2)), "validity bitmap"},
		{"buffer out of line", at(buffers+16, le64(1)), "multiple of 8"},
		{"values too short", at(buffers+24, le64(4711*8-8)), "values of 64 bits"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := readAll(tt.bytes)
			if !errors.Is(err, ErrInvalidStream) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestRefusedByName(t *testing.T) {
	union := arrow.SparseUnionOf([]arrow.Field{field("a", arrow.PrimitiveTypes.Int32)}, []arrow.UnionTypeCode{0})
	for want, dataType := range map[string]arrow.DataType{
		"the type union is not supported":            union,
		"the type string view is not supported":      arrow.BinaryTypes.StringView,
		"the type binary view is not supported":      arrow.BinaryTypes.BinaryView,
		"the type list view is not supported":        arrow.ListViewOf(arrow.PrimitiveTypes.Int32),
		"the type run-end encoding is not supported": arrow.RunEndEncodedOf(arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int32),
	} {
		schema := arrow.NewSchema([]arrow.Field{field("x", dataType)}, nil)
		var out bytes.Buffer
		if err := ipc.NewWriter(&out, ipc.WithSchema(schema)).Close(); err != nil {
			t.Fatal(err)
		}
		if err := Verify(out.Bytes()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q in it", err, want)
		}
	}
	rec := one("x", arrow.PrimitiveTypes.Int32, "1").record(t)
	var out bytes.Buffer
	w := ipc.NewWriter(&out, ipc.WithSchema(rec.Schema()), ipc.WithZstd())
	if err := errors.Join(w.Write(rec), w.Close()); err != nil {
		t.Fatal(err)
	}
	if err := Verify(out.Bytes()); err == nil || !strings.Contains(err.Error(), "compressed") {
		t.Errorf("a compressed body: %v", err)
	}
}

// use does with a record what a careless program would.
func use(t testing.TB, bytes []byte) {
	batches, err := readAll(bytes)
	if err != nil && !errors.Is(err, ErrInvalidStream) {
		t.Fatalf("%v does not wrap ErrInvalidStream", err)
	}
	for _, batch := range batches {
		for _, column := range batch.Columns() {
			for i := range min(column.Len(), 1000) {
				_ = column.ValueStr(i)
			}
		}
		batch.Release()
	}
}

// Thousands of damaged streams: none ends the process.
func TestMutations(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, s := range samples() {
		good := stream(t, s.record(t), s.record(t))
		for range 1000 {
			bad := bytes.Clone(good)
			for range 1 + random.IntN(4) {
				switch i := random.IntN(len(bad)); random.IntN(3) {
				case 0:
					bad[i] = byte(random.Uint32())
				case 1:
					bad[i] ^= 1 << random.IntN(8)
				default:
					copy(bad[i:], le64(int64(random.Uint64()>>random.IntN(64))))
				}
			}
			use(t, bad)
		}
	}
}

func FuzzReader(f *testing.F) {
	for _, s := range samples() {
		f.Add(stream(f, s.record(f), s.record(f)))
	}
	f.Fuzz(func(t *testing.T, bytes []byte) { use(t, bytes) })
}

// Verification costs next to nothing beside reading.
func BenchmarkVerify(b *testing.B) {
	values := array.NewFloat64Builder(memory.DefaultAllocator)
	values.AppendValues(make([]float64, 10_000_000), nil)
	column := values.NewArray()
	rec := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{field("x", column.DataType())}, nil), []arrow.Array{column}, int64(column.Len()))
	bytes := stream(b, rec)
	b.SetBytes(int64(len(bytes)))
	b.Run("verify", func(b *testing.B) {
		for b.Loop() {
			if err := Verify(bytes); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			batches, err := readAll(bytes)
			if err != nil {
				b.Fatal(err)
			}
			batches[0].Release()
		}
	})
}
