package rgoipc

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mangoro.local/internal/codec"
	"mangoro.local/internal/segment"
)

// The context is checked between two blocks of rows. A block has so many rows that it
// takes about blockTime, at most blockRows.
const (
	blockRows = 2048
	blockTime = time.Millisecond
)

// operand is an argument of an elementwise function: n values that are
// recycled.
type operand struct {
	values   any // a []T
	valid    codec.Bitmap
	n        int
	constant bool // values repeat one value, as many times as a block has rows
}

// invokeRows calls the function once a row.
func (f *typedFunc) invokeRows(ctx context.Context, columns []codec.Column) (result returned, err error) {
	p := &piece{args: make([]operand, len(columns))}
	for i, param := range f.params {
		if p.args[i], err = param.operand(columns[i]); err != nil {
			return result, argumentError(param.arg.Name, columns[i], err)
		}
	}
	if p.n, err = f.recycled(p.args); err != nil {
		return result, err
	}
	p.valid = validRows(p.args, p.n)
	for i, o := range p.args {
		p.args[i] = o.repeated(p.n)
	}
	r := f.newRows(ctx, p.n)
	r.prepare(ctx, p)
	if err := f.runAll(ctx, p.n, &queue{piece: p}); err != nil {
		return result, err
	}
	args := codec.NewArguments(columns, segment.ResultOf(ctx))
	if f.objects {
		if c := callerOf(ctx); c != nil {
			args.WithCaller(c)
		}
		args.IsResult()
	}
	if f.each {
		result.record, err = f.listOfRows(r.columns, p.n, p.valid, args)
		return result, f.withValues(err, p)
	}
	return r.returned(p.valid, args)
}

// resultRows are the rows of results that a call fills.
type resultRows struct {
	f       *typedFunc
	n       int
	columns []any
	watch   *nanWatch
}

func (f *typedFunc) newRows(ctx context.Context, n int) *resultRows {
	columns := f.loop.columns(segment.ResultOf(ctx), n)
	return &resultRows{f: f, n: n, columns: columns, watch: watchNaN(columns)}
}

// prepare has a piece ready to be run.
func (r *resultRows) prepare(ctx context.Context, p *piece) {
	p.run = r.watch.after(p, r.f.loop.over(ctx, p, r.columns))
}

// returned returns the results as a record. Rows that are not valid become NA.
func (r *resultRows) returned(valid codec.Bitmap, args *codec.Arguments) (result returned, err error) {
	noNaN := valid.Full() && !r.watch.seen.Load()
	result.record, err = r.f.record(r.n, func(i int) (codec.Column, error) {
		if values, ok := r.columns[i].([]float64); ok && !r.watch.seen.Load() {
			return codec.Numbers(values, valid), nil
		}
		noNaN = false // it is not known
		return r.f.results[i].kind.(codec.Values).WriteRows(r.columns[i], valid, args)
	})
	result.noNaN = noNaN
	return result, err
}

// operand reads an argument. One that is missing is one zero value.
func (p *parameter) operand(column codec.Column) (o operand, err error) {
	if column.Array == nil {
		return operand{values: reflect.MakeSlice(reflect.SliceOf(p.t), 1, 1).Interface(), n: 1}, nil
	}
	defer readFailed(&err)
	o.values, o.valid, o.n, err = p.kind.(codec.Values).ReadRows(column)
	return o, err
}

// nanWatch looks for NaN in results while they are still in the processor's
// cache, so that they need not be read again to find those that are NA. A Loop that
// adds 5 million numbers takes 31 ms, and 38 ms without it.
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
func (w *nanWatch) after(p *piece, run span) span {
	if len(w.columns) == 0 {
		return run
	}
	return func(from, to int, at *progress) error {
		if err := run(from, to, at); err != nil || w.seen.Load() {
			return err
		}
		for _, values := range w.columns {
			for i, j := p.valid.Run(from, to); i < j; i, j = p.valid.Run(j, to) {
				if hasNaN(values[p.first+i : p.first+j]) {
					w.seen.Store(true)
					return nil
				}
			}
		}
		return nil
	}
}

