package arrowipc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/endian"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

func le32(values ...int32) []byte {
	var out []byte
	for _, value := range values {
		out = binary.LittleEndian.AppendUint32(out, uint32(value))
	}
	return out
}

func le64(values ...int64) []byte {
	var out []byte
	for _, value := range values {
		out = binary.LittleEndian.AppendUint64(out, uint64(value))
	}
	return out
}

// refused checks that a stream is refused, and why.
func refused(t *testing.T, stream []byte, want string) {
	t.Helper()
	_, err := readAll(stream, nil)
	if !errors.Is(err, ErrInvalidStream) || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q in it", err, want)
	}
	if verified := verify(stream); verified == nil || verified.Error() != err.Error() {
		t.Errorf("verify says %v", verified)
	}
}

// numbers is the stream of a float64 column of 4711 rows, the first of which is null.
func numbers(t *testing.T) []byte {
	t.Helper()
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	b.AppendNull()
	for i := range 4710 {
		b.Append(float64(i))
	}
	column := b.NewArray()
	rec := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{nullable("x", column.DataType())}, nil), []arrow.Array{column}, 4711)
	return stream(t, []arrow.RecordBatch{rec})
}

// One lie a stream about its messages.
func TestFrameLies(t *testing.T) {
	good := numbers(t)
	p := newEdit(t, good).places()
	at := func(pos int, value []byte) []byte {
		bad := bytes.Clone(good)
		copy(bad[pos:], value)
		return bad
	}
	tests := []struct {
		name  string
		bytes []byte
		want  string
	}{
		{"nothing", nil, "after 0 messages: there is no schema"},
		{"end mark alone", le32(-1, 0), "there is no schema"},
		{"old end mark alone", le32(0), "there is no schema"},
		{"text", []byte("GET / HTTP/1.1\r\n\r\n"), "message 0: metadata of 542393671 bytes is longer than 67108864"},
		{"a file", []byte("ARROW1\x00\x00"), "this is an Arrow file"},
		{"bytes after the end", append(bytes.Clone(good), 0), "1 bytes follow the end of the stream"},
		{"metadata of -1 bytes", at(4, le32(-1)), "metadata of 4294967295 bytes is longer than 67108864"},
		{"metadata of 3 bytes", at(4, le32(3)), "metadata of 3 bytes is too short"},
		{"metadata of 64 MiB", at(4, le32(64<<20)), "metadata of 67108864 bytes is longer than the rest of the stream"},
		{"half a length", good[:6], "ends inside the length of a message, 2 bytes are left"},
		{"root outside", at(8, le32(0xFFFF)), "message 0: offset 65535 at 0 leaves the metadata"},
		{"batch before schema", good[p[1].meta-8:], "the first message, and no other, must be a schema"},
		{"two schemas", append(bytes.Clone(good[:p[0].end]), good...), "message 1: the first message, and no other"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { refused(t, tt.bytes, tt.want) })
	}
}

