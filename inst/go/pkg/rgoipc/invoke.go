package rgoipc

import (
	"context"
	"reflect"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"mangoro.local/internal/codec"
	"mangoro.local/internal/segment"
)

// invoke runs the function on a record of arguments, and hands over its result.
func (f *typedFunc) invoke(ctx context.Context, rec arrow.RecordBatch, take func(context.Context, returned) error) error {
	columns, err := f.columns(rec)
	if err != nil {
		return err
	}
	if f.loop == nil {
		return f.invokeOnce(ctx, columns, take)
	}
	result, err := f.invokeRows(ctx, columns)
	if err != nil {
		return err
	}
	defer result.record.Release()
	return take(ctx, result)
}

// columns returns the column of each parameter, or its default, or none.
func (f *typedFunc) columns(rec arrow.RecordBatch) ([]codec.Column, error) {
	if len(f.params) == 0 && f.asColumns {
		return nil, nil
	}
	if err := f.args.checkNames(rec.Schema()); err != nil {
		return nil, err
	}
	columns := make([]codec.Column, len(f.params))
	for i, p := range f.params {
		if at, ok := columnOf(rec.Schema(), p.arg.Name); ok {
			columns[i] = codec.Column{Field: rec.Schema().Field(at), Array: rec.Column(at)}
		}
		if f.absent(p, columns[i]) {
			if !p.arg.Optional {
				return nil, errorf(CodeInvalidArgument, "argument `%s` must not be NULL", p.arg.Name)
			}
			columns[i] = p.fallback
		} else if p.borrowed {
			columns[i] = columns[i].Borrowed()
		}
	}
	return columns, nil
}

// absent tells whether there is no argument, or one that is NULL.
func (f *typedFunc) absent(p parameter, column codec.Column) bool {
	switch {
	case column.Array == nil:
		return true
	case f.loop != nil:
		return p.kind.(codec.Values).AbsentRows(column)
	default:
		return p.kind.Absent(column, p.arg.Optional)
	}
}

// invokeOnce calls the function with whole vectors.
func (f *typedFunc) invokeOnce(ctx context.Context, columns []codec.Column, take func(context.Context, returned) error) error {
	var in []reflect.Value
	if f.context {
		in = append(in, reflect.ValueOf(ctx))
	}
	if f.streams {
		for i := range columns {
			defer f.firstRow(i, columns)()
		}
	}
	args := codec.NewArguments(columns, segment.ResultOf(ctx))
	if c := callerOf(ctx); c != nil {
		args.WithCaller(c)
	}
	for i, p := range f.params {
		value, err := p.read(columns[i], args)
		if err != nil {
			return argumentError(p.arg.Name, columns[i], err)
		}
		in = append(in, value)
	}
	call := f.fn.Call
	if f.fn.Type().IsVariadic() {
		call = f.fn.CallSlice
	}
	out := call(in)
	if err := f.failure(out); err != nil {
		return err
	}
	if f.returnsStream() {
		stream, release := f.gathering(out[0], args)
		defer release()
		return take(ctx, returned{stream: stream})
	}
	args.IsResult()
	rec, err := f.record(1, func(i int) (codec.Column, error) { return f.results[i].kind.Write(out[i], args) })
	if err != nil {
		return err
	}
	defer rec.Release()
	return take(ctx, returned{record: rec, noNaN: f.knowsNaN && args.NoNaN()})
}

// read reads an argument as one value.
func (p *parameter) read(column codec.Column, args *codec.Arguments) (value reflect.Value, err error) {
	if column.Array == nil {
		return reflect.Zero(p.t), nil
	}
	defer readFailed(&err)
	return p.kind.Read(column, args)
}

// readFailed is deferred where arguments are read. What lies in shared memory was verified, but
// R may have changed it since: if reading it then panics, that is no panic of the function.
func readFailed(err *error) {
	p := recover()
	if p == nil {
		return
	}
	e := panicError(p)
	_, fault := p.(interface{ Addr() uintptr })
	_, method := p.(codec.MethodPanic)
	if !fault && !method {
		e = errorf(CodeProtocol, "the arguments have changed while they were read: %w", e.Err)
	}
	*err = e
}

// returnsStream tells whether the result is a stream. It is the only one.
func (f *typedFunc) returnsStream() bool { return f.returns.Type == TypeStream }

// firstRow cuts an argument to its first row and returns what releases it. A stream is a
// row for each batch, and the other arguments of the call are in the first row.
func (f *typedFunc) firstRow(i int, columns []codec.Column) (release func()) {
	column := columns[i].Array
	if column == nil || column.Len() <= 1 || f.params[i].arg.Type.Type == TypeStream {
		return func() {}
	}
	columns[i].Array = array.NewSlice(column, 0, 1)
	return columns[i].Array.Release
}

func (f *typedFunc) failure(out []reflect.Value) error {
	if !f.fails {
		return nil
	}
	err, _ := out[len(out)-1].Interface().(error)
	return err
}
