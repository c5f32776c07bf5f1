package rgoipc

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"mangoro.local/internal/codec"
)

// setDirect takes the loop that came with the function.
func (f *typedFunc) setDirect(fn any) error {
	if f.loop == nil || f.context || len(f.results) == 0 || slices.ContainsFunc(f.params, func(p parameter) bool { return p.kind.(codec.Values).HasNA() }) {
		return errors.New("only an elementwise function with results, and without contexts, pointers and Null, can have a Loop")
	}
	value, want := reflect.ValueOf(fn), f.directType()
	if value.Kind() != reflect.Func || value.IsNil() || unnamed(value).Type() != want {
		return fmt.Errorf("its Loop must be a %v, and is a %T", want, fn)
	}
	f.loop = f.newDirect(unnamed(value))
	return nil
}

// directType returns the type of the function's loop.
func (f *typedFunc) directType() reflect.Type {
	in := []reflect.Type{reflect.TypeFor[int]()}
	for _, p := range f.params {
		in = append(in, reflect.SliceOf(p.t))
	}
	for _, r := range f.results {
		in = append(in, reflect.SliceOf(r.kind.(codec.Values).GoType()))
	}
	var out []reflect.Type
	if f.fails {
		out = []reflect.Type{reflect.TypeFor[int](), reflect.TypeFor[error]()}
	}
	return reflect.FuncOf(in, out, false)
}

// newDirect returns how a Loop is run. Where there is NA it is called for each
// run of rows without: without reflection if it is of a common type and has one
// result, since the runs may be short.
func (f *typedFunc) newDirect(fn reflect.Value) loop {
	if len(f.results) > 1 { // the types of a Loop do not tell results from parameters
		return reflectDirect(fn, f.fails)
	}
	for _, find := range []func(fn any) loop{
		directOf[float64], directOf[int32], directOf[int64], directOf[int], directOf[string], directOf[bool],
	} {
		if l := find(fn.Interface()); l != nil {
			return l
		}
	}
	return reflectDirect(fn, f.fails)
}

// directOf returns the loop of a Loop of one, two or three T, or nil.
func directOf[T common](fn any) loop {
	switch fn := fn.(type) {
	case func(int, []T, []float64):
		return direct1(noErr2(fn))
	case func(int, []T, []int32):
		return direct1(noErr2(fn))
	case func(int, []T, []int64):
		return direct1(noErr2(fn))
	case func(int, []T, []int):
		return direct1(noErr2(fn))
	case func(int, []T, []string):
		return direct1(noErr2(fn))
	case func(int, []T, []bool):
		return direct1(noErr2(fn))
	case func(int, []T, []float64) (int, error):
		return direct1(fn)
	case func(int, []T, []int32) (int, error):
		return direct1(fn)
	case func(int, []T, []int64) (int, error):
		return direct1(fn)
	case func(int, []T, []int) (int, error):
		return direct1(fn)
	case func(int, []T, []string) (int, error):
		return direct1(fn)
	case func(int, []T, []bool) (int, error):
		return direct1(fn)
	case func(int, []T, []T, []T):
		return direct2(func(n int, a, b, out []T) (int, error) { fn(n, a, b, out); return n, nil })
	case func(int, []T, []T, []T) (int, error):
		return direct2(fn)
	case func(int, []T, []T, []T, []T):
		return direct3(func(n int, a, b, c, out []T) (int, error) { fn(n, a, b, c, out); return n, nil })
	case func(int, []T, []T, []T, []T) (int, error):
		return direct3(fn)
	default:
		return nil
	}
}

func noErr2[A, R any](fn func(int, []A, []R)) func(int, []A, []R) (int, error) {
	return func(n int, a []A, out []R) (int, error) { fn(n, a, out); return n, nil }
}

