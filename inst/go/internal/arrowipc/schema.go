package arrowipc

import (
	"errors"
	"fmt"
)

// maxDepth is arrow-go's own limit on nested types.
const maxDepth = 64

// layout says which nodes and buffers a column of a type has in a batch.
type layout uint8

const (
	layoutNull       layout = iota // nothing
	layoutBits                     // validity, bits
	layoutFixed                    // validity, values of width bytes
	layoutBinary                   // validity, offsets of width bytes, data
	layoutView                     // validity, views, any number of data buffers
	layoutList                     // validity, offsets of width bytes; a child
	layoutMap                      // as layoutList; entries without nulls
	layoutListView                 // validity, offsets, sizes of width bytes; a child
	layoutFixedList                // validity; a child of width rows for each row
	layoutStruct                   // validity; children
	layoutSparse                   // type ids; children
	layoutDense                    // type ids, offsets; children
	layoutRunEnds                  // two children: run ends, values
	layoutDictionary               // validity, indices of width bytes
)

// field is the type of a column as far as its bytes are concerned.
type field struct {
	kind     uint8 // a value of the Type union
	layout   layout
	width    int64
	signed   bool   // integers and dictionary indices
	param    string // what else tells types without children apart
	nullable bool
	codes    []int8 // unions: the type id of each child
	children []*field
	dict     int64 // dictionary: its id
}

// schema is the type tree of a stream and its dictionaries by id.
type schema struct {
	version int16
	fields  []*field
	dicts   map[int64]*dictionary
}

// dictionary is what the stream has said so far about one dictionary.
type dictionary struct {
	value  *field
	fields int64 // in the type tree of its values
	known  bool
	grown  bool // a delta has come that no batch has made use of yet
	length int64
	cost   int64 // of copying it, see [batch.cost]
}

// Values of the Type union of the Arrow metadata.
const (
	typeNull = iota + 1
	typeInt
	typeFloat
	typeBinary
	typeUtf8
	typeBool
	typeDecimal
	typeDate
	typeTime
	typeTimestamp
	typeInterval
	typeList
	typeStruct
	typeUnion
	typeFixedBinary
	typeFixedList
	typeMap
	typeDuration
	typeLargeBinary
	typeLargeUtf8
	typeLargeList
	typeRunEnds
	typeBinaryView
	typeUtf8View
	typeListView
	typeLargeListView
)

func typeName(kind uint8) string {
	names := [...]string{
		typeNull: "null", typeInt: "integer", typeFloat: "float", typeBinary: "binary", typeUtf8: "string",
		typeBool: "boolean", typeDecimal: "decimal", typeDate: "date", typeTime: "time", typeTimestamp: "timestamp",
		typeInterval: "interval", typeList: "list", typeStruct: "struct", typeUnion: "union",
		typeFixedBinary: "fixed-size binary", typeFixedList: "fixed-size list", typeMap: "map",
		typeDuration: "duration", typeLargeBinary: "large binary", typeLargeUtf8: "large string",
		typeLargeList: "large list", typeRunEnds: "run-end encoded", typeBinaryView: "binary view",
		typeUtf8View: "string view", typeListView: "list view", typeLargeListView: "large list view",
	}
	if kind == 0 || int(kind) >= len(names) {
		return fmt.Sprintf("type %d", kind)
	}
	return names[kind]
}

// readSchema verifies a Schema table.
func readSchema(t table, version int16) (*schema, error) {
	if e := t.i16(0, 0); e != 0 {
		return nil, fmt.Errorf("endianness %d is not supported, only little endian is", e)
	}
	s := &schema{version: version, dicts: make(map[int64]*dictionary)}
	fields := t.vector(1, 4)
	for i := range fields.n {
		f, err := s.field(fields.table(i), 1)
		if err != nil {
			return nil, fmt.Errorf("column %d: %w", i, err)
		}
		s.fields = append(s.fields, f)
	}
	readMetadata(t.vector(2, 4))
	t.vector(3, 8)
	return s, t.f.err
}

// readMetadata verifies a vector of KeyValue tables.
func readMetadata(pairs vector) {
	for i := range pairs.n {
		t := pairs.table(i)
		t.text(0)
		t.text(1)
	}
}

// field verifies a Field table and everything below it.
func (s *schema) field(t table, depth int) (*field, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("types are nested more than %d deep", maxDepth)
	}
	t.text(0)
	nullable := t.flag(1)
	kind := t.u8(2)
	params := t.must(3, "type")
	kids := t.vector(5, 4)
	readMetadata(t.vector(6, 4))
	if t.f.err != nil {
		return nil, t.f.err
	}
	children := make([]*field, kids.n)
	for i := range children {
		c, err := s.field(kids.table(i), depth+1)
		if err != nil {
			return nil, fmt.Errorf("child %d: %w", i, err)
		}
		children[i] = c
	}
	f, err := s.dataType(kind, params, children)
	if t.f.err != nil {
		err = t.f.err
	}
	if err != nil {
		return nil, err
	}
	if enc, ok := t.child(4); ok {
		if f, err = s.dictionary(enc, f); err != nil {
			return nil, err
		}
	}
	f.nullable = nullable
	return f, t.f.err
}

// form says how the columns of a type are laid out.
type form struct {
	layout   layout
	width    int64 // of offsets
	children int   // -1: any number
}

