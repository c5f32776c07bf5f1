// Package codec turns Go values into Arrow columns and back. A [Kind] is how the values
// of a Go type travel as parameters and results; most are [Values], which a codec for
// their type reads and writes, a column at a time.
package codec

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"mangoro.local/internal/gotype"
)

// A codec carries values of one Go type T from Arrow and back, a column at a
// time: the column's rows are a []T.
type codec interface {
	// goType returns T.
	goType() reflect.Type
	// describe describes a T to R. Nullable: a T can be NA.
	describe() Type
	// scalar tells whether a T is one element of an R vector, or a struct of scalars.
	scalar() bool
	// nests tells whether one row of a list column of that type is one T.
	nests(list arrow.ListLikeType) bool
	// read returns the rows as a []T, and which of them are not NA. It is
	// called through readColumn, which takes care of what is alike for all.
	read(Column) (values any, valid Bitmap, err error)
	// write returns a []T as a column. Rows that are not valid become NA. The
	// column may share the memory of values. Times of which none is valid are in
	// the time zone of the arguments.
	write(values any, valid Bitmap, args *Arguments) (Column, error)
}

// A vectorCodec is a codec of values that are vectors of rows: slices, matrices and data
// frames.
type vectorCodec interface {
	codec
	// whole returns all rows of a column as one value.
	whole(Column) (reflect.Value, error)
}

// readWholes reads a column of lists whose every row is one value of the codec, which is
// what says. The rows that are not valid are zero.
func readWholes(c vectorCodec, col Column, what string) (any, Bitmap, error) {
	list, ok := col.Array.(array.ListLike)
	if !ok || !slices.Contains([]arrow.Type{arrow.LIST, arrow.LARGE_LIST}, list.DataType().ID()) {
		return nil, Bitmap{}, col.mustBe(what)
	}
	valid := validRows(list)
	rows := reflect.MakeSlice(reflect.SliceOf(c.goType()), list.Len(), list.Len())
	for i := range list.Len() {
		if !valid.Has(i) {
			continue
		}
		from, to := list.ValueOffsets(i)
		child := col.child(list, from, to)
		value, err := c.whole(child)
		child.Array.Release()
		if err != nil {
			return nil, Bitmap{}, inList(err, i)
		}
		rows.Index(i).Set(value)
	}
	return rows.Interface(), valid, nil
}

// maxNullRows is how many rows of type null are taken: they come in no bytes
// at all, and would not stay that small.
const maxNullRows = 1 << 24

// readColumn reads a column as c's type. What it does for all types: NA of no
// type in particular, extension types, and lists whose every row is one value.
func readColumn(c codec, col Column) (values any, valid Bitmap, err error) {
	n := col.Array.Len()
	if col.Array.DataType().ID() == arrow.NULL && n > maxNullRows {
		return nil, Bitmap{}, &Error{problem: fmt.Sprintf("has %d rows of type null, but at most %d are taken", n, maxNullRows), Row: -1, TooLarge: true}
	}
	if untypedNull(col.Array) {
		return blank(c.goType(), n), noRows(n), nil
	}
	switch column := col.Array.(type) {
	case array.ExtensionArray:
		col.Array = column.Storage()
		return readColumn(c, col)
	case *array.List, *array.LargeList:
		if !c.nests(column.DataType().(arrow.ListLikeType)) {
			return readSingles(c, col, column.(array.ListLike))
		}
	}
	return c.read(col)
}

// untypedNull tells whether a column is NA and nothing else, as R's logical NA is, which
// fits any type, and a list of nothing but NULL.
func untypedNull(column arrow.Array) bool {
	switch t := column.DataType().(type) {
	case *arrow.NullType:
		return true
	case *arrow.BooleanType:
		return column.NullN() == column.Len()
	case *arrow.ListType:
		return t.Elem().ID() == arrow.NULL && column.NullN() == column.Len()
	default:
		return false
	}
}

// blank returns n times NA of a type, for rows that are not valid.
func blank(t reflect.Type, n int) any {
	values := reflect.MakeSlice(reflect.SliceOf(t), n, n)
	switch t.Kind() {
	case reflect.Float64:
		for i := range n {
			values.Index(i).SetFloat(na)
		}
	case reflect.Float32:
		for i := range n {
			values.Index(i).Set(reflect.ValueOf(na32).Convert(t))
		}
	}
	return values.Interface()
}

