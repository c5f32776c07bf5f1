package rgoipc

import (
	"fmt"
	"reflect"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// parameter is a parameter other than the context.
type parameter struct {
	arg   ArgSpec
	t     reflect.Type
	codec codec // nil: raw
	raw   *raw  // nil: codec
	// fallback is what a missing argument stands for, as a column. Nil: the
	// zero value.
	fallback *vector
}

// canBeAbsent tells whether the zero value says that there is no value.
func (p *parameter) canBeAbsent() bool {
	switch p.t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return true
	default:
		_, isNull := p.codec.(nullCodec)
		_, isList := p.codec.(listCodec)
		return isNull || isList
	}
}

// setDefault keeps the default as a column, so that each call reads a value of
// its own from it.
func (p *parameter) setDefault(value any) error {
	if p.codec == nil {
		return fmt.Errorf("parameter `%s` of type %v cannot have a default", p.arg.Name, p.t)
	}
	c := p.codec
	switch outer := c.(type) {
	case nullCodec:
		c = outer.codec
	case pointerCodec:
		c = outer.codec
	}
	v, ok := exactly(value, c.goType())
	if !ok {
		return fmt.Errorf("parameter `%s` of type %v cannot have the default %#v", p.arg.Name, p.t, value)
	}
	one := reflect.MakeSlice(reflect.SliceOf(c.goType()), 1, 1)
	one.Index(0).Set(v)
	fallback, err := c.write(one.Interface(), bitmap{}, utc)
	if err != nil {
		return placed(CodeInvalidArgument, "the default of parameter `"+p.arg.Name+"`", err)
	}
	p.fallback, p.arg.Optional, p.arg.Default = &fallback, true, value
	return nil
}

// exactly returns a value as one of type t, if that is the same value.
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

// absent tells whether there is no column, or one that says NULL. In a vector
// of scalars an untyped null is NA; a map, a pointer and what takes anything know
// NULL.
func (p *parameter) absent(src source, elementwise bool) bool {
	switch column := src.column.(type) {
	case nil:
		return true
	case *array.Null:
		takesNull := p.raw != nil || p.t.Kind() == reflect.Map || hasNA(p.codec)
		return column.Len() <= 1 && !elementwise && (p.arg.Optional || !takesNull)
	case *array.List, *array.LargeList:
		one := elementwise && p.codec.spec().Type == TypeBinary // NA, and no argument that is NULL
		return column.Len() == 1 && column.IsNull(0) && !one && (p.raw == nil || p.raw.name != TypeStream)
	default:
		return false
	}
}

// bind returns the value of a parameter. The caller calls release once the
// function has returned.
func (p *parameter) bind(src source) (value reflect.Value, release func(), err error) {
	release = func() {}
	if src.column == nil {
		return reflect.Zero(p.t), release, nil
	}
	if p.raw != nil {
		got, release, err := p.raw.read(src)
		if err != nil {
			return reflect.Value{}, nil, err
		}
		return reflect.ValueOf(got), release, nil
	}
	src, done := p.opened(src)
	defer done()
	if list, ok := p.codec.(listCodec); ok {
		value, err = list.whole(src)
		return value, release, err
	}
	values, err := strict(p.codec, src)
	if err != nil {
		return value, nil, err
	}
	if n := src.column.Len(); n != 1 {
		return value, nil, &cellError{problem: fmt.Sprintf("must have length 1, not %d", n), row: -1}
	}
	return reflect.ValueOf(values).Index(0), release, nil
}

// opened returns the column whose rows are values of the parameter: the one
// inside of a list where R has sent a vector as one row, and one row where it
// has sent a raw vector as many. The caller calls release after use.
func (p *parameter) opened(src source) (inner source, release func()) {
	binary := p.codec.spec().Type == TypeBinary
	if binary && src.column.DataType().ID() == arrow.UINT8 {
		return box(src)
	}
	if list, ok := src.column.DataType().(arrow.ListLikeType); ok {
		if _, whole := p.codec.(listCodec); whole || !p.codec.nests(list) {
			return unbox(src)
		}
	}
	return src, func() {}
}

// operand reads an argument. One that is missing is one zero value.
func (p *parameter) operand(src source) (operand, error) {
	if src.column == nil {
		return operand{values: blank(p.t, 1), n: 1}, nil
	}
	src, release := p.opened(src)
	defer release()
	src.borrow = true // the record holds on to its memory until the end of the call
	values, valid, err := readColumn(p.codec, src)
	if err != nil {
		return operand{}, err
	}
	if hasNA(p.codec) {
		valid = bitmap{}
	}
	return operand{values: values, valid: valid, n: src.column.Len()}, nil
}