// forms are those of all types but the ones of layoutFixed.
var forms = map[uint8]form{
	typeNull:          {layoutNull, 0, 0},
	typeBool:          {layoutBits, 0, 0},
	typeBinary:        {layoutBinary, 4, 0},
	typeUtf8:          {layoutBinary, 4, 0},
	typeLargeBinary:   {layoutBinary, 8, 0},
	typeLargeUtf8:     {layoutBinary, 8, 0},
	typeBinaryView:    {layoutView, 0, 0},
	typeUtf8View:      {layoutView, 0, 0},
	typeList:          {layoutList, 4, 1},
	typeLargeList:     {layoutList, 8, 1},
	typeListView:      {layoutListView, 4, 1},
	typeLargeListView: {layoutListView, 8, 1},
	typeFixedList:     {layoutFixedList, 0, 1},
	typeMap:           {layoutMap, 4, 1},
	typeStruct:        {layoutStruct, 0, -1},
	typeUnion:         {layoutSparse, 0, -1}, // or dense
	typeRunEnds:       {layoutRunEnds, 0, 2},
}

// dataType verifies the table of one member of the Type union.
func (s *schema) dataType(kind uint8, t table, children []*field) (*field, error) {
	form, ok := forms[kind]
	switch n := len(children); {
	case n > 0 && form.children == 0:
		return nil, fmt.Errorf("%s cannot have %d children", typeName(kind), n)
	case n != form.children && form.children >= 0:
		return nil, fmt.Errorf("%s with %d children, it must have %d", typeName(kind), n, form.children)
	}
	f := &field{kind: kind, layout: form.layout, width: form.width, children: children}
	if !ok {
		f.layout = layoutFixed
		return f, f.fixed(t)
	}
	return f, s.nested(t, f)
}

// isText says whether the values must be UTF-8.
func (f *field) isText() bool {
	return f.kind == typeUtf8 || f.kind == typeLargeUtf8 || f.kind == typeUtf8View
}

// nested verifies the parameters of a type with children, and what it demands of these.
func (s *schema) nested(t table, f *field) error {
	switch f.kind {
	case typeFixedList:
		if f.width = int64(t.i32(0, 0)); f.width <= 0 {
			return fmt.Errorf("fixed-size list of size %d is not supported", f.width)
		}
	case typeMap:
		t.flag(0)
		entry := f.children[0]
		if entry.layout != layoutStruct || entry.nullable || len(entry.children) != 2 || entry.children[0].nullable {
			return errors.New("map entries must be non-nullable structs of a non-nullable key and a value")
		}
	case typeUnion:
		return s.union(t, f)
	case typeRunEnds:
		if s.version < version5 {
			return errors.New("run-end encoded in version 4 metadata is not supported")
		}
		ends := f.children[0]
		if ends.layout != layoutFixed || ends.kind != typeInt || !ends.signed || ends.width < 2 {
			return errors.New("run ends must be int16, int32 or int64")
		}
	}
	return nil
}

// union verifies the parameters of a union. A union without type ids numbers its
// children.
func (s *schema) union(t table, f *field) error {
	if s.version < version5 {
		return errors.New("union in version 4 metadata is not supported")
	}
	switch mode := t.i16(0, 0); mode {
	case 0:
		f.layout = layoutSparse
	case 1:
		f.layout = layoutDense
	default:
		return fmt.Errorf("union mode %d does not exist", mode)
	}
	ids := t.vector(1, 4)
	n := len(f.children)
	if n > 128 || ids.n > 0 && ids.n != n {
		return fmt.Errorf("union has %d children and %d type ids", n, ids.n)
	}
	var seen [128]bool
	for i := range n {
		code := int32(i)
		if ids.n > 0 {
			code = int32(ids.f.u32(ids.pos + 4*i))
		}
		if code < 0 || code > 127 || seen[code] {
			return fmt.Errorf("union type id %d is out of range or not unique", code)
		}
		seen[code] = true
		f.codes = append(f.codes, int8(code))
	}
	return nil
}

// dictionary verifies a DictionaryEncoding table and returns the type of the
// indices into a dictionary of the given values.
func (s *schema) dictionary(t table, value *field) (*field, error) {
	id := t.i64(0)
	index := t.must(1, "dictionary index type")
	t.flag(2)
	kind := t.i16(3, 0)
	if t.f.err != nil {
		return nil, t.f.err
	}
	f := &field{kind: typeInt, layout: layoutDictionary, dict: id}
	if err := f.integer(index); err != nil {
		return nil, fmt.Errorf("dictionary index: %w", err)
	}
	if kind != 0 {
		return nil, fmt.Errorf("dictionary kind %d does not exist", kind)
	}
	if id < 0 {
		return nil, fmt.Errorf("dictionary id %d is negative", id)
	}
	fields, err := value.checkDictionaryValue()
	if err != nil {
		return nil, err
	}
	if d, ok := s.dicts[id]; !ok {
		s.dicts[id] = &dictionary{value: value, fields: fields}
	} else if !d.value.same(value) {
		return nil, fmt.Errorf("dictionary %d is shared by columns of different or nested types", id)
	}
	return f, nil
}

// checkDictionaryValue refuses what arrow-go misreads inside a dictionary, and
// counts the fields of the type.
func (f *field) checkDictionaryValue() (fields int64, err error) {
	switch f.layout {
	case layoutDictionary:
		return 0, errors.New("dictionaries of dictionaries are not supported")
	case layoutSparse, layoutDense:
		return 0, errors.New("dictionaries of unions are not supported")
	case layoutRunEnds:
		return 0, errors.New("dictionaries of run-end encoded data are not supported")
	}
	fields = 1
	for _, c := range f.children {
		n, err := c.checkDictionaryValue()
		if err != nil {
			return 0, err
		}
		fields += n
	}
	return fields, nil
}

// same reports whether two types without children are the same.
func (f *field) same(g *field) bool {
	return f.kind == g.kind && f.width == g.width && f.signed == g.signed && f.param == g.param &&
		len(f.children) == 0 && len(g.children) == 0
}
