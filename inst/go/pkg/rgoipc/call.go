package rgoipc

import (
	"context"
	"fmt"
	"reflect"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// call runs the function on a record of arguments. The caller releases the
// result.
func (f *typedFunc) call(ctx context.Context, rec arrow.RecordBatch) (arrow.RecordBatch, error) {
	sources, err := f.sources(rec)
	if err != nil {
		return nil, err
	}
	if f.loop != nil {
		return f.callRows(ctx, sources)
	}
	return f.callOnce(ctx, sources)
}

// sources returns the column of each parameter, or its default, or one without
// a column.
func (f *typedFunc) sources(rec arrow.RecordBatch) ([]source, error) {
	if err := f.args.checkNames(rec.Schema()); err != nil {
		return nil, err
	}
	sources := make([]source, len(f.params))
	for i, p := range f.params {
		if at := rec.Schema().FieldIndices(p.arg.Name); len(at) > 0 {
			sources[i] = source{field: rec.Schema().Field(at[0]), column: rec.Column(at[0])}
		}
		if p.absent(sources[i], f.loop != nil) {
			if !p.arg.Optional {
				return nil, errorf(CodeInvalidArgument, "argument `%s` is NULL, and it is needed", p.arg.Name)
			}
			sources[i] = source{}
			if p.fallback != nil {
				sources[i] = source{field: p.fallback.field, column: p.fallback.column}
			}
		}
	}
	return sources, nil
}

// absent tells whether there is no column, or one that says NULL. In a vector
// of scalars an untyped null is NA; a map and what takes anything know NULL.
func (p *parameter) absent(src source, elementwise bool) bool {
	switch column := src.column.(type) {
	case nil:
		return true
	case *array.Null:
		takesNull := p.raw != nil || p.t.Kind() == reflect.Map
		return column.Len() <= 1 && !elementwise && (p.arg.Optional || !takesNull)
	case *array.List, *array.LargeList:
		return column.Len() == 1 && column.IsNull(0) && (p.raw == nil || p.raw.name != TypeStream)
	default:
		return false
	}
}

// callOnce calls the function with whole vectors.
func (f *typedFunc) callOnce(ctx context.Context, sources []source) (arrow.RecordBatch, error) {
	var in []reflect.Value
	if f.context {
		in = append(in, reflect.ValueOf(ctx))
	}
	if f.streams() {
		for i := range sources {
			defer f.firstRow(i, sources)()
		}
	}
	for i, p := range f.params {
		value, release, err := p.bind(sources[i])
		if err != nil {
			return nil, argumentError(p.arg.Name, err)
		}
		defer release()
		in = append(in, value)
	}
	out := f.fn.Call(in)
	defer f.release(out)
	if err := f.failure(out); err != nil {
		return nil, err
	}
	return f.record(1, func(i int) (vector, error) { return f.results[i].write(out[i]) })
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

// streams tells whether a parameter is a stream, whose batches are the rows of
// the call.
func (f *typedFunc) streams() bool {
	for _, p := range f.params {
		if p.raw != nil && p.raw.name == TypeStream {
			return true
		}
	}
	return false
}

// firstRow cuts off what is no argument: all rows but the first of a column
// that stands beside a stream.
func (f *typedFunc) firstRow(i int, sources []source) (release func()) {
	p, column := f.params[i], sources[i].column
	if column == nil || column.Len() <= 1 || p.raw != nil && p.raw.name == TypeStream {
		return func() {}
	}
	sources[i].column = array.NewSlice(column, 0, 1)
	return sources[i].column.Release
}

func (f *typedFunc) failure(out []reflect.Value) error {
	if !f.fails {
		return nil
	}
	err, _ := out[len(out)-1].Interface().(error)
	return err
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

// write returns a result as a column of one row.
func (r result) write(value reflect.Value) (vector, error) {
	if r.raw != nil {
		return r.raw.write(value.Interface())
	}
	one := reflect.MakeSlice(reflect.SliceOf(r.codec.goType()), 1, 1)
	one.Index(0).Set(value)
	return r.codec.write(one.Interface(), bitmap{})
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
	schema := arrow.NewSchema([]arrow.Field{v.named("result")}, nil)
	return array.NewRecordBatch(schema, []arrow.Array{v.column}, int64(v.column.Len())), nil
}

func (f *typedFunc) place(i int) string {
	if f.list {
		return "result `" + f.results[i].name + "`"
	}
	return "the result"
}
