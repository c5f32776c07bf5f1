package codec

import (
	"fmt"
	"reflect"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"mangoro.local/internal/gotype"
)

// Kind is a kind of parameters and results: how arguments become values of a Go type,
// and values results.
type Kind interface {
	// Type describes the kind to R.
	Type() Type
	// Absent tells whether an argument is NULL, and so missing, given whether it may
	// be missing.
	Absent(arg Column, optional bool) bool
	// Read returns an argument as a value, which the function may keep.
	Read(arg Column, args *Arguments) (reflect.Value, error)
	// Write returns a result as a column of one row, which the caller releases.
	Write(value reflect.Value, args *Arguments) (Column, error)
}

// kindOf returns the kind of a Go type, of a result or of a parameter.
func kindOf(t reflect.Type, result bool) (Kind, error) {
	switch t {
	case reflect.TypeFor[arrow.Array]():
		return arrays{}, nil
	case reflect.TypeFor[arrow.RecordBatch]():
		return batches{}, nil
	case reflect.TypeFor[array.RecordReader]():
		return streams{}, nil
	}
	if t.Kind() == reflect.Interface && t.NumMethod() == 0 {
		return dynamic{}, nil
	}
	if kind, is, err := sequenceKind(t, result); is {
		return kind, err
	}
	if kind, is, err := functionKind(t); is && !result {
		return kind, err
	}
	c, err := newCodec(t)
	return Values{c}, err
}

// Parameter returns the kind of a parameter of a Go type.
func Parameter(t reflect.Type) (Kind, error) {
	if t.Kind() == reflect.Interface && t.NumMethod() == 0 {
		return Values{dynamicCodec{t}}, nil
	}
	return oneWay(t, false, "MarshalText")
}

// Result returns the kind of a result of a Go type.
func Result(t reflect.Type) (Kind, error) {
	return oneWay(t, true, "UnmarshalText")
}

// oneWay returns the kind of a type of which one method is not needed.
func oneWay(t reflect.Type, result bool, method string) (Kind, error) {
	kind, err := kindOf(t, result)
	if err != nil {
		return nil, err
	}
	if lack := kind.Type().lack(method); lack != "" {
		return nil, fmt.Errorf("type %v is not supported%s", t, gotype.HalfText(lack))
	}
	return kind, nil
}

// CanBeAbsent tells whether the zero value of a type says that there is no value.
func CanBeAbsent(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface, reflect.Func:
		return true
	default:
		shape, ok := shapeOf(t)
		return ok && shape.zeroIsAbsent()
	}
}

// isNull tells whether a column is the one row of a list that is NULL.
func isNull(column arrow.Array) bool {
	switch column.(type) {
	case *array.List, *array.LargeList:
		return column.Len() == 1 && column.IsNull(0)
	default:
		return false
	}
}
