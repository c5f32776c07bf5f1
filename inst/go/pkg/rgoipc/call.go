package rgoipc

import (
	"context"
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
		if at, ok := columnOf(rec.Schema(), p.arg.Name, i); ok {
			sources[i] = source{field: rec.Schema().Field(at), column: rec.Column(at)}
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
