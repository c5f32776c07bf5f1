package codec

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"mangoro.local/internal/segment"
)

// maxExact is the largest of the whole numbers that a float64 tells from all
// its neighbours.
const maxExact = 1 << 53

type integer interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

type number interface {
	integer | ~int | ~uint | ~float32 | ~float64
}

// integersOf returns the codec of a type of integers, whose Arrow type has their layout.
func integersOf[T integer](name string, dataType arrow.DataType) codec {
	write := func(values []T, valid Bitmap, _ *Arguments) (Column, error) {
		low, _ := limits[T]()
		fill(values, valid, T(low)) // what R's codec has for NA
		return fixedWidth(dataType, values, valid), nil
	}
	return basic[T]{name, readIntegers[T], write}
}

// platform is the codec of int and uint, T, which have the layout of S on this platform
// but travel as the wide W.
func platform[T ~int | ~uint, S, W integer](name string, dataType arrow.DataType) codec {
	read := func(col Column) ([]T, Bitmap, error) {
		values, valid, err := readIntegers[S](col)
		return cast[T](values), valid, err
	}
	wide := integersOf[W](name, dataType).(basic[W])
	write := func(values []T, valid Bitmap, args *Arguments) (Column, error) {
		if unsafe.Sizeof(T(0)) == unsafe.Sizeof(W(0)) {
			return wide.writeAs(cast[W](values), valid, args)
		}
		return wide.writeAs(widen[W](values), valid, args)
	}
	return basic[T]{name, read, write}
}

func intCodec() codec {
	if bits.UintSize == 32 {
		return platform[int, int32, int64](TypeInt64, arrow.PrimitiveTypes.Int64)
	}
	return platform[int, int64, int64](TypeInt64, arrow.PrimitiveTypes.Int64)
}

func uintCodec() codec {
	if bits.UintSize == 32 {
		return platform[uint, uint32, uint64](TypeUint64, arrow.PrimitiveTypes.Uint64)
	}
	return platform[uint, uint64, uint64](TypeUint64, arrow.PrimitiveTypes.Uint64)
}

func readFloats(col Column) ([]float64, Bitmap, error) {
	valid := validRows(col.Array)
	values, err := floats(col, valid)
	if err == nil && !col.skip {
		values = filled(col, values, valid, na, isNA)
	}
	return values, valid, err
}

// floats returns the values of a column of numbers: a copy unless the column is borrowed.
func floats(col Column, valid Bitmap) ([]float64, error) {
	const problem = "must be numbers that a float64 holds exactly"
	switch column := col.Array.(type) {
	case *array.Float64:
		return own(col, column.Float64Values()), nil
	case *array.Float32:
		return widen[float64](column.Float32Values()), nil
	case *array.Float16:
		return mapped(column.Values(), func(v float16.Num) float64 { return float64(v.Float32()) }), nil
	case *array.Int32:
		return widen[float64](column.Int32Values()), nil
	case *array.Int16:
		return widen[float64](column.Int16Values()), nil
	case *array.Int8:
		return widen[float64](column.Int8Values()), nil
	case *array.Uint32:
		return widen[float64](column.Uint32Values()), nil
	case *array.Uint16:
		return widen[float64](column.Uint16Values()), nil
	case *array.Uint8:
		return widen[float64](column.Uint8Values()), nil
	case *array.Int64:
		return narrow[float64](column.Int64Values(), valid, within[int64](-maxExact, maxExact), problem)
	case *array.Uint64:
		return narrow[float64](column.Uint64Values(), valid, within[uint64](0, maxExact), problem)
	default:
		return nil, col.mustBe("numeric")
	}
}

// readFloat32s rounds numbers to the nearest float32. What would become infinite is an
// error.
func readFloat32s(col Column) ([]float32, Bitmap, error) {
	valid := validRows(col.Array)
	var values []float32
	if column, ok := col.Array.(*array.Float32); ok {
		values = own(col, column.Float32Values())
	} else {
		wide, err := floats(Column{Field: col.Field, Array: col.Array, borrow: true}, valid)
		if err != nil {
			return nil, valid, err
		}
		if values, err = float32s(wide, valid); err != nil {
			return nil, valid, err
		}
	}
	if !col.skip {
		values = filled(col, values, valid, na32, isNA32)
	}
	return values, valid, nil
}

func float32s(values []float64, valid Bitmap) ([]float32, error) {
	out := make([]float32, len(values))
	for i, v := range values {
		switch {
		case isNA(v):
			out[i] = na32
		case math.Abs(v) <= math.MaxFloat32 || math.IsInf(v, 0) || v != v:
			out[i] = float32(v)
		case valid.Has(i):
			return nil, badValue(fmt.Sprintf("must be numbers from %v to %v", -math.MaxFloat32, math.MaxFloat32), i, v)
		}
	}
	return out, nil
}