// One lie a stream about its messages and batches. Message 1 is the batch.
func TestBatchLies(t *testing.T) {
	good := numbers(t)
	r := newEdit(t, good).record(1)
	bitmap, values := r.vector(2, 16).i64(0, 8), r.vector(2, 16).i64(1, 0)
	tests := []struct {
		name string
		lie  func(e edit)
		want string
	}{
		{"no version", func(e edit) { e.set(1, e.message(1), 0, 2, 0) }, "metadata version 1 is not supported"},
		{"another version", func(e edit) { e.set(1, e.message(1), 0, 2, version4) }, "metadata version is 4, but 5 in the schema"},
		{"a tensor", func(e edit) { e.set(1, e.message(1), 1, 1, 4) }, "header type 4 is not supported"},
		{"body of 1 TiB", func(e edit) { e.set(1, e.message(1), 3, 8, 1<<40) }, "body of 1099511627776 bytes is not there"},
		{"body of -1 bytes", func(e edit) { e.set(1, e.message(1), 3, 8, -1) }, "body of -1 bytes is not there"},
		{"fewer rows", func(e edit) { e.set(1, e.record(1), 0, 8, 4710) }, "column 0 has 4711 rows, the batch 4710"},
		{"negative rows", func(e edit) { e.set(1, e.record(1), 0, 8, -1) }, "batch claims -1 rows"},
		{"node of more rows", func(e edit) { e.node(1, 0, 4712, 2) }, "too small for 4712 values of 8 bytes"},
		{"node of 2^62 rows", func(e edit) { e.node(1, 0, 1<<62, 1) }, "too small for 4611686018427387904 bits"},
		{"node of -1 rows", func(e edit) { e.node(1, 0, -1, 1) }, "node claims -1 rows and 1 nulls"},
		{"more nulls than rows", func(e edit) { e.node(1, 0, 4711, 4712) }, "node claims 4711 rows and 4712 nulls"},
		{"-2 nulls", func(e edit) { e.node(1, 0, 4711, -2) }, "node claims 4711 rows and -2 nulls"},
		{"no nulls", func(e edit) { e.node(1, 0, 4711, 0) }, "null count is 0, but 1 bits of the validity bitmap are unset"},
		{"too many nulls", func(e edit) { e.node(1, 0, 4711, 2) }, "null count is 2, but 1 bits"},
		{"buffer before the body", func(e edit) { e.bounds(1, 0, -8, bitmap) }, "leaves the body"},
		{"buffer behind the body", func(e edit) { e.bounds(1, 0, 1<<40, bitmap) }, "leaves the body"},
		{"buffer longer than the body", func(e edit) { e.bounds(1, 0, 0, 1<<40) }, "leaves the body"},
		{"buffer of negative length", func(e edit) { e.bounds(1, 0, 0, -1) }, "leaves the body"},
		{"buffer that overflows", func(e edit) { e.bounds(1, 0, 1<<62, 1<<62+1<<61) }, "leaves the body"},
		{"buffer out of line", func(e edit) { e.bounds(1, 1, values+1, 8) }, "buffer 1 is misaligned at"},
		{"bitmap too short", func(e edit) { e.bounds(1, 0, 0, 588) }, "validity: buffer 0 of 588 bytes is too small for 4711 bits"},
		{"bitmap missing", func(e edit) { e.bounds(1, 0, 0, 0) }, "validity: buffer 0 of 0 bytes is too small"},
		{"values too short", func(e edit) { e.bounds(1, 1, values, 4711*8-1) }, "buffer 1 of 37687 bytes is too small for 4711 values of 8 bytes"},
		{"no nodes", func(e edit) { e.put(1, r.vector(1, 16).pos-4, 4, 0) }, "batch has only 0 nodes"},
		{"one buffer", func(e edit) { e.put(1, r.vector(2, 16).pos-4, 4, 1) }, "batch has only 1 buffers"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := newEdit(t, good)
			tt.lie(e)
			refused(t, e.bytes, tt.want)
		})
	}
}

