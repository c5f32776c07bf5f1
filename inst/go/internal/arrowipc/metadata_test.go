package arrowipc

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// The types that a stream may not have, or not so.
func TestTypeLies(t *testing.T) {
	none := newTable()
	int32Type := newTable(number(0, 4, 32), number(1, 1, 1))
	child := newField(typeInt, int32Type)
	column := func(kind int64, params part, children ...part) []byte {
		return newSchema(newField(kind, params, tablesOf(5, children...)))
	}
	params := func(entries ...entry) part { return newTable(entries...) }
	entries := func(nullable int64, children ...part) part {
		return newField(typeStruct, none, number(1, 1, nullable), tablesOf(5, children...))
	}
	union := func(ids []byte) part { return params(number(0, 2, 1), vectorOf(1, 4, ids)) }
	tests := []struct {
		name  string
		bytes []byte
		want  string
	}{
		{"no type", newSchema(newTable(number(2, 1, typeInt))), "column 0: type is missing"},
		{"type 0", column(0, none), "type 0 is not known"},
		{"type 27", column(27, none), "type 27 is not known"},
		{"type 255", column(255, none), "type 255 is not known"},
		{"child of a leaf", column(typeUtf8, none, child), "string cannot have 1 children"},
		{"integer of 0 bits", column(typeInt, none), "integers of 0 bits are not supported"},
		{"integer of 24 bits", column(typeInt, params(number(0, 4, 24))), "integers of 24 bits"},
		{"sign of 2", column(typeInt, params(number(0, 4, 32), number(1, 1, 2))), "is 2, neither false nor true"},
		{"float of precision 3", column(typeFloat, params(number(0, 2, 3))), "float with parameters that are not supported"},
		{"float of precision -1", column(typeFloat, params(number(0, 2, -1))), "float with parameters"},
		{"date of unit 2", column(typeDate, params(number(0, 2, 2))), "date with parameters"},
		{"time of unit 4", column(typeTime, params(number(0, 2, 4), number(1, 4, 64))), "time with parameters"},
		{"time of 32 bits and ns", column(typeTime, params(number(0, 2, 3), number(1, 4, 32))), "time with parameters"},
		{"time of 64 bits and s", column(typeTime, params(number(0, 2, 0), number(1, 4, 64))), "time with parameters"},
		{"timestamp of unit 4", column(typeTimestamp, params(number(0, 2, 4))), "timestamp with parameters"},
		{"duration of unit -1", column(typeDuration, params(number(0, 2, -1))), "duration with parameters"},
		{"interval of unit 3", column(typeInterval, params(number(0, 2, 3))), "interval with parameters"},
		{"fixed-size binary of 0", column(typeFixedBinary, none), "fixed-size binary with parameters"},
		{"fixed-size binary of -1", column(typeFixedBinary, params(number(0, 4, -1))), "fixed-size binary with parameters"},

		{"list without a child", column(typeList, none), "list with 0 children, it must have 1"},
		{"large list of two", column(typeLargeList, none, child, child), "large list with 2 children, it must have 1"},
		{"list view of two", column(typeListView, none, child, child), "list view with 2 children"},
		{"large list view of none", column(typeLargeListView, none), "large list view with 0 children"},
		{"fixed-size list of size 0", column(typeFixedList, none, child), "fixed-size list of size 0 is not supported"},
		{"fixed-size list of size -1", column(typeFixedList, params(number(0, 4, -1)), child), "fixed-size list of size -1"},
		{"fixed-size list of none", column(typeFixedList, params(number(0, 4, 1))), "fixed-size list with 0 children"},

		{"map of integers", column(typeMap, none, child), "map entries must be"},
		{"map of nullable entries", column(typeMap, none, entries(1, child, child)), "map entries must be"},
		{"map without values", column(typeMap, none, entries(0, child)), "map entries must be"},
		{"map of nullable keys", column(typeMap, none, entries(0, newField(typeInt, int32Type, number(1, 1, 1)), child)), "map entries must be"},
		{"map of two", column(typeMap, none, child, child), "map with 2 children"},
		{"map sorted by 2", column(typeMap, params(number(0, 1, 2)), entries(0, child, child)), "is 2, neither false nor true"},

		{"run ends of one", column(typeRunEnds, none, child), "run-end encoded with 1 children, it must have 2"},
		{"run ends unsigned", column(typeRunEnds, none, newField(typeInt, params(number(0, 4, 32))), child), "run ends must be int16"},
		{"run ends of 8 bits", column(typeRunEnds, none, newField(typeInt, params(number(0, 4, 8), number(1, 1, 1))), child), "run ends must be int16"},
		{"run ends of text", column(typeRunEnds, none, newField(typeUtf8, none), child), "run ends must be int16"},
		{"run ends of a dictionary", column(typeRunEnds, none,
			newField(typeInt, int32Type, reference(4, params(reference(1, int32Type)))), child), "run ends must be int16"},

		{"union of mode 2", column(typeUnion, params(number(0, 2, 2))), "union mode 2 does not exist"},
		{"union of few ids", column(typeUnion, union(le32(1)), child, child), "union has 2 children and 1 type ids"},
		{"union of id -1", column(typeUnion, union(le32(-1)), child), "union type id -1 is out of range"},
		{"union of id 128", column(typeUnion, union(le32(128)), child), "union type id 128 is out of range"},
		{"union of ids twice", column(typeUnion, union(le32(3, 3)), child, child), "union type id 3 is out of range or not unique"},
		{"union of too many", column(typeUnion, none, slices.Repeat([]part{child}, 129)...), "union has 129 children"},

		{"nullable of 2", newSchema(newField(typeInt, int32Type, number(1, 1, 2))), "is 2, neither false nor true"},
		{"big endian", newMessage(headerSchema, newTable(number(0, 2, 1)), nil), "endianness 1 is not supported"},
		{"deep", column(typeList, none, nested(64, child)), "types are nested more than 64 deep"},
	}
	for _, bits := range []int64{32, 64, 128, 256} {
		limit := map[int64]int64{32: 9, 64: 18, 128: 38, 256: 76}[bits]
		for _, bad := range [][2]int64{{0, 0}, {limit + 1, 0}, {limit, limit + 1}, {limit, -limit - 1}, {-1, 0}} {
			tests = append(tests, struct {
				name  string
				bytes []byte
				want  string
			}{
				fmt.Sprintf("decimal%d%v", bits, bad),
				column(typeDecimal, params(number(0, 4, bad[0]), number(1, 4, bad[1]), number(2, 4, bits))),
				fmt.Sprintf("decimal(%d, %d) of %d bits is not supported", bad[0], bad[1], bits),
			})
		}
		good := column(typeDecimal, params(number(0, 4, limit), number(1, 4, -limit), number(2, 4, bits)))
		if _, err := readAll(good, nil); err != nil {
			t.Error(err)
		}
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { refused(t, tt.bytes, tt.want) })
	}
	for name, good := range map[string][]byte{
		"deep enough":  column(typeList, none, nested(62, child)),
		"many columns": newSchema(slices.Repeat([]part{child}, 10_000)...),
		"features":     newMessage(headerSchema, newTable(vectorOf(3, 8, le64(1))), nil),
	} {
		if _, err := readAll(good, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// nested wraps a field in lists.
func nested(depth int, field part) part {
	for range depth {
		field = newField(typeList, newTable(), tablesOf(5, field))
	}
	return field
}

// The encodings of dictionaries that a schema may not have.
func TestDictionaryLies(t *testing.T) {
	none := newTable()
	index := newTable(number(0, 4, 8), number(1, 1, 1))
	factor := func(id int64, kind int64, values part, more ...entry) part {
		encoding := newTable(append([]entry{number(0, 8, id), reference(1, index)}, more...)...)
		return newField(kind, values, reference(4, encoding))
	}
	tests := []struct {
		name  string
		bytes []byte
		want  string
	}{
		{"no index type", newSchema(newField(typeUtf8, none, reference(4, none))), "dictionary index type is missing"},
		{
			"index of 9 bits", newSchema(newField(typeUtf8, none, reference(4, newTable(reference(1, newTable(number(0, 4, 9))))))),
			"dictionary index: integers of 9 bits are not supported",
		},
		{"negative id", newSchema(factor(-1, typeUtf8, none)), "dictionary id -1 is negative"},
		{"kind 1", newSchema(factor(0, typeUtf8, none, number(3, 2, 1))), "dictionary kind 1 does not exist"},
		{"order of 2", newSchema(factor(0, typeUtf8, none, number(2, 1, 2))), "is 2, neither false nor true"},
		{"two types", newSchema(factor(0, typeUtf8, none), factor(0, typeBinary, none)), "dictionary 0 is shared by columns of different or nested types"},
		{"two units", newSchema(factor(0, typeTimestamp, none), factor(0, typeTimestamp, newTable(number(0, 2, 1)))), "dictionary 0 is shared"},
		{"two time zones", newSchema(factor(0, typeTimestamp, none), factor(0, typeTimestamp, newTable(textOf(1, "UTC")))), "dictionary 0 is shared"},
		{"two scales", newSchema(factor(0, typeDecimal, newTable(number(0, 4, 9))),
			factor(0, typeDecimal, newTable(number(0, 4, 9), number(1, 4, 1)))), "dictionary 0 is shared"},
		{"two signs", newSchema(factor(0, typeInt, index), factor(0, typeInt, newTable(number(0, 4, 8)))), "dictionary 0 is shared"},
		{"nested", newSchema(factor(0, typeStruct, none), factor(0, typeStruct, newTable())), ""},
		{"nested with children", newSchema(
			newField(typeList, none, tablesOf(5, newField(typeUtf8, none)), reference(4, newTable(reference(1, index)))),
			newField(typeList, none, tablesOf(5, newField(typeUtf8, none)), reference(4, newTable(reference(1, index)))),
		), "dictionary 0 is shared by columns of different or nested types"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.want != "" {
				refused(t, tt.bytes, tt.want)
			} else if _, err := readAll(tt.bytes, nil); err != nil {
				t.Error(err)
			}
		})
	}
}

// Dictionaries that come too late, too often or not at all.
func TestDictionaryOrder(t *testing.T) {
	e := newEdit(t, sampleOf(t, "dictionary by int8").stream(t))
	p := e.places()
	part := func(i int) []byte { return e.bytes[p[i].meta-8 : p[i].end] }
	schema, dictionary, batch := part(0), part(1), part(2)
	refused(t, slices.Concat(schema, batch), "dictionary 0 is missing")
	refused(t, slices.Concat(schema, e.delta(1), batch), "dictionary 0 is extended before it is there")
	if _, err := readAll(slices.Concat(schema, dictionary, dictionary, batch, dictionary), nil); err != nil {
		t.Error(err)
	}

	several := newEdit(t, sampleOf(t, "several columns").stream(t))
	refused(t, several.bytes[:several.places()[1].end], "1 of 2 dictionaries are missing")
	several.set(2, several.message(2).must(2, "header"), 0, 8, 7)
	refused(t, several.bytes, "no column uses dictionary 7")

	// Each batch makes arrow-go copy the dictionary that has grown.
	growing := func(n int) []byte {
		return slices.Concat(schema, dictionary, bytes.Repeat(slices.Concat(e.delta(1), batch), n))
	}
	if err := verify(growing(500)); err != nil {
		t.Error(err)
	}
	refused(t, growing(5000), "dictionaries are too large for so many batches")
}

// Dictionaries whose size is not that of their bytes.
func TestDictionaryWork(t *testing.T) {
	index := newTable(number(0, 4, 8), number(1, 1, 1))
	encoding := reference(4, newTable(reference(1, index)))
	batch := newMessage(headerRecords, newTable(vectorOf(1, 16, le64(0, 0)), vectorOf(2, 16, le64(0, 0, 0, 0))), nil)
	dictionary := func(rows, delta int64, nodes []int64, buffers []int64) []byte {
		data := newTable(number(0, 8, rows), vectorOf(1, 16, le64(nodes...)), vectorOf(2, 16, le64(buffers...)))
		return newMessage(headerDictionary, newTable(reference(1, data), number(2, 1, delta)), nil)
	}

	nulls := func(rows, delta int64) []byte { return dictionary(rows, delta, []int64{rows, rows}, nil) }
	schema := newSchema(newField(typeNull, newTable(), encoding))
	if _, err := readAll(slices.Concat(schema, nulls(1<<31-1, 0), nulls(1<<31-1, 0), batch), nil); err != nil {
		t.Error(err)
	}
	refused(t, slices.Concat(schema, nulls(1<<31-1, 0), nulls(1, 1), batch), "dictionary 0 is too large to be extended")

	// arrow-go walks the fields of a dictionary with each batch.
	const fields = 2000
	wide := newSchema(newField(typeStruct, newTable(), encoding,
		tablesOf(5, slices.Repeat([]part{newField(typeNull, newTable())}, fields)...)))
	wide = slices.Concat(wide, dictionary(0, 0, make([]int64, 2*(1+fields)), make([]int64, 2)))
	if err := verify(slices.Concat(wide, bytes.Repeat(batch, 1000))); err != nil {
		t.Error(err)
	}
	refused(t, slices.Concat(wide, bytes.Repeat(batch, 10_000)), "dictionaries are too large for so many batches")
}

// The structure of flatbuffers. Each lie is one about the schema message of an
// int32 column with metadata.
func TestFlatbufferLies(t *testing.T) {
	metadata := newTable(textOf(0, "key"), textOf(1, "value"))
	int32Type := newTable(number(0, 4, 32), number(1, 1, 1))
	good := newMessage(headerSchema, newTable(tablesOf(1, newField(typeInt, int32Type, tablesOf(6, metadata))), tablesOf(2, metadata)),
		nil, tablesOf(4, metadata))
	if _, err := readAll(good, nil); err != nil {
		t.Fatal(err)
	}
	header := func(e edit) table { return e.message(0).must(2, "header") }
	tests := []struct {
		name string
		lie  func(e edit)
		want string
	}{
		{"offset back", func(e edit) { e.put(0, 0, 4, -4) }, "offset 4294967292 at 0 leaves the metadata"},
		{"offset to itself", func(e edit) { e.put(0, 0, 4, 0) }, "offset 0 at 0 leaves the metadata"},
		{"table out of line", func(e edit) { e.put(0, 0, 4, int64(e.message(0).pos+2)) }, "is misplaced (vtable at"},
		{"vtable outside", func(e edit) { e.put(0, e.message(0).pos, 4, -1<<20) }, "is misplaced (vtable at"},
		{"vtable before the start", func(e edit) { e.put(0, e.message(0).pos, 4, 1<<20) }, "is misplaced (vtable at -"},
		{"vtable of odd length", func(e edit) { e.put(0, e.message(0).vtable, 2, 5) }, "has a vtable of 5 bytes"},
		{"vtable of no length", func(e edit) { e.put(0, e.message(0).vtable, 2, 0) }, "has a vtable of 0 bytes"},
		{"vtable too long", func(e edit) { e.put(0, e.message(0).vtable, 2, 65534) }, "has no 65534 x 1 bytes"},
		{"table too long", func(e edit) { e.put(0, e.message(0).vtable+2, 2, 65535) }, "has no 65535 x 1 bytes"},
		{"table too short", func(e edit) { e.put(0, e.message(0).vtable+2, 2, 3) }, "for 3 bytes"},
		{"field outside", func(e edit) { e.put(0, e.message(0).vtable+4, 2, 65534) }, "field 0 of the table"},
		{"field over the vtable offset", func(e edit) { e.put(0, e.message(0).vtable+4, 2, 2) }, "field 0 of the table"},
		{"field out of line", func(e edit) { e.put(0, e.message(0).vtable+4, 2, 5) }, "field 0 of the table"},
		{"no header", func(e edit) { e.put(0, e.message(0).vtable+8, 2, 0) }, "header is missing"},
		{"header outside", func(e edit) { e.set(0, e.message(0), 2, 4, 1<<30) }, "offset 1073741824 at"},
		{"fields outside", func(e edit) { e.set(0, header(e), 1, 4, 1<<30) }, "offset 1073741824 at"},
		{"fields without end", func(e edit) { e.put(0, header(e).vector(1, 4).pos-4, 4, -1) }, "claims 4294967295 elements of 4 bytes"},
		{"fields out of line", func(e edit) {
			pos, _ := header(e).at(1, 4)
			vector := header(e).vector(1, 4).pos - 4
			e.put(0, vector+2, 4, 0)
			e.put(0, pos, 4, int64(vector+2-pos))
		}, "is misaligned"},
		{"field out of the vector", func(e edit) { e.put(0, header(e).vector(1, 4).pos, 4, 1<<20) }, "column 0: offset 1048576 at"},
		{"name without end", func(e edit) { endless(e, e.column(0), 0) }, "column 0: string at"},
		{"metadata of the message without end", func(e edit) { endless(e, e.message(0).vector(4, 4).table(0), 1) }, "string at"},
		{"metadata of the schema without end", func(e edit) { endless(e, header(e).vector(2, 4).table(0), 0) }, "string at"},
		{"metadata of the field without end", func(e edit) { endless(e, e.column(0).vector(6, 4).table(0), 0) }, "column 0: string at"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := newEdit(t, good)
			tt.lie(e)
			refused(t, e.bytes, tt.want)
		})
	}
}

