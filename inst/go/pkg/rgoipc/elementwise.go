package rgoipc

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
)

// blockRows is how many rows run between two looks at the context.
const blockRows = 2048

// operand is an argument of an elementwise function: n values that are
// recycled.
type operand struct {
	values   any // a []T
	valid    bitmap
	n        int
	constant bool // values are the one value, as many times as a block has rows
}

// callRows calls the function once a row.
func (f *typedFunc) callRows(ctx context.Context, sources []source) (arrow.RecordBatch, error) {
	operands := make([]operand, len(sources))
	for i, p := range f.params {
		var err error
		if operands[i], err = p.operand(sources[i]); err != nil {
			return nil, argumentError(p.arg.Name, err)
		}
	}
	n, err := f.recycled(operands)
	if err != nil {
		return nil, err
	}
	valid := f.validRows(operands, n)
	columns, run := f.loop(ctx, operands, n, valid)
	watch := watchNaN(columns)
	if err := f.runAll(ctx, n, watch.after(run)); err != nil {
		return nil, err
	}
	none := f.zoneOfNone(sources)
	return f.record(n, func(i int) (vector, error) {
		if values, ok := columns[i].([]float64); ok && !watch.seen.Load() {
			return writeNumbers(values, valid), nil
		}
		return f.results[i].codec.write(columns[i], valid, none)
	})
}

// nanWatch looks for NaN in results while they are still in the processor's
// cache, so that they need not be read again to find those that are NA.
type nanWatch struct {
	columns [][]float64
	seen    atomic.Bool
}

func watchNaN(columns []any) *nanWatch {
	w := &nanWatch{}
	for _, column := range columns {
		if values, ok := column.([]float64); ok {
			w.columns = append(w.columns, values)
		}
	}
	return w
}

// after returns a span that looks at the rows that run has written.
func (w *nanWatch) after(run span) span {
	return func(from, to int) error {
		if err := run(from, to); err != nil {
			return err
		}
		for _, values := range w.columns {
			if hasNaN(values[from:to]) {
				w.seen.Store(true)
			}
		}
		return nil
	}
}

func hasNaN(values []float64) bool {
	for _, v := range values {
		if v != v {
			return true
		}
	}
	return false
}

// recycled returns the number of rows: the longest length, which all others
// divide, or 0 if one is.
func (f *typedFunc) recycled(operands []operand) (int, error) {
	n := 0
	for _, o := range operands {
		if o.n == 0 {
			return 0, nil
		}
		n = max(n, o.n)
	}
	for _, o := range operands {
		if n%o.n != 0 {
			return 0, errorf(CodeInvalidArgument, "the lengths of the arguments do not divide the longest: %s", f.lengths(operands))
		}
	}
	return n, nil
}

func (f *typedFunc) lengths(operands []operand) string {
	var texts []string
	for i, o := range operands {
		texts = append(texts, fmt.Sprintf("`%s` has length %d", f.params[i].arg.Name, o.n))
	}
	return strings.Join(texts, ", ")
}

// validRows returns in which of n rows no argument is NA.
func (f *typedFunc) validRows(operands []operand, n int) bitmap {
	var valid bitmap
	for _, o := range operands {
		switch {
		case o.valid.full():
		case o.n != n:
			valid = valid.copy(n)
			for i := range n {
				if !o.valid.has(i % o.n) {
					valid.clear(i)
				}
			}
		case valid.full():
			valid = o.valid.copy(n)
		default:
			bitutil.BitmapAnd(valid.bits, o.valid.bits, 0, int64(o.valid.offset), valid.bits, 0, int64(n))
		}
	}
	return valid
}

// span runs the function for rows [from, to) and stops at its first error,
// which is a *rowError.
type span func(from, to int) error

// loop prepares to run the function for n rows, where those that are not valid
// are left out. It returns a column of n values for each result.
type loop func(ctx context.Context, args []operand, n int, valid bitmap) (columns []any, run span)

// rowError is what the function returned in a row.
type rowError struct {
	row int
	err error
}

func (e *rowError) Error() string { return fmt.Sprintf("row %d: %v", e.row+1, e.err) }

func (e *rowError) Unwrap() error { return e.err }

// runAll runs all rows. The error is that of the lowest row that has one.
func (f *typedFunc) runAll(ctx context.Context, n int, run span) error {
	if f.workers && n > 1 {
		return runParallel(ctx, n, run)
	}
	for from := 0; from < n; from += blockRows {
		if err := runBlock(ctx, from, min(from+blockRows, n), run); err != nil {
			return err
		}
	}
	return nil
}

func runBlock(ctx context.Context, from, to int, run span) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("stopped before row %d: %w", from+1, err)
	}
	return run(from, to)
}

// runParallel hands out blocks of rows, lowest first, to one goroutine a
// processor until one fails. All blocks below that have been handed out by
// then, and are run, so that the lowest error is always found.
func runParallel(ctx context.Context, n int, run span) error {
	workers := min(runtime.GOMAXPROCS(0), n)
	block := max(1, min(blockRows, n/(8*workers)))
	var next atomic.Int64
	var stop atomic.Bool
	failures := make([]failure, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for !stop.Load() {
				from := int(next.Add(int64(block))) - block
				if from >= n {
					return
				}
				if err := guarded(ctx, from, min(from+block, n), run); err != nil {
					failures[w] = failure{from, err}
					stop.Store(true)
				}
			}
		})
	}
	wg.Wait()
	return lowest(failures)
}

// failure is the error of the block of rows that begins at from.
type failure struct {
	from int
	err  error
}

func lowest(failures []failure) error {
	var first failure
	for _, f := range failures {
		if f.err != nil && (first.err == nil || f.from < first.from) {
			first = f
		}
	}
	return first.err
}

// guarded turns a panic into an error: on a goroutine of its own it would end
// the server.
func guarded(ctx context.Context, from, to int, run span) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicError(p)
		}
	}()
	return runBlock(ctx, from, to, run)
}

// reflectLoop calls a function of any type by reflection.
func (f *typedFunc) reflectLoop(ctx context.Context, args []operand, n int, valid bitmap) ([]any, span) {
	slices := make([]reflect.Value, len(args))
	for i, a := range args {
		slices[i] = reflect.ValueOf(a.values)
	}
	columns := make([]any, len(f.results))
	outs := make([]reflect.Value, len(f.results))
	for i, r := range f.results {
		outs[i] = reflect.MakeSlice(reflect.SliceOf(r.codec.goType()), n, n)
		columns[i] = outs[i].Interface()
	}
	return columns, func(from, to int) error {
		in := make([]reflect.Value, f.fn.Type().NumIn())
		first := len(in) - len(args)
		if f.context {
			in[0] = reflect.ValueOf(ctx)
		}
		for row := from; row < to; row++ {
			if !valid.has(row) {
				continue
			}
			for i, a := range args {
				in[first+i] = slices[i].Index(row % a.n)
			}
			out := f.fn.Call(in)
			if err := f.failure(out); err != nil {
				return &rowError{row, err}
			}
			for i := range outs {
				outs[i].Index(row).Set(out[i])
			}
		}
		return nil
	}
}
