package codec

import (
	"math"
	"reflect"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// Values is the kind of Go values, which a codec carries. A function can also be
// called with a row of them at a time.
type Values struct{ c codec }

// Type describes the values.
func (v Values) Type() Type { return v.c.describe() }

// GoType returns the type of one value.
func (v Values) GoType() reflect.Type { return v.c.goType() }

// Scalar tells whether a value is one element of an R vector, or one row of a data frame
// of such elements.
func (v Values) Scalar() bool { return v.c.scalar() }

// HasNA tells whether the values show NA: they are pointers or a Null.
func (v Values) HasNA() bool { return hasNA(v.c) }

// Absent tells whether an argument is NULL. A map and a pointer know NULL themselves.
func (v Values) Absent(arg Column, optional bool) bool {
	if _, ok := arg.Array.(*array.Null); ok {
		return arg.Array.Len() <= 1 && (optional || v.c.goType().Kind() != reflect.Map && !v.HasNA())
	}
	return isNull(arg.Array)
}

// AbsentRows does so for an argument of rows, where an untyped null is NA, and so is
// a raw vector that is NULL.
func (v Values) AbsentRows(arg Column) bool { return isNull(arg.Array) && v.Type().Name != TypeBinary }

// Read returns an argument as one value.
func (v Values) Read(arg Column, args *Arguments) (value reflect.Value, err error) {
	arg.objects = args.objects()
	arg, release := v.opened(arg)
	defer release()
	if vector, ok := v.c.(vectorCodec); ok {
		return vector.whole(arg)
	}
	values, err := strict(v.c, arg)
	if err != nil {
		return value, err
	}
	if n := arg.Array.Len(); n != 1 {
		return value, wrong("must have length 1, not %d", n)
	}
	return reflect.ValueOf(values).Index(0), nil
}

// opened returns the column whose rows are values: the one inside of a list where R
// has sent a vector as one row, and one row where it has sent a raw vector as many.
// The caller calls release after use.
func (v Values) opened(arg Column) (inner Column, release func()) {
	if arg.Array.DataType().ID() == arrow.UINT8 && v.Type().Name == TypeBinary {
		box := arg.Boxed()
		return box, box.Array.Release
	}
	if list, ok := arg.Array.DataType().(arrow.ListLikeType); ok {
		if _, whole := v.c.(vectorCodec); whole || !v.c.nests(list) {
			return arg.unbox()
		}
	}
	return arg, func() {}
}

// ReadRows returns an argument as a []T, and which of these are not NA: of structs, those
// without NA in a field that has no room for it. The values may lie in the argument's
// memory.
func (v Values) ReadRows(arg Column) (values any, valid Bitmap, n int, err error) {
	arg, release := v.opened(arg)
	defer release()
	arg.borrow, arg.skip, arg.fold = true, true, true
	values, valid, err = readColumn(v.c, arg)
	if v.HasNA() {
		valid = Bitmap{}
	}
	return values, valid, arg.Array.Len(), err
}

// Write returns a value as a column of one row.
func (v Values) Write(value reflect.Value, args *Arguments) (Column, error) {
	one := reflect.MakeSlice(reflect.SliceOf(v.c.goType()), 1, 1)
	one.Index(0).Set(value)
	return v.c.write(one.Interface(), Bitmap{}, args)
}

// WriteRows returns a []T as a column, which may lie in its memory. Rows that are not
// valid become NA. The caller releases it.
func (v Values) WriteRows(values any, valid Bitmap, args *Arguments) (Column, error) {
	return v.c.write(values, valid, args)
}

// Default returns a value that an argument has unless it is given as a column, from
// which each call reads a value of its own. It fails if the value is not exactly one
// of the type, or of that of which this one has NA.
func (v Values) Default(value any) (column Column, ok bool, err error) {
	c := v.c
	if outer, ok := c.(nullCodec); ok {
		c = outer.codec
	}
	if text, ok := c.(textCodec); ok && text.unmarshal != nil {
		if s, ok := value.(string); ok {
			column, err = writeStrings([]string{s}, Bitmap{}, new(Arguments))
			if err == nil {
				_, _, err = c.read(column)
			}
			return column, true, err
		}
	}
	exact, ok := exactly(value, c.goType())
	if ok {
		column, err = Values{c}.Write(exact, new(Arguments))
	}
	return column, ok, err
}

// exactly returns a value as one of type t, if that is the same value, or rounded to a
// float32.
func exactly(value any, t reflect.Type) (reflect.Value, bool) {
	v := reflect.ValueOf(value)
	switch {
	case !v.IsValid():
		return v, false
	case v.Type().AssignableTo(t):
		return v, true
	case !isNumber(v.Kind()) || !isNumber(t.Kind()):
		return v, false
	}
	converted := v.Convert(t)
	if t.Kind() == reflect.Float32 && v.CanFloat() {
		return converted, !math.IsInf(converted.Float(), 0) || math.IsInf(v.Float(), 0) // rounded
	}
	back := converted.Convert(v.Type())
	return converted, back.Equal(v) && negative(converted) == negative(v)
}

// negative tells whether a number is below 0: a uint64 converted to an int64
// may be, and come back the same.
func negative(v reflect.Value) bool {
	return v.CanInt() && v.Int() < 0 || v.CanFloat() && v.Float() < 0
}

func isNumber(kind reflect.Kind) bool {
	return reflect.Int <= kind && kind <= reflect.Float64 && kind != reflect.Uintptr
}
