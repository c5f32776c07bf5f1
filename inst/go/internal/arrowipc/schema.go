package arrowipc

import (
	"errors"
	"fmt"
)

// The members of the union Type in Schema.fbs.
const (
	typeNull            = 1
	typeInt             = 2
	typeFloatingPoint   = 3
	typeBinary          = 4
	typeUtf8            = 5
	typeBool            = 6
	typeDecimal         = 7
	typeDate            = 8
	typeTime            = 9
	typeTimestamp       = 10
	typeInterval        = 11
	typeList            = 12
	typeStruct          = 13
	typeUnion           = 14
	typeFixedSizeBinary = 15
	typeFixedSizeList   = 16
	typeMap             = 17
	typeDuration        = 18
	typeLargeBinary     = 19
	typeLargeUtf8       = 20
	typeLargeList       = 21
	typeRunEndEncoded   = 22
	typeBinaryView      = 23
	typeUtf8View        = 24
	typeListView        = 25
	typeLargeListView   = 26
)

// typeName names the types that are refused.
func typeName(id int64) string {
	switch id {
	case typeUnion:
		return "union"
	case typeRunEndEncoded:
		return "run-end encoding"
	case typeBinaryView:
		return "binary view"
	case typeUtf8View:
		return "string view"
	case typeListView, typeLargeListView:
		return "list view"
	default:
		return fmt.Sprintf("number %d", id)
	}
}

// shape is what must be known of a type to check the bodies of its batches:
// which buffers there are, and how long they must be.
type shape struct {
	name       string
	layout     layout
	bits       int64 // of a value, or of an offset
	children   []*shape
	listSize   int64  // of a fixed-size list
	dictionary *int64 // the dictionary whose indices these are
}

// layout is the kind of buffers that a type has.
type layout int

const (
	layoutNull          layout = iota // none
	layoutFixed                       // validity, values
	layoutVariable                    // validity, offsets, data
	layoutList                        // validity, offsets; a child
	layoutFixedSizeList               // validity; a child
	layoutStruct                      // validity; children
)

// schema is what a stream's first message tells.
type schema struct {
	fields       []*shape
	dictionaries map[int64]*shape // the values of each dictionary
}

func (s *schema) read(t table) error {
	endianness, err := t.integer(0, 2, 0)
	if err != nil {
		return err
	}
	if endianness != 0 {
		return errors.New("big-endian data is not supported")
	}
	fields, err := t.vector(1, 4)
	if err != nil {
		return err
	}
	if s.fields, err = s.readFields(fields); err != nil {
		return err
	}
	if _, err := t.vector(3, 8); err != nil { // features
		return err
	}
	return checkMetadata(t, 2)
}

func (s *schema) readFields(fields vector) ([]*shape, error) {
	shapes := make([]*shape, 0, fields.len)
	for i := range fields.len {
		t, err := fields.table(i)
		if err != nil {
			return nil, err
		}
		field, err := s.readField(t)
		if err != nil {
			return nil, err
		}
		shapes = append(shapes, field)
	}
	return shapes, nil
}

func (s *schema) readField(t table) (*shape, error) {
	name, err := t.str(0)
	if err != nil {
		return nil, err
	}
	field, err := s.readFieldType(t, name)
	if err != nil {
		return nil, fmt.Errorf("field %q: %w", name, err)
	}
	return field, nil
}

func (s *schema) readFieldType(t table, name string) (*shape, error) {
	if _, err := t.integer(1, 1, 0); err != nil { // nullable
		return nil, err
	}
	if err := checkMetadata(t, 6); err != nil {
		return nil, err
	}
	children, err := t.vector(5, 4)
	if err != nil {
		return nil, err
	}
	values := &shape{name: name}
	if values.children, err = s.readFields(children); err != nil {
		return nil, err
	}
	id, err := t.integer(2, 1, 0)
	if err != nil {
		return nil, err
	}
	typeTable, ok, err := t.child(3)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, errors.New("there is no type")
	}
	if err := values.readType(id, typeTable); err != nil {
		return nil, err
	}
	encoding, ok, err := t.child(4)
	if err != nil || !ok {
		return values, err
	}
	return s.readDictionary(encoding, values)
}

// readDictionary returns the shape of the indices, and keeps that of the values.
func (s *schema) readDictionary(t table, values *shape) (*shape, error) {
	id, err := t.integer(0, 8, 0)
	if err != nil {
		return nil, err
	}
	if _, err := t.integer(2, 1, 0); err != nil { // ordered
		return nil, err
	}
	kind, err := t.integer(3, 2, 0)
	if err != nil {
		return nil, err
	}
	if kind != 0 {
		return nil, fmt.Errorf("a dictionary of kind %d", kind)
	}
	if _, twice := s.dictionaries[id]; twice {
		return nil, fmt.Errorf("two fields have the dictionary %d", id)
	}
	indices := &shape{name: values.name, layout: layoutFixed, bits: 32, dictionary: &id}
	indexType, ok, err := t.child(1)
	if err != nil {
		return nil, err
	}
	if ok {
		if err := indices.readType(typeInt, indexType); err != nil {
			return nil, err
		}
	}
	s.dictionaries[id] = values
	return indices, nil
}