// One lie a stream about the values of its last batch, for each check there is.
func TestValueLies(t *testing.T) {
	tests := []struct {
		name, sample string
		lie          func(e edit, m int) // m is the message of the last batch
		want         string
	}{
		{"bits", "bool", func(e edit, m int) { e.bounds(m, 1, 0, 0) }, "too small for 2 bits"},
		{"null of too many rows", "null", func(e edit, m int) {
			e.set(m, e.record(m), 0, 8, 1<<31)
			e.node(m, 0, 1<<31, 1<<31)
		}, "column claims 2147483648 rows without bytes for them"},

		{"offsets missing", "string", func(e edit, m int) { e.bounds(m, 1, 0, 0) }, "0 bytes are too small for the offsets of 3 rows"},
		{"offsets too short", "string", func(e edit, m int) { e.bounds(m, 1, 0, 12) }, "12 bytes are too small for the offsets of 3 rows"},
		{"offset negative", "string", func(e edit, m int) { copy(e.buffer(m, 1), le32(-1)) }, "first offset is -1"},
		{"offset falls", "string", func(e edit, m int) { copy(e.buffer(m, 1)[4:], le32(2, 1)) }, "offset falls from 2 to 1 at row 1"},
		{"offset outside", "string", func(e edit, m int) { copy(e.buffer(m, 1)[12:], le32(64)) }, "offsets reach 64, but there are only"},
		{"offset outside without rows", "string", func(e edit, m int) {
			copy(e.buffer(m, 1), le32(64))
			e.set(m, e.record(m), 0, 8, 0)
			e.node(m, 0, 0, 0)
			e.bounds(m, 0, 0, 0)
			e.bounds(m, 1, e.record(m).vector(2, 16).i64(1, 0), 4)
		}, "offsets reach 64"},
		{"not UTF-8", "string", func(e edit, m int) { copy(e.buffer(m, 2), "\xff") }, "strings are not valid UTF-8"},
		{"a character split", "string", func(e edit, m int) { copy(e.buffer(m, 1)[8:], le32(1)) }, "string of row 2 does not begin with a character"},
		{"large offset negative", "large string", func(e edit, m int) { copy(e.buffer(m, 1), le64(-1)) }, "first offset is -1"},
		{"binary offset outside", "large binary", func(e edit, m int) { copy(e.buffer(m, 1)[8:], le64(1<<40)) }, "offsets reach 1099511627776"},
		{"fixed-size binary", "fixed-size binary", func(e edit, m int) { e.bounds(m, 1, 0, 2) }, "too small for 1 values of 3 bytes"},

		{"view of negative length", "string view", func(e edit, m int) { copy(e.buffer(m, 1)[16:], le32(-1)) }, "view of row 1: length is -1"},
		{"view with padding", "string view", func(e edit, m int) { e.buffer(m, 1)[47] = 1 }, "view of row 2: padding is not zero"},
		{"view not UTF-8", "string view", func(e edit, m int) { copy(e.buffer(m, 1)[32:], append(le32(1), 0xff)) }, "view of row 2: string is not valid UTF-8"},
		{"view of no buffer", "string view", func(e edit, m int) { copy(e.buffer(m, 1)[24:], le32(1)) }, "view of row 1: data buffer 1 does not exist"},
		{"view of a negative buffer", "string view", func(e edit, m int) { copy(e.buffer(m, 1)[24:], le32(-1)) }, "data buffer -1 does not exist"},
		{"view outside", "string view", func(e edit, m int) { copy(e.buffer(m, 1)[28:], le32(1<<20)) }, "leave the data buffer"},
		{"view of negative offset", "string view", func(e edit, m int) { copy(e.buffer(m, 1)[28:], le32(-1)) }, "leave the data buffer"},
		{"view too long", "binary view", func(e edit, m int) { copy(e.buffer(m, 1)[16:], le32(1<<20)) }, "leave the data buffer"},
		{"view of another prefix", "binary view", func(e edit, m int) { e.buffer(m, 1)[20] ^= 1 }, "prefix is not that of the value"},
		{"view of a split character", "string view", func(e edit, m int) { copy(e.buffer(m, 1)[16:], le32(26)) }, "string splits a character"},
		{"view of bytes", "string view", func(e edit, m int) { e.buffer(m, 2)[20] = 0xff }, "view of row 1: string is not valid UTF-8"},
		{"views too short", "string view", func(e edit, m int) { e.bounds(m, 1, 0, 47) }, "too small for 3 values of 16 bytes"},
		{"more data buffers", "string view", func(e edit, m int) { e.put(m, e.record(m).vector(4, 8).pos, 8, 2) }, "view column claims 2 data buffers"},
		{"-1 data buffers", "string view", func(e edit, m int) { e.put(m, e.record(m).vector(4, 8).pos, 8, -1) }, "view column claims -1 data buffers"},
		{"no variadic counts", "string view", func(e edit, m int) { e.put(m, e.record(m).vector(4, 8).pos-4, 4, 0) }, "batch has only 0 variadic counts"},
		{"fewer data buffers", "string view", func(e edit, m int) { e.put(m, e.record(m).vector(4, 8).pos, 8, 0) }, "data buffer 0 does not exist"},

		{"list outside", "list", func(e edit, m int) { copy(e.buffer(m, 1)[8:], le32(9)) }, "offsets reach 9"},
		{"large list falls", "large list", func(e edit, m int) { copy(e.buffer(m, 1), le64(1, 0)) }, "offset falls from 1 to 0"},
		{"list without offsets", "list", func(e edit, m int) { e.bounds(m, 1, 0, 4) }, "4 bytes are too small for the offsets"},
		{"child of a list", "list", func(e edit, m int) { e.node(m, 1, 1<<40, 0) }, "child 0: "},

		{"list view of negative offset", "list view", func(e edit, m int) { copy(e.buffer(m, 1), le32(-1)) }, "list of row 0 (2 values at -1) leaves its child"},
		{"list view of negative size", "list view", func(e edit, m int) { copy(e.buffer(m, 2), le32(-1)) }, "list of row 0 (-1 values at 0) leaves its child"},
		{"list view outside", "list view", func(e edit, m int) { copy(e.buffer(m, 2)[4:], le32(4)) }, "list of row 1 (4 values"},
		{"list view that overflows", "large list view", func(e edit, m int) {
			copy(e.buffer(m, 1), le64(1<<62))
			copy(e.buffer(m, 2), le64(1<<62+1<<61))
		}, "leaves its child of 3 rows"},
		{"list view without offsets", "list view", func(e edit, m int) { e.bounds(m, 1, 0, 15) }, "too small for 4 values of 4 bytes"},
		{"list view without sizes", "large list view", func(e edit, m int) { e.bounds(m, 2, 0, 16) }, "too small for 3 values of 8 bytes"},

		{"fixed-size list of too few", "fixed-size list", func(e edit, m int) { e.node(m, 1, 1, 1) }, "child of 1 rows is too short for 1 lists of 2"},
		{"struct of too few", "struct", func(e edit, m int) { e.node(m, 1, 1, 1) }, "child 0 has 1 rows, its parent 2"},
		{"struct of nothing", "struct without fields", func(e edit, m int) {
			e.set(m, e.record(m), 0, 8, 1<<31)
			e.node(m, 0, 1<<31, 0)
			e.bounds(m, 0, 0, 0)
		}, "column claims 2147483648 rows without bytes"},
		{"null entries of a map", "map", func(e edit, m int) { nullify(e, m, 1, 2) }, "map entries and keys cannot be null"},
		{"null keys of a map", "map", func(e edit, m int) { nullify(e, m, 2, 3) }, "map entries and keys cannot be null"},

		{"union of another type id", "sparse union", func(e edit, m int) { e.buffer(m, 0)[1] = 6 }, "type id 6 of row 1 is not one of the union's"},
		{"union of a negative type id", "dense union", func(e edit, m int) { e.buffer(m, 0)[1] = 255 }, "type id -1 of row 1 is not one of the union's"},
		{"union without type ids", "sparse union", func(e edit, m int) { e.bounds(m, 0, 0, 1) }, "too small for 2 values of 1 bytes"},
		{"union with nulls", "sparse union", func(e edit, m int) { e.node(m, 0, 2, 1) }, "union with 1 nulls of its own"},
		{"sparse union of too few", "sparse union", func(e edit, m int) { e.node(m, 1, 1, 1) }, "child 0 has 1 rows, its parent 2"},
		{"dense union outside", "dense union", func(e edit, m int) { copy(e.buffer(m, 1), le32(9)) }, "offset 9 of row 0 falls or leaves child 1 of 1 rows"},
		{"dense union of negative offset", "dense union", func(e edit, m int) { copy(e.buffer(m, 1), le32(-1)) }, "offset -1 of row 0 falls or leaves child 1"},
		{"dense union that falls", "dense union", func(e edit, m int) { copy(e.buffer(m, 1)[4:], le32(1, 0)) }, "offset 0 of row 2 falls or leaves child 0"},
		{"dense union without offsets", "dense union", func(e edit, m int) { e.bounds(m, 1, 0, 8) }, "too small for 3 values of 4 bytes"},

		{"run ends fall", "run ends of 32 bits", func(e edit, m int) { copy(e.buffer(m, 1)[4:], le32(1)) }, "run end 1 follows 1"},
		{"run ends begin at 0", "run ends of 16 bits", func(e edit, m int) { copy(e.buffer(m, 1), []byte{0, 0}) }, "run end 0 follows 0"},
		{"run ends stop early", "run ends of 64 bits", func(e edit, m int) { copy(e.buffer(m, 1), le64(1)) }, "runs end at 1, but there are 2 rows"},
		{"runs too short", "run ends of 32 bits", func(e edit, m int) {
			e.set(m, e.record(m), 0, 8, 3)
			e.node(m, 0, 3, 0)
		}, "runs end at 2, but there are 3 rows"},
		{"runs of too many rows", "run ends of 64 bits", func(e edit, m int) { e.node(m, 0, 1<<31, 0) }, "column claims 2147483648 rows without bytes"},
		{"runs without values", "run ends of 32 bits", func(e edit, m int) { e.node(m, 2, 1, 0) }, "2 run ends have only 1 values"},
		{"runs with nulls", "run ends of 32 bits", func(e edit, m int) { e.node(m, 0, 2, 1) }, "run-end encoded with 1 nulls of its own"},
		{"null run ends", "run ends of 32 bits", func(e edit, m int) { nullify(e, m, 1, 0) }, "run ends cannot be null"},

		{"index outside", "dictionary by int8", func(e edit, m int) { e.buffer(m, 1)[1] = 2 }, "index 2 of row 1 is outside the dictionary of 2 values"},
		{"negative index", "dictionary by int32", func(e edit, m int) { copy(e.buffer(m, 1)[4:], le32(-1)) }, "index -1 of row 1 is outside"},
		{"large index", "dictionary by uint8", func(e edit, m int) { e.buffer(m, 1)[1] = 255 }, "index 255 of row 1 is outside"},
		{"huge index", "dictionary by uint64", func(e edit, m int) { copy(e.buffer(m, 1)[8:], le64(-1)) }, "of row 1 is outside"},
		{"indices too short", "dictionary by int64", func(e edit, m int) { e.bounds(m, 1, 0, 16) }, "too small for 3 values of 8 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := newEdit(t, sampleOf(t, tt.sample).stream(t))
			tt.lie(e, e.last())
			refused(t, e.bytes, tt.want)
		})
	}
}