// readIntegers reads numbers that are whole and within the limits of T.
func readIntegers[T integer](col Column) ([]T, Bitmap, error) {
	valid := validRows(col.Array)
	if column, ok := col.Array.(interface{ Values() []T }); ok {
		return own(col, column.Values()), valid, nil
	}
	values, err := toIntegers[T](col, valid)
	return values, valid, err
}

// toIntegers returns the values of a column of other numbers than T.
func toIntegers[T integer](col Column, valid Bitmap) ([]T, error) {
	low, high := limits[T]()
	problem := fmt.Sprintf("must be whole numbers from %d to %d", low, high)
	switch column := col.Array.(type) {
	case *array.Int64:
		return narrow[T](column.Int64Values(), valid, holds[T, int64], problem)
	case *array.Int32:
		return narrow[T](column.Int32Values(), valid, holds[T, int32], problem)
	case *array.Int16:
		return narrow[T](column.Int16Values(), valid, holds[T, int16], problem)
	case *array.Int8:
		return narrow[T](column.Int8Values(), valid, holds[T, int8], problem)
	case *array.Uint64:
		return narrow[T](column.Uint64Values(), valid, holds[T, uint64], problem)
	case *array.Uint32:
		return narrow[T](column.Uint32Values(), valid, holds[T, uint32], problem)
	case *array.Uint16:
		return narrow[T](column.Uint16Values(), valid, holds[T, uint16], problem)
	case *array.Uint8:
		return narrow[T](column.Uint8Values(), valid, holds[T, uint8], problem)
	case *array.Float64:
		return narrow[T](column.Float64Values(), valid, whole[T](), problem)
	case *array.Float32:
		fits := whole[T]()
		return narrow[T](column.Float32Values(), valid, func(v float32) bool { return fits(float64(v)) }, problem)
	default:
		return nil, col.mustBe("numeric")
	}
}

// limits returns the smallest and the largest T.
func limits[T integer]() (low int64, high uint64) {
	size := 8 * unsafe.Sizeof(T(0))
	if negative := ^T(0) < 0; negative {
		return -1 << (size - 1), 1<<(size-1) - 1
	}
	return 0, 1<<size - 1
}

// holds tells whether a T can be v.
func holds[T, S integer](v S) bool { return S(T(v)) == v && (T(v) < 0) == (v < 0) }

func within[S integer](low, high S) func(S) bool {
	return func(v S) bool { return low <= v && v <= high }
}

// whole tells which float64 are whole numbers that a T can be. The limit above is compared
// as one more than the largest, which a float64 holds exactly.
func whole[T integer]() func(float64) bool {
	low, high := limits[T]()
	from, below := float64(low), float64(high)+1
	return func(v float64) bool { return from <= v && v < below && v == math.Trunc(v) }
}

// own returns a copy of the values, or the values themselves if the column is borrowed. No
// values are not nil, which an argument is that was left out.
func own[T any](col Column, values []T) []T {
	switch {
	case len(values) == 0:
		return []T{}
	case col.borrow:
		return values
	default:
		return slices.Clone(values)
	}
}

// widen converts numbers to a type that holds them all.
func widen[T, S number](values []S) []T {
	out := make([]T, len(values))
	for i, v := range values {
		out[i] = T(v)
	}
	return out
}

// narrow converts numbers to a type that holds those that fit. The first other
// one is an error.
func narrow[T, S number](values []S, valid Bitmap, fits func(S) bool, problem string) ([]T, error) {
	out := make([]T, len(values))
	for i, v := range values {
		switch {
		case fits(v):
			out[i] = T(v)
		case valid.Has(i):
			return nil, badValue(problem, i, v)
		}
	}
	return out, nil
}

// fill writes what lies under NA, of which it finds 64 rows at a time: a million rows, half
// of them NA, take 11 ms, and 14 ms one by one.
func fill[T any](values []T, valid Bitmap, under T) {
	if valid.Full() {
		return
	}
	for from := 0; from < len(values); from += 64 {
		for left := ^valid.word(from); left != 0; left &= left - 1 {
			if i := from + bits.TrailingZeros64(left); i < len(values) {
				values[i] = under
			}
		}
	}
}