// readType fills in layout and widths from a member of the union Type.
func (f *shape) readType(id int64, t table) error {
	children := -1 // any number
	var err error
	switch id {
	case typeNull:
		f.layout, children = layoutNull, 0
	case typeBool:
		f.layout, f.bits, children = layoutFixed, 1, 0
	case typeInt:
		f.layout, children = layoutFixed, 0
		if _, err := t.integer(1, 1, 0); err != nil { // signed
			return err
		}
		f.bits, err = oneOf(t, 0, 4, 0, "an integer width", map[int64]int64{8: 8, 16: 16, 32: 32, 64: 64})
	case typeFloatingPoint:
		f.layout, children = layoutFixed, 0
		f.bits, err = oneOf(t, 0, 2, 0, "a precision", map[int64]int64{0: 16, 1: 32, 2: 64})
	case typeDecimal:
		f.layout, children = layoutFixed, 0
		err = f.readDecimal(t)
	case typeDate:
		f.layout, children = layoutFixed, 0
		f.bits, err = oneOf(t, 0, 2, 1, "a unit", map[int64]int64{0: 32, 1: 64})
	case typeTime:
		f.layout, children = layoutFixed, 0
		err = f.readTime(t)
	case typeTimestamp:
		f.layout, f.bits, children = layoutFixed, 64, 0
		if _, err := t.str(1); err != nil { // time zone
			return err
		}
		err = checkUnit(t, 0)
	case typeDuration:
		f.layout, f.bits, children = layoutFixed, 64, 0
		err = checkUnit(t, 1)
	case typeInterval:
		f.layout, children = layoutFixed, 0
		f.bits, err = oneOf(t, 0, 2, 0, "a unit", map[int64]int64{0: 32, 1: 64, 2: 128})
	case typeFixedSizeBinary:
		f.layout, children = layoutFixed, 0
		f.bits, err = positive(t, 0, "a width")
		f.bits *= 8
	case typeBinary, typeUtf8:
		f.layout, f.bits, children = layoutVariable, 32, 0
	case typeLargeBinary, typeLargeUtf8:
		f.layout, f.bits, children = layoutVariable, 64, 0
	case typeList:
		f.layout, f.bits, children = layoutList, 32, 1
	case typeLargeList:
		f.layout, f.bits, children = layoutList, 64, 1
	case typeMap:
		f.layout, f.bits, children = layoutList, 32, 1
		err = f.readMap(t)
	case typeFixedSizeList:
		f.layout, children = layoutFixedSizeList, 1
		f.listSize, err = positive(t, 0, "a list size")
	case typeStruct:
		f.layout = layoutStruct
	default:
		return fmt.Errorf("the type %s is not supported", typeName(id))
	}
	if err != nil {
		return err
	}
	if children >= 0 && len(f.children) != children {
		return fmt.Errorf("its type has %d children, not %d", children, len(f.children))
	}
	return nil
}

func (f *shape) readDecimal(t table) error {
	var err error
	if f.bits, err = oneOf(t, 2, 4, 128, "a decimal width", map[int64]int64{32: 32, 64: 64, 128: 128, 256: 256}); err != nil {
		return err
	}
	precision, err := t.integer(0, 4, 0)
	if err != nil {
		return err
	}
	scale, err := t.integer(1, 4, 0)
	if err != nil {
		return err
	}
	most := map[int64]int64{32: 9, 64: 18, 128: 38, 256: 76}[f.bits]
	if precision < 1 || precision > most || scale < -most || scale > most {
		return fmt.Errorf("a decimal of %d bits has no precision %d with scale %d", f.bits, precision, scale)
	}
	return nil
}

func (f *shape) readTime(t table) error {
	unit, err := t.integer(0, 2, 1)
	if err != nil {
		return err
	}
	if f.bits, err = t.integer(1, 4, 32); err != nil {
		return err
	}
	if unit < 0 || unit > 3 || f.bits != map[bool]int64{true: 32, false: 64}[unit < 2] {
		return fmt.Errorf("a time of unit %d has %d bits", unit, f.bits)
	}
	return nil
}

// readMap checks that the entries of a map are keys and values.
func (f *shape) readMap(t table) error {
	if len(f.children) == 1 && (f.children[0].layout != layoutStruct || len(f.children[0].children) != 2) {
		return errors.New("the entries of the map are no pairs")
	}
	_, err := t.integer(0, 1, 0) // sorted
	return err
}

// oneOf reads an integer that must be a key of values, and returns its value.
func oneOf(t table, index, size int, byDefault int64, what string, values map[int64]int64) (int64, error) {
	got, err := t.integer(index, size, byDefault)
	if err != nil {
		return 0, err
	}
	value, ok := values[got]
	if !ok {
		return 0, fmt.Errorf("%d is not %s", got, what)
	}
	return value, nil
}

// positive reads a number of four bytes.
func positive(t table, index int, what string) (int64, error) {
	got, err := t.integer(index, 4, 0)
	if err == nil && got < 1 {
		err = fmt.Errorf("%d is not %s", got, what)
	}
	return got, err
}

func checkUnit(t table, byDefault int64) error {
	unit, err := t.integer(0, 2, byDefault)
	if err == nil && (unit < 0 || unit > 3) {
		err = fmt.Errorf("%d is not a unit of time", unit)
	}
	return err
}

// checkMetadata looks at a vector of pairs of strings.
func checkMetadata(t table, index int) error {
	pairs, err := t.vector(index, 4)
	if err != nil {
		return err
	}
	for i := range pairs.len {
		pair, err := pairs.table(i)
		if err != nil {
			return err
		}
		for part := range 2 {
			if _, err := pair.str(part); err != nil {
				return err
			}
		}
	}
	return nil
}