// hasNaN adds the numbers up, several sums at a time, which is faster than to compare them:
// a sum with a NaN is a NaN. So is one of infinities, and only then it looks at each.
func hasNaN(values []float64) bool {
	var a, b, c, d, e, f, g, h float64
	rest := values
	for ; len(rest) >= 8; rest = rest[8:] {
		v := (*[8]float64)(rest)
		a, b, c, d = a+v[0], b+v[1], c+v[2], d+v[3]
		e, f, g, h = e+v[4], f+v[5], g+v[6], h+v[7]
	}
	sum := a + b + c + d + e + f + g + h
	for _, v := range rest {
		sum += v
	}
	return sum != sum && slices.ContainsFunc(values, math.IsNaN)
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
func validRows(operands []operand, n int) (valid codec.Bitmap) {
	for _, o := range operands {
		valid = valid.And(n, o.valid, o.n)
	}
	return valid
}

// progress is how far a span has come, for when the function panics.
type progress struct {
	first int // the row of the call that row counts from
	row   int // the row that the function runs for; -1: the span does not know
}

// span runs the function for rows [from, to) of a piece and stops at its first error, which
// is a *rowError. It keeps at up to date.
type span func(from, to int, at *progress) error

// rowError is what the function returned in a row, or panicked with.
type rowError struct {
	row    int
	err    error
	values map[string]any // of the arguments, as JSON can hold them
}

func (e *rowError) Error() string { return fmt.Sprintf("row %d: %s", e.row+1, textOf(e.err)) }

func (e *rowError) Unwrap() error { return e.err }

// maxValue is how much of a text among the arguments an error shows.
const maxValue = 200

// withValues adds to the error of a row of a piece what the arguments are there.
func (f *typedFunc) withValues(err error, p *piece) error {
	e, ok := err.(*rowError)
	if !ok || e.row < 0 {
		return err
	}
	e.values = make(map[string]any, len(p.args))
	for i, o := range p.args {
		e.values[f.params[i].arg.Name] = f.params[i].shown(reflect.ValueOf(o.values).Index((e.row - p.first) % o.n))
	}
	return err
}

// shown returns an argument as JSON can hold it: a struct with the names that R has for
// its fields.
func (p *parameter) shown(value reflect.Value) any {
	if p.arg.Type.Type == TypeStruct {
		if column, err := p.kind.Write(value, codec.NewArguments(nil, nil)); err == nil {
			defer column.Array.Release()
			return column.Array.GetOneForMarshal(0)
		}
	}
	return jsonValue(value.Interface())
}

// jsonValue returns numbers and bools as they are, also behind a pointer, and all else as
// text.
func jsonValue(value any) any {
	if day, ok := value.(Date); ok {
		return day.String()
	}
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return jsonValue(v.Elem().Interface())
	case reflect.Bool:
		return v.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if n := v.Int(); int64(float64(n)) == n {
			return n
		}
	case reflect.Float32, reflect.Float64:
		if x := v.Float(); !math.IsNaN(x) && !math.IsInf(x, 0) {
			return x
		}
	}
	return shortened(fmt.Sprint(value), maxValue)
}

// piece is rows of a call whose arguments are there: all of them, or a chunk of a ring.
type piece struct {
	args  []operand
	n     int
	valid codec.Bitmap // says in which rows no argument is NA
	first int          // row of the call
	run   span         // of rows of the piece

	taken int          // rows that were handed out
	left  atomic.Int64 // rows that were not run, if done is called after them
	done  func()       // nil: nothing is to do
}

// runAll runs the n rows of a queue. The error is that of the lowest row that has one.
func (f *typedFunc) runAll(ctx context.Context, n int, q *queue) error {
	if !f.workers || n < 2 {
		q.work(ctx, blockRows)
		return f.withValues(q.err, q.failed)
	}
	workers := min(runtime.GOMAXPROCS(0), n)
	most := max(1, min(blockRows, n/(8*workers)))
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			debug.SetPanicOnFault(true) // as it is for the goroutine of the call
			q.work(ctx, most)
		})
	}
	wg.Wait()
	return f.withValues(q.err, q.failed)
}

