package rgoipc

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"mangoro.local/internal/codec"
	"mangoro.local/internal/segment"
)

// loop runs an elementwise function.
type loop struct {
	// columns returns a column of n values for each result, in r if that has room for them.
	columns func(r *segment.Result, n int) []any
	// over prepares to run the function for a piece, whose results go to these columns.
	over func(ctx context.Context, p *piece, columns []any) span
}

// setLoop takes the loop that came with the function.
func (f *typedFunc) setLoop(fn any) error {
	if f.loop == nil || f.each || f.context || len(f.results) == 0 || slices.ContainsFunc(f.params, func(p parameter) bool { return p.kind.(codec.Values).HasNA() }) {
		return errors.New("only an elementwise function with results, and without contexts, pointers and Null, can have a Loop")
	}
	value, want := reflect.ValueOf(fn), f.loopType()
	if value.Kind() != reflect.Func || value.IsNil() || unnamed(value).Type() != want {
		return fmt.Errorf("its Loop must be a %v, not a %T", want, fn)
	}
	value = unnamed(value)
	f.loop = f.reflectLoop(func(_ context.Context, _ *int, n int, args, outs []reflect.Value) (int, error) {
		out := value.Call(slices.Concat([]reflect.Value{reflect.ValueOf(n)}, args, outs))
		if !f.fails {
			return 0, nil
		}
		return int(out[0].Int()), f.failure(out)
	})
	if len(f.results) == 1 { // the types of a Loop do not tell results from parameters
		f.loop = commonLoop(value.Interface(), f.loop)
	}
	return nil
}