// nullify gives a node of up to 8 rows a bitmap of nulls only: a byte of the body
// that is zero.
func nullify(e edit, message, node, buffer int) {
	e.t.Helper()
	p := e.places()[message]
	at := 0
	for e.bytes[p.body+at] != 0 {
		at += 8
	}
	length := e.record(message).vector(1, 16).i64(node, 0)
	e.node(message, node, length, length)
	e.bounds(message, buffer, int64(at), 1)
}

// Null rows may hold anything, and no rows need no offsets.
func TestTolerated(t *testing.T) {
	for _, tt := range []struct {
		sample string
		change func(e edit, m int)
	}{
		{"dictionary by int8", func(e edit, m int) { e.buffer(m, 1)[0] = 77 }},
		{"string view", func(e edit, m int) { copy(e.buffer(m, 1), le32(-1, -1, -1, -1)) }},
		{"no strings", func(e edit, m int) { e.bounds(m, 1, 0, 0) }},
	} {
		e := newEdit(t, sampleOf(t, tt.sample).stream(t))
		tt.change(e, e.last())
		if _, err := readAll(e.bytes, nil); err != nil {
			t.Errorf("%s: %v", tt.sample, err)
		}
	}
}

// What arrow-go itself writes and this package refuses, by name.
func TestRefused(t *testing.T) {
	rec := sampleOf(t, "int32").record(t)
	refused(t, stream(t, []arrow.RecordBatch{rec}, ipc.WithZstd()), "compressed bodies are not supported")

	big := array.NewRecordBatch(rec.Schema().WithEndianness(endian.BigEndian), rec.Columns(), rec.NumRows())
	refused(t, stream(t, []arrow.RecordBatch{big}), "endianness 1 is not supported")

	for _, name := range []string{"sparse union", "run ends of 32 bits"} {
		refused(t, newEdit(t, sampleOf(t, name).stream(t)).version4(), "in version 4 metadata is not supported")
	}
	for want, values := range map[string]arrow.DataType{
		"dictionaries of dictionaries are not supported":         arrow.ListOf(dictionaryOf(arrow.PrimitiveTypes.Int8)),
		"dictionaries of unions are not supported":               sampleOf(t, "dense union").fields[0].Type,
		"dictionaries of run-end encoded data are not supported": sampleOf(t, "run ends of 32 bits").fields[0].Type,
	} {
		dataType := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: values}
		refused(t, schemaOf(t, dataType), want)
	}
}

// schemaOf is the stream of a column of a type, without rows.
func schemaOf(t *testing.T, dataType arrow.DataType) []byte {
	t.Helper()
	var out bytes.Buffer
	schema := arrow.NewSchema([]arrow.Field{nullable("x", dataType)}, nil)
	if err := ipc.NewWriter(&out, ipc.WithSchema(schema)).Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