// queue hands out blocks of rows, lowest first, until one fails. All blocks below that
// have been handed out by then, and are run, so that the lowest error is always found.
type queue struct {
	taking sync.Mutex // protects the piece
	piece  *piece     // that blocks are of; nil: the next one has to be fetched
	// more returns the next piece, or nil after the last one, and is nil if there is one only.
	more    func() (*piece, error)
	stopped atomic.Bool

	mu     sync.Mutex // protects what follows
	err    error
	row    int    // first row of the block that err is from
	failed *piece // that it is in
}

// take returns the next block, of so many rows or fewer, and the piece that they are of.
// There is none if that is nil.
func (q *queue) take(rows int) (p *piece, from, to int) {
	q.taking.Lock()
	defer q.taking.Unlock()
	for !q.stopped.Load() {
		if p := q.piece; p != nil && p.taken < p.n {
			from = p.taken
			p.taken = min(from+rows, p.n)
			return p, from, p.taken
		}
		if q.more == nil {
			return nil, 0, 0
		}
		p, err := q.more()
		if err != nil {
			q.fail(p, 0, err)
		}
		if p == nil || err != nil {
			return nil, 0, 0
		}
		p.left.Store(int64(p.n))
		q.piece = p
	}
	return nil, 0, 0
}

// fail keeps the error of the block that starts at row from of a piece, unless a lower one
// has failed.
func (q *queue) fail(p *piece, from int, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if row := p.first + from; q.err == nil || row < q.row {
		q.err, q.row, q.failed = err, row, p
	}
	q.stopped.Store(true)
}

// work runs blocks of at most so many rows until none is left.
func (q *queue) work(ctx context.Context, most int) {
	var p *piece
	var from int
	var err error
	defer func() { // also if the function ends this goroutine
		if err != nil {
			q.fail(p, from, err)
		}
	}()
	rows := 1
	for err == nil {
		var to int
		if p, from, to = q.take(rows); p == nil {
			return
		}
		started := time.Now()
		p.runBlock(ctx, from, to, &err)
		if err == nil && p.done != nil && p.left.Add(int64(from-to)) == 0 {
			p.done()
		}
		if q.more == nil && to == p.n {
			return
		}
		rows = nextRows(rows, most, time.Since(started))
	}
}

// nextRows returns how many rows the next block has if this one took so long: twice as
// many if they were fast, and as many as would have taken blockTime if they were slow.
func nextRows(rows, most int, took time.Duration) int {
	if took < blockTime {
		return min(2*rows, most)
	}
	return max(1, int(time.Duration(rows)*blockTime/took))
}

// runBlock runs rows [from, to), and sets the error. It does not return the error, because
// nothing is returned if the function ends its goroutine. It recovers from a panic, which
// would end the server on a goroutine of [Parallel].
func (p *piece) runBlock(ctx context.Context, from, to int, err *error) {
	if e := ctx.Err(); e != nil {
		*err = fmt.Errorf("stopped before row %d: %w", p.first+from+1, e)
		return
	}
	at := progress{first: p.first + from, row: -1}
	returned := false
	defer func() {
		if !returned {
			*err = at.panicError(recover())
		}
	}()
	*err = p.run(from, to, &at)
	returned = true
}

// panicError is [panicError], with the row if that is known.
func (at progress) panicError(p any) error {
	row := at.row
	in, ok := p.(*rowPanic)
	if ok {
		row, p = in.row, in.value
	}
	err := panicError(p)
	if row < 0 {
		return err
	}
	return &rowError{row: at.first + row, err: err}
}

// rowPanic is a panic in a loop that knows its row.
type rowPanic struct {
	row   int
	value any
}

// AtRow is for a [Loop]: deferred, it has a panic of the loop say the row that it is
// at, from 0.
func AtRow(row *int) {
	if p := recover(); p != nil {
		panic(&rowPanic{*row, p})
	}
}
