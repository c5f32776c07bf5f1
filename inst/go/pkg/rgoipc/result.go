package rgoipc

import (
	"reflect"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// result is a result other than the error.
type result struct {
	name  string
	codec codec // nil: raw
	raw   *raw  // nil: codec
}

// write returns a result as a column of one row, given the arguments of the call and
// the time zone of no times.
func (r result) write(value reflect.Value, g given, none zone) (vector, error) {
	if r.raw != nil {
		return r.raw.write(value.Interface(), g)
	}
	one := reflect.MakeSlice(reflect.SliceOf(r.codec.goType()), 1, 1)
	one.Index(0).Set(value)
	return r.codec.write(one.Interface(), bitmap{}, none)
}

// record returns the results as a record of the one column "result". Without
// results it is NULL in n rows.
func (f *typedFunc) record(n int, write func(i int) (vector, error)) (arrow.RecordBatch, error) {
	names := make([]string, len(f.results))
	columns := make([]vector, 0, len(f.results))
	defer func() { releaseAll(columns) }()
	for i, r := range f.results {
		v, err := write(i)
		if err != nil {
			return nil, placed(CodeHandler, f.place(i), err)
		}
		names[i], columns = r.name, append(columns, v)
	}
	var v vector
	switch {
	case len(columns) == 0:
		v = newVector(array.NewNull(n))
		defer v.column.Release()
	case f.list:
		v = newStruct(names, columns, n, bitmap{})
		defer v.column.Release()
	default:
		v = columns[0]
	}
	return array.NewRecordBatch(f.schema(v.named("result")), []arrow.Array{v.column}, int64(v.column.Len())), nil
}

// schema returns the schema of a result. That is the last one if it says the same,
// since one that has been written before is written faster. What is raw may be of
// types that differ in more than arrow-go compares.
func (f *typedFunc) schema(field arrow.Field) *arrow.Schema {
	raws := slices.ContainsFunc(f.results, func(r result) bool { return r.raw != nil })
	if last := f.last.Load(); last != nil && !raws && last.Field(0).Equal(field) {
		return last
	}
	schema := arrow.NewSchema([]arrow.Field{field}, nil)
	f.last.Store(schema)
	return schema
}

func (f *typedFunc) place(i int) string {
	if f.list {
		return "result `" + f.results[i].name + "`"
	}
	return "the result"
}

// release gives back the results that are counted. The function hands them
// over, as a FunctionHandler does.
func (f *typedFunc) release(out []reflect.Value) {
	for i, r := range f.results {
		if counted, ok := out[i].Interface().(interface{ Release() }); ok && r.raw != nil {
			counted.Release()
		}
	}
}
