package rgoipc

import (
	"context"
	"reflect"

	"mangoro.local/internal/codec"
)

// newLoop returns how an elementwise function is run: without reflection if it
// is of a common type, which is far faster.
func newLoop(f *typedFunc) loop {
	fn := unnamed(f.fn).Interface()
	for _, find := range []func(fn any) loop{
		loopOf[float64], loopOf[int32], loopOf[int64], loopOf[int], loopOf[string], loopOf[bool],
	} {
		if l := find(fn); l != nil {
			return l
		}
	}
	return f.reflectLoop
}

// unnamed returns a function as one of a type without a name.
func unnamed(fn reflect.Value) reflect.Value {
	t := fn.Type()
	if t.Name() == "" {
		return fn
	}
	var in, out []reflect.Type
	for i := range t.NumIn() {
		in = append(in, t.In(i))
	}
	for i := range t.NumOut() {
		out = append(out, t.Out(i))
	}
	return fn.Convert(reflect.FuncOf(in, out, false))
}

// common are the types that functions without reflection take and return.
type common interface {
	float64 | int32 | int64 | int | string | bool
}

// loopOf returns the loop of a function of one, two or three T, or nil.
func loopOf[T common](fn any) loop {
	switch fn := fn.(type) {
	case func(T) float64:
		return loop1(fn)
	case func(T) int32:
		return loop1(fn)
	case func(T) int64:
		return loop1(fn)
	case func(T) int:
		return loop1(fn)
	case func(T) string:
		return loop1(fn)
	case func(T) bool:
		return loop1(fn)
	case func(T) (float64, error):
		return loop1Err(fn)
	case func(T) (int32, error):
		return loop1Err(fn)
	case func(T) (int64, error):
		return loop1Err(fn)
	case func(T) (int, error):
		return loop1Err(fn)
	case func(T) (string, error):
		return loop1Err(fn)
	case func(T) (bool, error):
		return loop1Err(fn)
	case func(T, T) T:
		return loop2(fn)
	case func(T, T) (T, error):
		return loop2Err(fn)
	case func(T, T, T) T:
		return loop3(fn)
	case func(T, T, T) (T, error):
		return loop3Err(fn)
	default:
		return nil
	}
}

// rows returns the values of rows [from, to) of n. Those that are recycled are
// written out, a block at a time and so never all of them.
func rows[T any](o operand, n, from, to int) []T {
	values := o.values.([]T)
	switch {
	case o.n == n:
		return values[from:to]
	case o.constant:
		return values[:to-from]
	}
	out := make([]T, to-from)
	if o.n == 1 {
		for i := range out {
			out[i] = values[0]
		}
		return out
	}
	for i := 0; i < len(out); {
		i += copy(out[i:], values[(from+i)%o.n:])
	}
	return out
}

func loop1[A, R any](fn func(A) R) loop {
	return func(_ context.Context, args []operand, n int, valid codec.Bitmap) ([]any, span) {
		results := make([]R, n)
		return []any{results}, func(from, to int, at *progress) error {
			out, valid := results[from:to], valid.From(from)
			a := rows[A](args[0], n, from, to)[:len(out)]
			if valid.Full() {
				for i := range out {
					at.row = i
					out[i] = fn(a[i])
				}
				return nil
			}
			for i := range out {
				if valid.Has(i) {
					at.row = i
					out[i] = fn(a[i])
				}
			}
			return nil
		}
	}
}

func loop1Err[A, R any](fn func(A) (R, error)) loop {
	return func(_ context.Context, args []operand, n int, valid codec.Bitmap) ([]any, span) {
		results := make([]R, n)
		return []any{results}, func(from, to int, at *progress) error {
			out, valid := results[from:to], valid.From(from)
			a := rows[A](args[0], n, from, to)[:len(out)]
			for i := range out {
				if valid.Has(i) {
					at.row = i
					v, err := fn(a[i])
					if err != nil {
						return &rowError{row: from + i, err: err}
					}
					out[i] = v
				}
			}
			return nil
		}
	}
}

func loop2[A, B, R any](fn func(A, B) R) loop {
	return func(_ context.Context, args []operand, n int, valid codec.Bitmap) ([]any, span) {
		results := make([]R, n)
		return []any{results}, func(from, to int, at *progress) error {
			out, valid := results[from:to], valid.From(from)
			a := rows[A](args[0], n, from, to)[:len(out)]
			b := rows[B](args[1], n, from, to)[:len(out)]
			if valid.Full() {
				for i := range out {
					at.row = i
					out[i] = fn(a[i], b[i])
				}
				return nil
			}
			for i := range out {
				if valid.Has(i) {
					at.row = i
					out[i] = fn(a[i], b[i])
				}
			}
			return nil
		}
	}
}

func loop2Err[A, B, R any](fn func(A, B) (R, error)) loop {
	return func(_ context.Context, args []operand, n int, valid codec.Bitmap) ([]any, span) {
		results := make([]R, n)
		return []any{results}, func(from, to int, at *progress) error {
			out, valid := results[from:to], valid.From(from)
			a := rows[A](args[0], n, from, to)[:len(out)]
			b := rows[B](args[1], n, from, to)[:len(out)]
			for i := range out {
				if valid.Has(i) {
					at.row = i
					v, err := fn(a[i], b[i])
					if err != nil {
						return &rowError{row: from + i, err: err}
					}
					out[i] = v
				}
			}
			return nil
		}
	}
}

func loop3[A, B, C, R any](fn func(A, B, C) R) loop {
	return func(_ context.Context, args []operand, n int, valid codec.Bitmap) ([]any, span) {
		results := make([]R, n)
		return []any{results}, func(from, to int, at *progress) error {
			out, valid := results[from:to], valid.From(from)
			a := rows[A](args[0], n, from, to)[:len(out)]
			b := rows[B](args[1], n, from, to)[:len(out)]
			c := rows[C](args[2], n, from, to)[:len(out)]
			for i := range out {
				if valid.Has(i) {
					at.row = i
					out[i] = fn(a[i], b[i], c[i])
				}
			}
			return nil
		}
	}
}

func loop3Err[A, B, C, R any](fn func(A, B, C) (R, error)) loop {
	return func(_ context.Context, args []operand, n int, valid codec.Bitmap) ([]any, span) {
		results := make([]R, n)
		return []any{results}, func(from, to int, at *progress) error {
			out, valid := results[from:to], valid.From(from)
			a := rows[A](args[0], n, from, to)[:len(out)]
			b := rows[B](args[1], n, from, to)[:len(out)]
			c := rows[C](args[2], n, from, to)[:len(out)]
			for i := range out {
				if valid.Has(i) {
					at.row = i
					v, err := fn(a[i], b[i], c[i])
					if err != nil {
						return &rowError{row: from + i, err: err}
					}
					out[i] = v
				}
			}
			return nil
		}
	}
}
