package arrowipc

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// random makes schemas of any types, nesting, names, metadata and nullability, and
// records of them.
type random struct{ *rand.Rand }

func pick[T any](r random, values ...T) T { return values[r.IntN(len(values))] }

// text is a name, a key or a value, of any length.
func (r random) text() string {
	return strings.Repeat(pick(r, "x", "é", "🥑", " "), pick(r, 0, 1, 1, 2, 3, 5, r.IntN(40)))
}

func (r random) metadata() arrow.Metadata {
	if r.IntN(2) == 0 {
		return arrow.Metadata{}
	}
	var keys, values []string
	for range r.IntN(4) {
		keys, values = append(keys, r.text()), append(values, r.text())
	}
	return arrow.NewMetadata(keys, values)
}

func (r random) fields(n, depth int) []arrow.Field {
	fields := make([]arrow.Field, n)
	for i := range fields {
		fields[i] = arrow.Field{Name: r.text(), Type: r.dataType(depth), Nullable: r.IntN(4) > 0, Metadata: r.metadata()}
	}
	return fields
}

func (r random) unit() arrow.TimeUnit { return arrow.TimeUnit(r.IntN(4)) }

// leaf is a type without children that a dictionary may hold.
func (r random) leaf() arrow.DataType {
	switch r.IntN(12) {
	case 0:
		return &arrow.Decimal32Type{Precision: 9, Scale: int32(r.IntN(4))}
	case 1:
		return &arrow.Decimal128Type{Precision: int32(1 + r.IntN(38)), Scale: int32(r.IntN(4))}
	case 2:
		return &arrow.Decimal256Type{Precision: int32(1 + r.IntN(76)), Scale: int32(r.IntN(4))}
	case 3:
		return &arrow.TimestampType{Unit: r.unit(), TimeZone: pick(r, "", "UTC", "Europe/Zurich")}
	case 4:
		return &arrow.DurationType{Unit: r.unit()}
	case 5:
		return &arrow.FixedSizeBinaryType{ByteWidth: 1 + r.IntN(20)}
	}
	return pick(r, flatSamples()...).fields[0].Type
}

func (r random) dictionary() arrow.DataType {
	index := pick[arrow.DataType](r, arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64)
	value := pick[arrow.DataType](r, arrow.BinaryTypes.String, arrow.BinaryTypes.Binary, arrow.PrimitiveTypes.Int64,
		arrow.PrimitiveTypes.Float64, &arrow.FixedSizeBinaryType{ByteWidth: 5}, arrow.FixedWidthTypes.Date32,
		&arrow.Decimal128Type{Precision: 20, Scale: 3})
	return &arrow.DictionaryType{IndexType: index, ValueType: value, Ordered: r.IntN(2) == 0}
}

func (r random) dataType(depth int) arrow.DataType {
	if r.IntN(4) == 0 {
		return r.dictionary()
	}
	if depth == 0 || r.IntN(2) == 0 {
		return r.leaf()
	}
	element := arrow.Field{Name: "item", Type: r.dataType(depth - 1), Nullable: r.IntN(2) == 0, Metadata: r.metadata()}
	switch r.IntN(9) {
	case 0:
		return arrow.LargeListOfField(element)
	case 1:
		return arrow.FixedSizeListOfField(int32(1+r.IntN(3)), element)
	case 2:
		return arrow.ListViewOfField(element)
	case 3:
		return arrow.MapOf(arrow.BinaryTypes.String, element.Type)
	case 4:
		return newTag(arrow.PrimitiveTypes.Int32)
	case 5:
		n := 1 + r.IntN(4)
		codes := make([]arrow.UnionTypeCode, n)
		for i := range codes {
			codes[i] = arrow.UnionTypeCode(10*i + r.IntN(10))
		}
		return arrow.SparseUnionOf(r.fields(n, depth-1), codes)
	case 6, 7:
		return arrow.StructOf(r.fields(r.IntN(5), depth-1)...)
	}
	return arrow.ListOfField(element)
}

func (r random) schema() *arrow.Schema {
	metadata := r.metadata()
	return arrow.NewSchema(r.fields(r.IntN(7), 3), &metadata)
}