// readSingles reads a list column of which each row has one element, as R
// sends a vector of length 1 where it need not be of that length.
func readSingles(c codec, col Column, list array.ListLike) (any, Bitmap, error) {
	for i := range list.Len() {
		if list.IsNull(i) {
			return nil, Bitmap{}, missingValue(i)
		}
		if from, to := list.ValueOffsets(i); to-from != 1 {
			return nil, Bitmap{}, badValue("must have one value in each row", i, fmt.Sprintf("of length %d", to-from))
		}
	}
	from, to := extent(list)
	child := col.child(list, from, to)
	defer child.Array.Release()
	return readColumn(c, child)
}

// extent returns where the elements of a list column begin and end.
func extent(list array.ListLike) (from, to int64) {
	if list.Len() == 0 {
		return 0, 0
	}
	from, _ = list.ValueOffsets(0)
	_, to = list.ValueOffsets(list.Len() - 1)
	return from, to
}

// strict reads a column for a place that has no other room for NA than T's own.
func strict(c codec, col Column) (any, error) {
	values, valid, err := readColumn(c, col)
	if err != nil {
		return nil, err
	}
	if row := missingRow(c, valid, col.Array.Len()); row >= 0 {
		return nil, missingValue(row)
	}
	return values, nil
}

// missingRow returns the first row that is NA and cannot be, or -1.
func missingRow(c codec, valid Bitmap, n int) int {
	if c.describe().Nullable || valid.Full() {
		return -1
	}
	return valid.firstNA(n)
}

// newCodec returns the codec of a Go type. The types in which it lies are
// within: a type in itself has no end.
func newCodec(t reflect.Type, within ...reflect.Type) (codec, error) {
	if slices.Contains(within, t) {
		return nil, fmt.Errorf("%v contains itself%s", t, gotype.Recursive)
	}
	if shape, ok := shapeOf(t); ok {
		return shape.codec(append(slices.Clone(within), t))
	}
	if c, ok := scalarCodec(t); ok {
		return c, nil
	}
	if isDynamic(t) {
		return dynamicCodec{t}, nil
	}
	if c, ok := objectCodecOf(t); ok {
		return c, nil
	}
	within = append(slices.Clone(within), t)
	switch t.Kind() {
	case reflect.Pointer:
		return newNullCodec(pointer{t}, within)
	case reflect.Slice:
		return newListCodec(t, t.Elem(), sliceShape{t}, within)
	case reflect.Array:
		return newArrayCodec(t, within)
	case reflect.Struct:
		return newStructCodec(t, within)
	case reflect.Map:
		return newMapCodec(t, within)
	default:
		return nil, unsupported(t)
	}
}

// unsupported is the error of a type that has no codec, and says which has.
func unsupported(t reflect.Type) error {
	return fmt.Errorf("type %v is not supported%s", t, gotype.Unsupported(t.Kind()))
}

// scalarCodec returns the codec of a type that is one element of an R vector.
func scalarCodec(t reflect.Type) (codec, bool) {
	switch t {
	case reflect.TypeFor[time.Time]():
		return timeCodec{basic[time.Time]{name: TypeTimestamp, readAs: readTimes}}, true
	case reflect.TypeFor[time.Duration]():
		return basic[time.Duration]{TypeDuration, readDurations, writeDurations}, true
	}
	if c, ok := newTextCodec(t); ok {
		return c, true
	}
	c, ok := kindCodec(t)
	if ok && c.goType() != t {
		return renamed{t, c}, true
	}
	return c, ok
}