// endless takes the NUL from the end of a string.
func endless(e edit, t table, slot int) {
	e.t.Helper()
	v := t.vector(slot, 1)
	e.put(0, v.pos+v.n, 1, 'x')
}

// Flatbuffers that are small and unfold to much.
func TestReuse(t *testing.T) {
	level := newField(typeNull, newTable())
	for range 40 {
		level = newField(typeStruct, newTable(), repeatedOf(5, 2, level))
	}
	refused(t, newSchema(level), "metadata has too many tables")

	pair := newTable(textOf(0, strings.Repeat("x", 100_000)))
	texts := func(n int) []byte { return newMessage(headerSchema, newTable(repeatedOf(2, n, pair)), nil) }
	if _, err := readAll(texts(16), nil); err != nil {
		t.Error(err)
	}
	refused(t, texts(17), "metadata refers to its own bytes too often")
}

// Buffers over the same bytes.
func TestSharedBuffers(t *testing.T) {
	const columns = 20
	int64Type := newTable(number(0, 4, 64), number(1, 1, 1))
	nodes, buffers := []int64{}, []int64{}
	for range columns {
		nodes = append(nodes, 100, 0)
		buffers = append(buffers, 0, 0, 0, 800)
	}
	body := make([]byte, 800)
	batch := func(n int) []byte {
		return newMessage(headerRecords, newTable(
			number(0, 8, 100), vectorOf(1, 16, le64(nodes[:2*n]...)), vectorOf(2, 16, le64(buffers[:4*n]...)),
		), body)
	}
	schema := func(n int) []byte { return newSchema(slices.Repeat([]part{newField(typeInt, int64Type)}, n)...) }
	if _, err := readAll(slices.Concat(schema(16), batch(16)), nil); err != nil {
		t.Error(err)
	}
	refused(t, slices.Concat(schema(17), batch(17)), "column 16: buffers share the same bytes too often")
}