func (r random) record(schema *arrow.Schema) arrow.RecordBatch {
	rows := r.IntN(4)
	if strings.Contains(schema.String(), "list_view") {
		rows = 0 // arrow-go fails to write some of them
	}
	columns := make([]arrow.Array, schema.NumFields())
	for i, f := range schema.Fields() {
		builder := array.NewBuilder(memory.DefaultAllocator, f.Type)
		for range rows {
			if b, ok := builder.(*array.BinaryDictionaryBuilder); ok && r.IntN(2) == 0 && b.AppendValueFromString("value") == nil {
				continue
			}
			if f.Nullable && r.IntN(2) == 0 {
				builder.AppendNull()
			} else {
				builder.AppendEmptyValue()
			}
		}
		columns[i] = builder.NewArray()
	}
	return array.NewRecordBatch(schema, columns, int64(rows))
}

// shortTables counts the fields of a stream that lie beyond the size of their
// table, which strict readers refuse.
func shortTables(t *testing.T, stream []byte) int {
	t.Helper()
	short := 0
	v := verifier{rest: stream}
	for {
		m, err := v.frame()
		if err != nil {
			t.Fatal(err)
		}
		if m.meta == nil {
			return short
		}
		f := newFlat(m.meta)
		root := f.root()
		version, kind, size := root.i16(0, 0), root.u8(1), root.i64(3)
		readMetadata(root.vector(4, 4))
		header := root.must(2, "header")
		switch kind {
		case headerSchema:
			if _, err := readSchema(header, version); err != nil {
				t.Fatal(err)
			}
		case headerDictionary:
			header.i64(0)
			header.flag(2)
			header = header.must(1, "data")
			fallthrough
		default:
			header.i64(0)
			header.vector(1, 16)
			header.vector(2, 16)
			header.vector(4, 8)
		}
		if f.err != nil {
			t.Fatal(f.err)
		}
		short += f.short
		v.rest = v.rest[size:]
	}
}

// checkAgain compares what has been read by writing it again: arrow-go finds some
// types and values unequal to themselves.
func checkAgain(t *testing.T, got []arrow.RecordBatch, want arrow.RecordBatch, stream []byte) {
	t.Helper()
	if len(got) != 1 || got[0].Schema().String() != want.Schema().String() {
		t.Fatalf("%v, want %v", got[0].Schema(), want.Schema())
	}
	again, err := new(Writer).Append(nil, got[0])
	if err != nil || !bytes.Equal(again, stream) {
		t.Fatalf("written again, a record of %v is another stream (%v)", want.Schema(), err)
	}
}

// Whatever the schema, what is written is sound to the last table, and is read back
// the same by arrow-go's reader and ours.
func TestAppendRandomSchemas(t *testing.T) {
	register(t)
	r := random{rand.New(rand.NewPCG(9, 1))}
	widened := 0
	for i := range 1000 {
		rec := r.record(r.schema())
		stream, err := new(Writer).Append(nil, rec)
		if err != nil {
			t.Fatalf("%d: %v: %v", i, rec.Schema(), err)
		}
		if err := verify(stream); err != nil {
			t.Fatalf("%d: %v: %v", i, rec.Schema(), err)
		}
		if n := shortTables(t, stream); n > 0 {
			t.Fatalf("%d: %v: %d fields are beyond their tables", i, rec.Schema(), n)
		}
		theirs, err := ipc.NewReader(bytes.NewReader(stream))
		if err != nil {
			t.Fatalf("%d: %v: %v", i, rec.Schema(), err)
		}
		checkAgain(t, rest(t, theirs), rec, stream)
		ours, err := readAll(stream, nil)
		if err != nil {
			t.Fatalf("%d: %v: %v", i, rec.Schema(), err)
		}
		checkAgain(t, ours, rec, stream)

		var out bytes.Buffer
		if err := ipc.NewWriter(&out, ipc.WithSchema(rec.Schema())).Close(); err != nil {
			t.Fatal(err)
		}
		if shortTables(t, out.Bytes()) > 0 {
			widened++
			if err := verify(out.Bytes()); err != nil {
				t.Fatalf("%d: what arrow-go writes of %v is refused: %v", i, rec.Schema(), err)
			}
		}
	}
	if widened == 0 {
		t.Error("there was nothing to mend")
	}
	t.Logf("%d schemas needed mending", widened)
}
