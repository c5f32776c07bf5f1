package rgoipc

import (
	"context"
	"reflect"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// call runs the function on a record of arguments, and has its result written.
func (f *typedFunc) call(ctx context.Context, rec arrow.RecordBatch, out output) error {
	sources, err := f.sources(rec)
	if err != nil {
		return err
	}
	if f.loop == nil {
		return f.callOnce(ctx, sources, out)
	}
	result, err := f.callRows(ctx, sources)
	if err != nil {
		return err
	}
	defer result.Release()
	return out.record(result)
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
func (f *typedFunc) callOnce(ctx context.Context, sources []source, out output) error {
	var in []reflect.Value
	if f.context {
		in = append(in, reflect.ValueOf(ctx))
	}
	if f.streams() {
		for i := range sources {
			defer f.firstRow(i, sources)()
		}
	}
	var g given
	for i, p := range f.params {
		value, release, err := p.bind(sources[i])
		if err != nil {
			return argumentError(p.arg.Name, err)
		}
		defer release()
		in = append(in, value)
		if p.raw != nil && sources[i].column != nil {
			g.add(value.Interface(), sources[i])
		}
	}
	results := f.fn.Call(in)
	defer f.release(results)
	if err := f.failure(results); err != nil {
		return err
	}
	if f.returnsStream() {
		reader, _ := results[0].Interface().(array.RecordReader)
		return out.stream(ctx, reader)
	}
	none := f.zoneOfNone(sources)
	rec, err := f.record(1, func(i int) (vector, error) { return f.results[i].write(results[i], g, none) })
	if err != nil {
		return err
	}
	defer rec.Release()
	return out.record(rec)
}

// returnsStream tells whether the result is a stream. It is the only one.
func (f *typedFunc) returnsStream() bool {
	return len(f.results) == 1 && f.results[0].raw != nil && f.results[0].raw.name == TypeStream
}

// zoneOfNone returns the time zone of a result that has no times to say theirs: that
// of the arguments.
func (f *typedFunc) zoneOfNone(sources []source) zone {
	if !f.timed {
		return utc
	}
	return firstZone(sources)
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