func direct1[A, R any](fn func(int, []A, []R) (int, error)) loop {
	return func(_ context.Context, args []operand, n int, valid codec.Bitmap) ([]any, span) {
		results := make([]R, n)
		first := constant[A](args[0], n)
		return []any{results}, func(from, to int, at *progress) error {
			a, out := rows[A](first, n, from, to), results[from:to]
			for i, j := range valid.From(from).Runs(to - from) {
				at.first = from + i
				if row, err := fn(j-i, a[i:j], out[i:j]); err != nil {
					return &rowError{row: from + i + row, err: err}
				}
			}
			return nil
		}
	}
}

func direct2[A, B, R any](fn func(int, []A, []B, []R) (int, error)) loop {
	return func(_ context.Context, args []operand, n int, valid codec.Bitmap) ([]any, span) {
		results := make([]R, n)
		first, second := constant[A](args[0], n), constant[B](args[1], n)
		return []any{results}, func(from, to int, at *progress) error {
			a, b, out := rows[A](first, n, from, to), rows[B](second, n, from, to), results[from:to]
			for i, j := range valid.From(from).Runs(to - from) {
				at.first = from + i
				if row, err := fn(j-i, a[i:j], b[i:j], out[i:j]); err != nil {
					return &rowError{row: from + i + row, err: err}
				}
			}
			return nil
		}
	}
}

func direct3[A, B, C, R any](fn func(int, []A, []B, []C, []R) (int, error)) loop {
	return func(_ context.Context, args []operand, n int, valid codec.Bitmap) ([]any, span) {
		results := make([]R, n)
		first, second, third := constant[A](args[0], n), constant[B](args[1], n), constant[C](args[2], n)
		return []any{results}, func(from, to int, at *progress) error {
			a, b, c := rows[A](first, n, from, to), rows[B](second, n, from, to), rows[C](third, n, from, to)
			out := results[from:to]
			for i, j := range valid.From(from).Runs(to - from) {
				at.first = from + i
				if row, err := fn(j-i, a[i:j], b[i:j], c[i:j], out[i:j]); err != nil {
					return &rowError{row: from + i + row, err: err}
				}
			}
			return nil
		}
	}
}

// constant returns an operand of one value as one of the rows of a block, which
// all blocks of the call share.
func constant[T any](o operand, n int) operand {
	if o.n != 1 || n == 1 {
		return o
	}
	values := make([]T, min(n, blockRows))
	for i := range values {
		values[i] = o.values.([]T)[0]
	}
	o.values, o.constant = values, true
	return o
}

// reflectDirect calls a Loop of any type.
func reflectDirect(fn reflect.Value, fails bool) loop {
	return func(_ context.Context, args []operand, n int, valid codec.Bitmap) ([]any, span) {
		var columns []any
		var outs []reflect.Value
		for i := 1 + len(args); i < fn.Type().NumIn(); i++ {
			out := reflect.MakeSlice(fn.Type().In(i), n, n)
			outs, columns = append(outs, out), append(columns, out.Interface())
		}
		return columns, func(from, to int, at *progress) error {
			block := make([]reflect.Value, 0, len(args)+len(outs))
			for _, a := range args {
				block = append(block, reflectRows(a, n, from, to))
			}
			for _, out := range outs {
				block = append(block, out.Slice(from, to))
			}
			in := make([]reflect.Value, 1+len(block))
			for i, j := range valid.From(from).Runs(to - from) {
				at.first = from + i
				in[0] = reflect.ValueOf(j - i)
				for k, column := range block {
					in[1+k] = column.Slice(i, j)
				}
				if out := fn.Call(in); fails && !out[1].IsNil() {
					return &rowError{row: from + i + int(out[0].Int()), err: out[1].Interface().(error)}
				}
			}
			return nil
		}
	}
}

// reflectRows is rows for values of any type.
func reflectRows(o operand, n, from, to int) reflect.Value {
	values := reflect.ValueOf(o.values)
	if o.n == n {
		return values.Slice(from, to)
	}
	out := reflect.MakeSlice(values.Type(), to-from, to-from)
	for i := 0; i < out.Len(); {
		i += reflect.Copy(out.Slice(i, out.Len()), values.Slice((from+i)%o.n, o.n))
	}
	return out
}
