package codec

import (
	"reflect"
	"testing"
)

// written returns a value as a column of one row.
func written(value any, args *Arguments) (Column, error) {
	kind, err := Result(reflect.TypeOf(value))
	if err != nil {
		return Column{}, err
	}
	return kind.Write(reflect.ValueOf(value), args)
}

// through calls a function of one parameter and one result as rgoipc does: once a row
// if it takes scalars.
func through(t *testing.T, fn any, arg Column) (Column, error) {
	t.Helper()
	f := reflect.ValueOf(fn)
	param, err := Parameter(f.Type().In(0))
	if err != nil {
		t.Fatal(err)
	}
	args := NewArguments([]Column{arg}, nil)
	if values, ok := param.(Values); ok && values.Scalar() {
		result, err := Result(f.Type().Out(0))
		if err != nil {
			t.Fatal(err)
		}
		rows, valid, n, err := values.ReadRows(arg)
		if err != nil {
			return Column{}, err
		}
		out := reflect.MakeSlice(reflect.SliceOf(f.Type().Out(0)), n, n)
		for i := range n {
			if valid.Has(i) {
				out.Index(i).Set(f.Call([]reflect.Value{reflect.ValueOf(rows).Index(i)})[0])
			}
		}
		return result.(Values).WriteRows(out.Interface(), valid, args)
	}
	value, err := param.Read(arg, args)
	if err != nil {
		return Column{}, err
	}
	return written(f.Call([]reflect.Value{value})[0].Interface(), args)
}