// filled returns the values of a column with NA under each null. Borrowed values are copied
// first, unless NA is there already, as in R's own numbers.
func filled[T any](col Column, values []T, valid Bitmap, under T, isUnder func(T) bool) []T {
	if col.borrow && !valid.Full() {
		n := len(values)
		row := valid.next(0, n, false)
		for row < n && isUnder(values[row]) {
			row = valid.next(row+1, n, false)
		}
		if row == n {
			return values
		}
		values = slices.Clone(values)
	}
	fill(values, valid, under)
	return values
}

func readBools(col Column) ([]bool, Bitmap, error) {
	column, ok := col.Array.(*array.Boolean)
	if !ok {
		return nil, Bitmap{}, col.mustBe("logical")
	}
	values := make([]bool, column.Len())
	for i := range values {
		values[i] = column.Value(i)
	}
	return values, validRows(column), nil
}

// writeFloats writes numbers, of which those that are NA become null. Under a
// null lies what R has for NA, so that R may take the column as it is: the bits
// of an NA that came as a value are kept.
func writeFloats(values []float64, valid Bitmap, args *Arguments) (Column, error) {
	values, valid = placed(values, valid, args, na, isNA)
	return fixedWidth(arrow.PrimitiveTypes.Float64, values, valid), nil
}

// Numbers returns numbers as a column, where none is NA without the bitmap saying so.
// The caller releases it.
func Numbers(values []float64, valid Bitmap) Column {
	fill(values, valid, na)
	return fixedWidth(arrow.PrimitiveTypes.Float64, values, valid)
}

// writeFloat32s writes numbers as writeFloats does.
func writeFloat32s(values []float32, valid Bitmap, args *Arguments) (Column, error) {
	values, valid = placed(values, valid, args, na32, isNA32)
	return fixedWidth(arrow.PrimitiveTypes.Float32, values, valid), nil
}

// placedRows is how many numbers are copied before they are searched for NA, while they are
// in the processor's cache.
const placedRows = 1024

// placed returns numbers with NA under each null, and which of them are not NA. They are
// copied to the memory of results if there is room for them and they do not lie there already.
func placed[T float32 | float64](values []T, valid Bitmap, args *Arguments, na T, isNA func(T) bool) ([]T, Bitmap) {
	out, r, copies := values, args.memory, false
	args.nan = args.nan || !valid.Full()
	if size := len(values) * int(unsafe.Sizeof(na)); r != nil && size >= segment.Floor {
		if _, there := r.Offset(cast[byte](values)); !there {
			if memory := r.Alloc(size); memory != nil {
				out, copies = cast[T](memory), true
			}
		}
	}
	rows := clearable{Bitmap: valid, n: len(values)}
	for from := 0; from < len(values); from += placedRows {
		block := out[from:min(from+placedRows, len(out))]
		if copies { // borrowed values cannot be written, not even over themselves
			copy(block, values[from:])
		}
		for i, v := range block {
			if v != v {
				args.nan = true
				if isNA(v) {
					rows.clear(from + i)
				}
			}
		}
	}
	fill(out, valid, na)
	return out, rows.Bitmap
}

func writeBools(values []bool, valid Bitmap, _ *Arguments) (Column, error) {
	bits := noRows(len(values)).bits
	for i, v := range values {
		if v {
			bitutil.SetBit(bits, i)
		}
	}
	return newColumn(newArray(arrow.FixedWidthTypes.Boolean, len(values), valid, memory.NewBufferBytes(bits))), nil
}

// fixedWidth returns a column whose values have in Arrow the layout that they
// have in Go, and shares their memory.
func fixedWidth[T any](dataType arrow.DataType, values []T, valid Bitmap) Column {
	return newColumn(newArray(dataType, len(values), valid, memory.NewBufferBytes(cast[byte](values))))
}

// newArray returns an array of n rows made of buffers after the bitmap.
func newArray(dataType arrow.DataType, n int, valid Bitmap, buffers ...*memory.Buffer) arrow.Array {
	return newNested(dataType, n, valid, buffers)
}

// newNested returns an array of n rows that has children.
func newNested(dataType arrow.DataType, n int, valid Bitmap, buffers []*memory.Buffer, children ...arrow.ArrayData) arrow.Array {
	bits, nulls := valid.buffer(n)
	data := array.NewData(dataType, n, slices.Concat([]*memory.Buffer{bits}, buffers), children, nulls, 0)
	defer data.Release()
	return array.MakeFromData(data)
}

// cast returns the memory of a slice as one of another element type, which has
// no pointers and no stricter alignment.
func cast[T, S any](values []S) []T {
	if len(values) == 0 {
		return []T{}
	}
	var from S
	var to T
	n := uintptr(len(values)) * unsafe.Sizeof(from) / unsafe.Sizeof(to)
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(values))), n)
}