// loopType returns the type of the function's Loop.
func (f *typedFunc) loopType() reflect.Type {
	in := []reflect.Type{reflect.TypeFor[int]()}
	for _, p := range f.params {
		in = append(in, reflect.SliceOf(p.t))
	}
	for _, r := range f.results {
		in = append(in, reflect.SliceOf(r.t))
	}
	var out []reflect.Type
	if f.fails {
		out = []reflect.Type{reflect.TypeFor[int](), reflect.TypeFor[error]()}
	}
	return reflect.FuncOf(in, out, false)
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

// newLoop returns the loop that calls the function for each row.
func (f *typedFunc) newLoop() *loop {
	return commonLoop(unnamed(f.fn).Interface(), f.reflectLoop(func(ctx context.Context, row *int, n int, args, outs []reflect.Value) (int, error) {
		in := make([]reflect.Value, f.fn.Type().NumIn())
		first := len(in) - len(args)
		if f.context {
			in[0] = reflect.ValueOf(ctx)
		}
		for i := range n {
			*row = i
			for k, a := range args {
				in[first+k] = a.Index(i)
			}
			results := f.fn.Call(in)
			if err := f.failure(results); err != nil {
				return i, err
			}
			for k, out := range outs {
				out.Index(i).Set(results[k])
			}
		}
		return 0, nil
	}))
}

// reflectLoop returns a loop over rows of any types. each runs n rows, none of which is
// NA, and returns its first error with the row of it. If the function panics, row is
// where each was, if it knows.
func (f *typedFunc) reflectLoop(each func(ctx context.Context, row *int, n int, args, outs []reflect.Value) (int, error)) *loop {
	columns := func(_ *segment.Result, n int) []any {
		columns := make([]any, len(f.results))
		for i, r := range f.results {
			columns[i] = reflect.MakeSlice(reflect.SliceOf(r.t), n, n).Interface()
		}
		return columns
	}
	over := func(ctx context.Context, p *piece, columns []any) span {
		outs := make([]reflect.Value, len(columns))
		for i, column := range columns {
			outs[i] = reflect.ValueOf(column).Slice(p.first, p.first+p.n)
		}
		return func(from, to int, at *progress) error {
			in := make([]reflect.Value, len(p.args))
			for k, a := range p.args {
				in[k] = reflectRows(a, p.n, from, to)
			}
			return p.eachRun(from, to, at, func(row *int, i, j int) (int, error) {
				return each(ctx, row, j-i, slicesOf(in, i-from, j-from), slicesOf(outs, i, j))
			})
		}
	}
	return &loop{columns, over}
}

// eachRun calls run for each run of rows [i, j) of [from, to) that are not NA. It returns the
// first error, which is that of a row after i.
func (p *piece) eachRun(from, to int, at *progress, run func(row *int, i, j int) (int, error)) error {
	for i, j := p.valid.Run(from, to); i < j; i, j = p.valid.Run(j, to) {
		at.first, at.row = p.first+i, -1
		if row, err := run(&at.row, i, j); err != nil {
			return &rowError{row: at.first + row, err: err}
		}
	}
	return nil
}

func slicesOf(columns []reflect.Value, from, to int) []reflect.Value {
	out := make([]reflect.Value, len(columns))
	for i, column := range columns {
		out[i] = column.Slice(from, to)
	}
	return out
}

// commonLoop returns a loop without reflection if the function, or its Loop, is of a
// common type: a million rows take 12 ms, and 800 ms with it.
func commonLoop(fn any, other *loop) *loop {
	for _, find := range []func(fn any) *loop{
		loopOf[float64], loopOf[int32], loopOf[int64], loopOf[int], loopOf[string], loopOf[bool],
		loop4[float64, float64, float64, float64, float64], sameLoopOf[float32], sameLoopOf[uint8], sameLoopOf[uint32], sameLoopOf[uint64], sameLoopOf[uint],
	} {
		if l := find(fn); l != nil {
			return l
		}
	}
	return other
}

// sameLoopOf returns the loop of a function of one or two T that returns a T, or nil. Less
// common types have no others: each loop makes all programs 10 kB larger.
func sameLoopOf[T any](fn any) *loop {
	if l := loop1[T, T](fn); l != nil {
		return l
	}
	return loop2[T, T, T](fn)
}

// loopOf returns the loop of a function of one, two or three T, or nil.
func loopOf[T any](fn any) *loop {
	for _, find := range []func(fn any) *loop{
		loop1[T, float64], loop1[T, int32], loop1[T, int64], loop1[T, int], loop1[T, string], loop1[T, bool],
		loop2[T, T, T], loop3[T, T, T, T],
	} {
		if l := find(fn); l != nil {
			return l
		}
	}
	return nil
}

// loop1 to loop4 run functions of one to four parameters. Slices that are
// cut to the length of out need no bounds checks.
func loop1[A, R any](fn any) *loop {
	var each func(row *int, a []A, out []R) (int, error)
	switch fn := fn.(type) {
	case func(int, []A, []R):
		each = func(_ *int, a []A, out []R) (int, error) { fn(len(out), a, out); return 0, nil }
	case func(int, []A, []R) (int, error):
		each = func(_ *int, a []A, out []R) (int, error) { return fn(len(out), a, out) }
	case func(A) R:
		each = func(row *int, a []A, out []R) (int, error) {
			a = a[:len(out)]
			for i := range out {
				*row = i
				out[i] = fn(a[i])
			}
			return 0, nil
		}
	case func(A) (R, error):
		each = func(row *int, a []A, out []R) (_ int, err error) {
			a = a[:len(out)]
			for i := range out {
				*row = i
				if out[i], err = fn(a[i]); err != nil {
					return i, err
				}
			}
			return 0, nil
		}
	default:
		return nil
	}
	return typedLoop(func(p *piece, from, to int) typedRun[R] {
		a := rows[A](p.args[0], p.n, from, to)
		return func(row *int, i, j int, out []R) (int, error) {
			return each(row, a[i:j], out)
		}
	})
}

func loop2[A, B, R any](fn any) *loop {
	var each func(row *int, a []A, b []B, out []R) (int, error)
	switch fn := fn.(type) {
	case func(int, []A, []B, []R):
		each = func(_ *int, a []A, b []B, out []R) (int, error) { fn(len(out), a, b, out); return 0, nil }
	case func(int, []A, []B, []R) (int, error):
		each = func(_ *int, a []A, b []B, out []R) (int, error) { return fn(len(out), a, b, out) }
	case func(A, B) R:
		each = func(row *int, a []A, b []B, out []R) (int, error) {
			a, b = a[:len(out)], b[:len(out)]
			for i := range out {
				*row = i
				out[i] = fn(a[i], b[i])
			}
			return 0, nil
		}
	case func(A, B) (R, error):
		each = func(row *int, a []A, b []B, out []R) (_ int, err error) {
			a, b = a[:len(out)], b[:len(out)]
			for i := range out {
				*row = i
				if out[i], err = fn(a[i], b[i]); err != nil {
					return i, err
				}
			}
			return 0, nil
		}
	default:
		return nil
	}
	return typedLoop(func(p *piece, from, to int) typedRun[R] {
		a, b := rows[A](p.args[0], p.n, from, to), rows[B](p.args[1], p.n, from, to)
		return func(row *int, i, j int, out []R) (int, error) {
			return each(row, a[i:j], b[i:j], out)
		}
	})
}

func loop3[A, B, C, R any](fn any) *loop {
	var each func(row *int, a []A, b []B, c []C, out []R) (int, error)
	switch fn := fn.(type) {
	case func(int, []A, []B, []C, []R):
		each = func(_ *int, a []A, b []B, c []C, out []R) (int, error) { fn(len(out), a, b, c, out); return 0, nil }
	case func(int, []A, []B, []C, []R) (int, error):
		each = func(_ *int, a []A, b []B, c []C, out []R) (int, error) { return fn(len(out), a, b, c, out) }
	case func(A, B, C) R:
		each = func(row *int, a []A, b []B, c []C, out []R) (int, error) {
			a, b, c = a[:len(out)], b[:len(out)], c[:len(out)]
			for i := range out {
				*row = i
				out[i] = fn(a[i], b[i], c[i])
			}
			return 0, nil
		}
	case func(A, B, C) (R, error):
		each = func(row *int, a []A, b []B, c []C, out []R) (_ int, err error) {
			a, b, c = a[:len(out)], b[:len(out)], c[:len(out)]
			for i := range out {
				*row = i
				if out[i], err = fn(a[i], b[i], c[i]); err != nil {
					return i, err
				}
			}
			return 0, nil
		}
	default:
		return nil
	}
	return typedLoop(func(p *piece, from, to int) typedRun[R] {
		a, b, c := rows[A](p.args[0], p.n, from, to), rows[B](p.args[1], p.n, from, to), rows[C](p.args[2], p.n, from, to)
		return func(row *int, i, j int, out []R) (int, error) {
			return each(row, a[i:j], b[i:j], c[i:j], out)
		}
	})
}

func loop4[A, B, C, D, R any](fn any) *loop {
	var each func(row *int, a []A, b []B, c []C, d []D, out []R) (int, error)
	switch fn := fn.(type) {
	case func(int, []A, []B, []C, []D, []R):
		each = func(_ *int, a []A, b []B, c []C, d []D, out []R) (int, error) {
			fn(len(out), a, b, c, d, out)
			return 0, nil
		}
	case func(int, []A, []B, []C, []D, []R) (int, error):
		each = func(_ *int, a []A, b []B, c []C, d []D, out []R) (int, error) { return fn(len(out), a, b, c, d, out) }
	case func(A, B, C, D) R:
		each = func(row *int, a []A, b []B, c []C, d []D, out []R) (int, error) {
			a, b, c, d = a[:len(out)], b[:len(out)], c[:len(out)], d[:len(out)]
			for i := range out {
				*row = i
				out[i] = fn(a[i], b[i], c[i], d[i])
			}
			return 0, nil
		}
	case func(A, B, C, D) (R, error):
		each = func(row *int, a []A, b []B, c []C, d []D, out []R) (_ int, err error) {
			a, b, c, d = a[:len(out)], b[:len(out)], c[:len(out)], d[:len(out)]
			for i := range out {
				*row = i
				if out[i], err = fn(a[i], b[i], c[i], d[i]); err != nil {
					return i, err
				}
			}
			return 0, nil
		}
	default:
		return nil
	}
	return typedLoop(func(p *piece, from, to int) typedRun[R] {
		a, b := rows[A](p.args[0], p.n, from, to), rows[B](p.args[1], p.n, from, to)
		c, d := rows[C](p.args[2], p.n, from, to), rows[D](p.args[3], p.n, from, to)
		return func(row *int, i, j int, out []R) (int, error) {
			return each(row, a[i:j], b[i:j], c[i:j], d[i:j], out)
		}
	})
}

// typedRun computes the results of the rows [i, j) of those that it was made for.
type typedRun[R any] func(row *int, i, j int, out []R) (int, error)

// typedLoop returns a loop over runs, which rowsOf makes for the rows [from, to) of a piece.
func typedLoop[R any](rowsOf func(p *piece, from, to int) typedRun[R]) *loop {
	return &loop{newColumns[R], func(_ context.Context, p *piece, columns []any) span {
		results := columns[0].([]R)[p.first : p.first+p.n]
		return func(from, to int, at *progress) error {
			run := rowsOf(p, from, to)
			return p.eachRun(from, to, at, func(row *int, i, j int) (int, error) {
				return run(row, i-from, j-from, results[i:j])
			})
		}
	}}
}

// newColumns returns one column, of type []T. A bool is not in shared memory: what lies
// there may be no bool, and R wants another layout anyway.
func newColumns[T any](r *segment.Result, n int) []any {
	if _, ok := any(*new(T)).(bool); ok {
		r = nil
	}
	return []any{segment.Make[T](r, n)}
}

// repeated returns an operand of one value as one of the rows of a block, which all blocks
// of the call share: 5 million numbers and one are added in 20 ms, and in 63 ms if each
// block has its own.
func (o operand) repeated(n int) operand {
	if o.n != 1 || n <= 1 {
		return o
	}
	n = min(n, blockRows)
	values := reflect.MakeSlice(reflect.TypeOf(o.values), n, n)
	for filled := reflect.Copy(values, reflect.ValueOf(o.values)); filled < n; filled *= 2 {
		reflect.Copy(values.Slice(filled, n), values)
	}
	o.values, o.constant = values.Interface(), true
	return o
}

// rows returns the values of rows [from, to) of n. Those that are recycled are
// written out, a block at a time and so never all of them.
func rows[T any](o operand, n, from, to int) []T {
	values := o.values.([]T)
	switch {
	case o.constant:
		return values[:to-from]
	case o.n == n:
		return values[from:to]
	}
	out := make([]T, to-from)
	for i := 0; i < len(out); {
		i += copy(out[i:], values[(from+i)%o.n:])
	}
	return out
}

// reflectRows is rows for values of any type.
func reflectRows(o operand, n, from, to int) reflect.Value {
	values := reflect.ValueOf(o.values)
	switch {
	case o.constant:
		return values.Slice(0, to-from)
	case o.n == n:
		return values.Slice(from, to)
	}
	out := reflect.MakeSlice(values.Type(), to-from, to-from)
	for i := 0; i < out.Len(); {
		i += reflect.Copy(out.Slice(i, out.Len()), values.Slice((from+i)%o.n, o.n))
	}
	return out
}