// Strings of views that are read again and again, out of a buffer that is not
// text as a whole.
func TestSharedText(t *testing.T) {
	const size, views = 4096, 100
	body := bytes.Repeat([]byte("x"), size)
	body[size-1] = 0xff
	var headers []byte
	for range views {
		headers = slices.Concat(headers, le32(size-1), []byte("xxxx"), le32(0, 0))
	}
	stream := func(n int64) []byte {
		return slices.Concat(newSchema(newField(typeUtf8View, newTable())), newMessage(headerRecords, newTable(
			number(0, 8, n), vectorOf(1, 16, le64(n, 0)),
			vectorOf(2, 16, le64(0, 0, size, 16*n, 0, size)), vectorOf(4, 8, le64(1)),
		), slices.Concat(body, headers)))
	}
	if _, err := readAll(stream(20), nil); err != nil {
		t.Error(err)
	}
	refused(t, stream(views), "strings share a data buffer that is not UTF-8 too often")
}

// Filling in a null count changes nothing but the count, although the id of the
// dictionary, or the flag that tells a delta, lies over the same bytes.
func TestOverlaidNullCount(t *testing.T) {
	index := newTable(number(0, 4, 8), number(1, 1, 1))
	factor := newField(typeUtf8, newTable(), reference(4, newTable(reference(1, index))))
	data := newTable(vectorOf(1, 16, le64(0, -1)), vectorOf(2, 16, le64(0, 0, 0, 0, 0, 0)))
	whole := func(slot, size int) []byte {
		message := newMessage(headerDictionary, newTable(reference(1, data), number(slot, size, 0)), nil)
		e := newEdit(t, slices.Concat(newSchema(factor), message))
		header := e.message(1).must(2, "header")
		count := e.record(1).vector(1, 16).pos + 8
		e.put(1, header.vtable+2, 2, int64(count+8-header.pos))
		e.put(1, header.vtable+4+2*slot, 2, int64(count-header.pos))
		return e.bytes
	}
	refused(t, whole(0, 8), "no column uses dictionary -1")
	refused(t, whole(2, 1), "is 255, neither false nor true")
}

// The rows of a batch without columns.
func TestNoColumns(t *testing.T) {
	batch := func(rows int64) []byte {
		return slices.Concat(newSchema(), newMessage(headerRecords, newTable(number(0, 8, rows)), nil))
	}
	got, err := readAll(batch(1<<31-1), nil)
	if err != nil || got[0].NumRows() != 1<<31-1 {
		t.Error(got, err)
	}
	refused(t, batch(1<<31), "batch claims 2147483648 rows")
}