func kindCodec(t reflect.Type) (codec, bool) {
	switch t.Kind() {
	case reflect.Float64:
		return basic[float64]{TypeFloat64, readFloats, writeFloats}, true
	case reflect.Float32:
		return basic[float32]{TypeFloat32, readFloat32s, writeFloat32s}, true
	case reflect.Int8:
		return integersOf[int8](TypeInt8, arrow.PrimitiveTypes.Int8), true
	case reflect.Int16:
		return integersOf[int16](TypeInt16, arrow.PrimitiveTypes.Int16), true
	case reflect.Int32:
		return integersOf[int32](TypeInt32, arrow.PrimitiveTypes.Int32), true
	case reflect.Int64:
		return integersOf[int64](TypeInt64, arrow.PrimitiveTypes.Int64), true
	case reflect.Int:
		return intCodec(), true
	case reflect.Uint8:
		return integersOf[uint8](TypeUint8, arrow.PrimitiveTypes.Uint8), true
	case reflect.Uint16:
		return integersOf[uint16](TypeUint16, arrow.PrimitiveTypes.Uint16), true
	case reflect.Uint32:
		return integersOf[uint32](TypeUint32, arrow.PrimitiveTypes.Uint32), true
	case reflect.Uint64:
		return integersOf[uint64](TypeUint64, arrow.PrimitiveTypes.Uint64), true
	case reflect.Uint:
		return uintCodec(), true
	case reflect.String:
		return basic[string]{TypeString, readStrings, writeStrings}, true
	case reflect.Bool:
		return basic[bool]{TypeBool, readBools, writeBools}, true
	case reflect.Complex64:
		return basic[complex64]{TypeComplex64, readComplex64s, writeComplex64s}, true
	case reflect.Complex128:
		return basic[complex128]{TypeComplex128, readComplexes, writeComplexes}, true
	case reflect.Slice:
		if t.Elem() == reflect.TypeFor[byte]() {
			return basic[[]byte]{TypeBinary, readBytes, writeBinaries}, true
		}
	}
	return nil, false
}

// basic is the codec of a scalar type.
type basic[T any] struct {
	name    string
	readAs  func(Column) ([]T, Bitmap, error)
	writeAs func([]T, Bitmap, *Arguments) (Column, error)
}

func (b basic[T]) goType() reflect.Type { return reflect.TypeFor[T]() }

// A float can be NA: it is a NaN, as in R. A []byte can be nil, which is NULL.
func (b basic[T]) describe() Type {
	nullable := b.name == TypeFloat64 || b.name == TypeFloat32 || b.name == TypeBinary
	return Type{Name: b.name, Nullable: nullable}
}

func (b basic[T]) scalar() bool { return true }

// A raw vector is a list of bytes, and one []byte.
func (b basic[T]) nests(list arrow.ListLikeType) bool {
	return b.name == TypeBinary && list.Elem().ID() == arrow.UINT8
}

func (b basic[T]) read(col Column) (any, Bitmap, error) { return anyOf(b.readAs(col)) }

func (b basic[T]) write(values any, valid Bitmap, args *Arguments) (Column, error) {
	return b.writeAs(values.([]T), valid, args)
}

func anyOf[T any](values []T, valid Bitmap, err error) (any, Bitmap, error) {
	return values, valid, err
}

// renamed is the codec of a type whose underlying type is a scalar: time.Month.
type renamed struct {
	t reflect.Type
	codec
}

func (r renamed) goType() reflect.Type { return r.t }

func (r renamed) read(col Column) (any, Bitmap, error) {
	values, valid, err := r.codec.read(col)
	if err != nil {
		return nil, Bitmap{}, err
	}
	return convertAll(values, r.t), valid, nil
}

func (r renamed) write(values any, valid Bitmap, args *Arguments) (Column, error) {
	return r.codec.write(convertAll(values, r.codec.goType()), valid, args)
}

// convertAll returns a slice as one of another type with the same underlying type, in the
// same memory.
func convertAll(values any, to reflect.Type) any {
	in := reflect.ValueOf(values)
	slice := reflect.New(in.Type())
	slice.Elem().Set(in)
	return reflect.NewAt(reflect.SliceOf(to), slice.UnsafePointer()).Elem().Interface()
}

// na is R's NA_real_: a NaN that R tells from others by its low word.
var na = math.Float64frombits(0x7FF00000000007A2)

// isNA tells whether R takes a number for NA.
func isNA(x float64) bool { return x != x && uint32(math.Float64bits(x)) == 1954 }

// na32 is the NaN that stands for NA among float32.
var na32 = math.Float32frombits(0x7FC007A2)

func isNA32(x float32) bool { return x != x && math.Float32bits(x)&0x3FFFFF == 1954 }
