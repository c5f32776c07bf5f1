package codec

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"runtime"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"mangoro.local/internal/gotype"
)

// PartRows and PartBytes are how many rows and about how many bytes of values a part of a
// stream has at most. A single value may be larger.
const (
	PartRows  = 512 << 10
	PartBytes = 4 << 20
)

// Sequence is the kind of values of one type that come one after the other: iter.Seq, and as
// results iter.Seq2 with errors, and channels.
type Sequence struct {
	t     reflect.Type
	list  listCodec // of the values of a part
	class classOf
}

// The classes of sequences.
type classOf uint8

const (
	ofValues classOf = iota // func(yield func(T) bool)
	withErrors
	channel
)

// sequenceKind returns the kind of a type that is read or written part by part, of a result
// or of a parameter, and whether it is one.
func sequenceKind(t reflect.Type, result bool) (kind Kind, is bool, err error) {
	s := Sequence{t: t}
	var elem reflect.Type
	switch {
	case t.Kind() == reflect.Chan && t.ChanDir() != reflect.SendDir:
		elem, s.class = t.Elem(), channel
		if !result {
			return nil, true, fmt.Errorf("type %v is not supported%s", t, gotype.ChannelParameter)
		}
	case t.Kind() != reflect.Func || t.NumIn() != 1 || t.NumOut() != 0:
		return nil, false, nil
	case t.CanSeq2():
		elem, s.class = t.In(0).In(0), withErrors
		if t.In(0).In(1) != reflect.TypeFor[error]() {
			return nil, true, fmt.Errorf("type %v is not supported%s", t, gotype.PairsOfOthers)
		}
		if !result {
			return nil, true, fmt.Errorf("type %v is not supported%s", t, gotype.ErrorsParameter)
		}
	case t.CanSeq() && t.In(0).NumIn() == 1:
		elem = t.In(0).In(0)
	default:
		return nil, false, nil
	}
	c, err := newListCodec(t, elem, sliceShape{reflect.SliceOf(elem)}, nil)
	if err != nil {
		return nil, true, err
	}
	s.list = c.(listCodec)
	return s, true, nil
}

// Type describes the stream, and the values of it.
func (s Sequence) Type() Type {
	elem := s.list.elem.describe()
	return Type{Name: TypeStream, Nullable: true, Elem: &elem}
}

// Absent tells whether an argument is NULL.
func (Sequence) Absent(arg Column, _ bool) bool {
	_, null := arg.Array.(*array.Null)
	return null || isNull(arg.Array)
}

// Write fails: a stream is a result of its own, and not a column of one.
func (s Sequence) Write(reflect.Value, *Arguments) (Column, error) {
	return streams{}.Write(reflect.Value{}, nil)
}

// errReadTwice is the panic of a function that reads an argument again.
var errReadTwice = errors.New("an iter.Seq that R gives can be read only once: keep the values that are needed again")

// Read returns a sequence of all values, or one whose parts R is asked for. It can be
// read once.
func (s Sequence) Read(arg Column, args *Arguments) (reflect.Value, error) {
	var next func() (reflect.Value, bool)
	target, ok, err := targetOf(arg, args)
	if err != nil {
		return reflect.Value{}, err
	}
	if ok {
		next = s.asking(args, target)
	} else {
		values, err := Values{s.list}.Read(arg, args)
		if err != nil {
			return reflect.Value{}, err
		}
		next = func() (reflect.Value, bool) {
			v, ok := values, values.IsValid()
			values = reflect.Value{}
			return v, ok
		}
	}
	var read atomic.Bool
	begin := func() {
		if read.Swap(true) {
			panic(errReadTwice)
		}
	}
	return wayOf(s.list.elem.goType()).sequence(s.t, begin, next), nil
}

// asking returns a function that asks a target for the next values. If there is an error,
// it ends the call.
func (s Sequence) asking(args *Arguments, target int) func() (reflect.Value, bool) {
	return func() (reflect.Value, bool) {
		values, err := s.part(args, target)
		if err != nil {
			args.caller.Fail(err)
			runtime.Goexit()
		}
		return values, values.IsValid()
	}
}

// part asks a target for the next values. No value: there are no more.
func (s Sequence) part(args *Arguments, target int) (values reflect.Value, err error) {
	column, err := nextPart(args.caller, target)
	if err != nil || column.Array == nil {
		return values, err
	}
	defer column.Array.Release()
	if values, err = (Values{s.list}).Read(column, args); err != nil {
		return values, fmt.Errorf("what R has sent: %w", err)
	}
	return values, nil
}

// targetField is the name of the field of a struct that says which target an argument is.
const targetField = "target"

// targetOf returns the target that an argument is, and whether it is one.
func targetOf(arg Column, args *Arguments) (target int, ok bool, err error) {
	s, ok := arg.Array.(*array.Struct)
	if !ok || s.Len() != 1 || s.NumField() != 1 || s.DataType().(*arrow.StructType).Field(0).Name != targetField {
		return 0, false, nil
	}
	inner, release := newColumn(s.Field(0)).unbox()
	defer release()
	index, ok := inner.Array.(*array.Int32)
	if !ok || index.Len() != 1 || index.IsNull(0) {
		return 0, false, nil
	}
	if args.caller == nil || !args.caller.Lives() {
		return 0, false, wrong("is read part by part, which needs a client that can be asked: package mangoro of the same version or a newer one")
	}
	return int(index.Value(0)), true, nil
}

// nextPart asks a target for its next part, which the caller releases. It has no array if
// there is none.
func nextPart(caller Caller, target int) (Column, error) {
	answer, err := caller.Ask(target, nil, nil)
	if err != nil || answer == nil {
		return Column{}, err
	}
	defer answer.Release()
	if answer.NumCols() != 1 || answer.NumRows() != 1 {
		return Column{}, fmt.Errorf("what R has sent: a part is one row of one column, not %d of %d", answer.NumRows(), answer.NumCols())
	}
	answer.Column(0).Retain()
	return Column{Field: answer.Schema().Field(0), Array: answer.Column(0)}, nil
}

// --- Results ---

// Gather returns what gathers the values of a result, or nil if that is nil.
func (s Sequence) Gather(value reflect.Value, args *Arguments) *Gathered {
	if value.IsNil() {
		return nil
	}
	elem := s.list.elem.goType()
	room := PartRows
	if size := int(elem.Size()); size > 0 {
		room = min(max(PartBytes/size, 1), PartRows)
	}
	values := reflect.MakeSlice(reflect.SliceOf(elem), room, room)
	return &Gathered{sequence: s, value: value, args: args, values: values, room: room}
}

// Gathered gathers the values of a sequence. One goroutine runs it, and meanwhile another one
// may take what has come, as long as no two do so at a time.
type Gathered struct {
	sequence Sequence
	value    reflect.Value
	args     *Arguments
	values   reflect.Value // a []T
	room     int

	there   atomic.Int64 // how many of the values have come
	taken   atomic.Int64 // how many of these were taken
	stopped atomic.Bool  // the context has ended
	watched atomic.Bool
}

// Run has the values made. It calls full if a part of them is there, and watch if there is
// one and nobody watches. It ends if full returns an error, or with the context.
func (g *Gathered) Run(ctx context.Context, full func() error, watch func()) error {
	stop := context.AfterFunc(ctx, func() { g.stopped.Store(true) })
	defer stop()
	err := wayOf(g.sequence.list.elem.goType()).gather(ctx, g, full, watch)
	if err == nil && g.stopped.Load() {
		err = ctx.Err()
	}
	return err
}

// Watch notes whether somebody watches, and returns whether that was so before.
func (g *Gathered) Watch(is bool) (was bool) { return g.watched.Swap(is) }

// Waits tells whether there are values that were not taken.
func (g *Gathered) Waits() bool { return g.there.Load() > g.taken.Load() }

// Reset forgets the values. It is called within full.
func (g *Gathered) Reset() {
	g.there.Store(0)
	g.taken.Store(0)
}

// Take returns the values that have come as a record, which the caller releases.
func (g *Gathered) Take() (arrow.RecordBatch, error) {
	from, to := int(g.taken.Load()), int(g.there.Load())
	rec, err := g.record(g.values.Slice(from, to))
	if err == nil {
		g.taken.Store(int64(to))
	}
	return rec, err
}

// None returns a record without rows.
func (g *Gathered) None() (arrow.RecordBatch, error) { return g.record(g.values.Slice(0, 0)) }

// record returns a []T as a record: structs are its rows, and other values the column
// "result".
func (g *Gathered) record(values reflect.Value) (arrow.RecordBatch, error) {
	column, err := g.sequence.list.elem.write(values.Interface(), Bitmap{}, g.args)
	if err != nil {
		return nil, err
	}
	defer column.Array.Release()
	if elem := g.sequence.list.elem.describe(); elem.Name == TypeStruct && !elem.Nullable {
		return array.RecordFromStructArray(column.Array.(*array.Struct), nil), nil
	}
	schema := arrow.NewSchema([]arrow.Field{column.Named("result")}, nil)
	return array.NewRecordBatch(schema, []arrow.Array{column.Array}, int64(column.Array.Len())), nil
}

// --- How values of a type come and go ---

// A way is how sequences of one type are read and made.
type way interface {
	// gather runs what is gathered.
	gather(ctx context.Context, g *Gathered, full func() error, watch func()) error
	// sequence returns one of type t that calls begin, and then has the values that next
	// returns, each time some of them, until there are no more.
	sequence(t reflect.Type, begin func(), next func() (reflect.Value, bool)) reflect.Value
}

// wayOf returns that of a type. Values of those that are in no list take ten times longer.
func wayOf(t reflect.Type) way {
	switch t {
	case reflect.TypeFor[float64]():
		return typed[float64]{}
	case reflect.TypeFor[float32]():
		return typed[float32]{}
	case reflect.TypeFor[int]():
		return typed[int]{}
	case reflect.TypeFor[int32]():
		return typed[int32]{}
	case reflect.TypeFor[int64]():
		return typed[int64]{}
	case reflect.TypeFor[bool]():
		return typed[bool]{}
	case reflect.TypeFor[string]():
		return typed[string]{}
	case reflect.TypeFor[[]byte]():
		return typed[[]byte]{}
	}
	return reflected{}
}

// typed is the way of a type that is known to the compiler.
type typed[T any] struct{}

func (typed[T]) gather(ctx context.Context, g *Gathered, full func() error, watch func()) error {
	var failure error
	var seq iter.Seq[T]
	switch g.sequence.class {
	case channel:
		from := g.value.Convert(reflect.TypeFor[<-chan T]()).Interface().(<-chan T)
		seq = func(yield func(T) bool) {
			for {
				select {
				case v, open := <-from:
					if !open || !yield(v) {
						return
					}
				case <-ctx.Done():
					return
				}
			}
		}
	case withErrors:
		from := g.value.Convert(reflect.TypeFor[iter.Seq2[T, error]]()).Interface().(iter.Seq2[T, error])
		seq = func(yield func(T) bool) {
			for v, err := range from {
				if failure = err; err != nil || !yield(v) {
					return
				}
			}
		}
	default:
		seq = g.value.Convert(reflect.TypeFor[iter.Seq[T]]()).Interface().(iter.Seq[T])
	}
	values := g.values.Interface().([]T)
	var size func(T) int
	switch any(*new(T)).(type) {
	case string:
		size = func(v T) int { return len(any(v).(string)) }
	case []byte:
		size = func(v T) int { return len(any(v).([]byte)) }
	}
	if err := gatherAll(g, seq, func(i int, v T) { values[i] = v }, size, full, watch); err != nil {
		return err
	}
	return failure
}

func (typed[T]) sequence(t reflect.Type, begin func(), next func() (reflect.Value, bool)) reflect.Value {
	return reflect.ValueOf(iter.Seq[T](func(yield func(T) bool) {
		begin()
		for part, more := next(); more; part, more = next() {
			for _, v := range part.Interface().([]T) {
				if !yield(v) {
					return
				}
			}
		}
	})).Convert(t)
}

// gatherAll gathers the values of a sequence. size returns what a value has in bytes beyond
// its own memory; nil: nothing.
func gatherAll[V any](g *Gathered, seq iter.Seq[V], store func(i int, v V), size func(V) int, full func() error, watch func()) error {
	i, bytes := 0, 0
	for v := range seq {
		store(i, v)
		i++
		g.there.Store(int64(i))
		if size != nil {
			bytes += size(v)
		}
		switch {
		case i == g.room || bytes >= PartBytes:
			if err := full(); err != nil {
				return err
			}
			i, bytes = 0, 0
		case g.stopped.Load():
			return nil
		case !g.watched.Load():
			watch()
		}
	}
	return nil
}

// reflected is the way of any other type.
type reflected struct{}

func (reflected) gather(ctx context.Context, g *Gathered, full func() error, watch func()) error {
	var failure error
	var seq iter.Seq[reflect.Value]
	switch g.sequence.class {
	case channel:
		seq = func(yield func(reflect.Value) bool) {
			for v, open := receive(ctx, g.value); open && yield(v); v, open = receive(ctx, g.value) {
			}
		}
	case withErrors:
		seq = func(yield func(reflect.Value) bool) {
			for v, err := range g.value.Seq2() {
				if failure, _ = err.Interface().(error); failure != nil || !yield(v) {
					return
				}
			}
		}
	default:
		seq = g.value.Seq()
	}
	var size func(reflect.Value) int
	if elem := g.values.Type().Elem(); !isFlat(elem) {
		size = func(v reflect.Value) int { return beyond(v, 0) }
	}
	if err := gatherAll(g, seq, func(i int, v reflect.Value) { g.values.Index(i).Set(v) }, size, full, watch); err != nil {
		return err
	}
	return failure
}

// receive receives from a channel, unless it is closed or the context ends.
func receive(ctx context.Context, from reflect.Value) (v reflect.Value, open bool) {
	if v, open = from.TryRecv(); v.IsValid() {
		return v, open
	}
	_, v, open = reflect.Select([]reflect.SelectCase{
		{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(ctx.Done())},
		{Dir: reflect.SelectRecv, Chan: from},
	})
	return v, open // ctx.Done() is never open
}

func (reflected) sequence(t reflect.Type, begin func(), next func() (reflect.Value, bool)) reflect.Value {
	return reflect.MakeFunc(t, func(in []reflect.Value) []reflect.Value {
		begin()
		for part, more := next(); more; part, more = next() {
			for i := range part.Len() {
				if !in[0].Call([]reflect.Value{part.Index(i)})[0].Bool() {
					return nil
				}
			}
		}
		return nil
	})
}

// isFlat tells whether a value of the type refers to no other memory.
func isFlat(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct:
		if t.PkgPath() == "time" {
			return true
		}
		for i := range t.NumField() {
			if !isFlat(t.Field(i).Type) {
				return false
			}
		}
		return true
	case reflect.Array:
		return isFlat(t.Elem())
	default:
		return reflect.Bool <= t.Kind() && t.Kind() <= reflect.Complex128
	}
}

// beyond returns about how many bytes a value has beyond its own memory. That in which it
// lies is so deep.
func beyond(v reflect.Value, depth int) int {
	if depth > 32 || v.Kind() != reflect.Interface && isFlat(v.Type()) {
		return 0
	}
	n := 0
	switch v.Kind() {
	case reflect.String:
		n = v.Len()
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice {
			n = v.Len() * int(v.Type().Elem().Size())
		}
		if !isFlat(v.Type().Elem()) {
			for i := range v.Len() {
				n += beyond(v.Index(i), depth+1)
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			n += beyond(v.Field(i), depth+1)
		}
	case reflect.Map:
		for i := v.MapRange(); i.Next(); {
			n += int(v.Type().Key().Size()+v.Type().Elem().Size()) + beyond(i.Key(), depth+1) + beyond(i.Value(), depth+1)
		}
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			n = int(v.Elem().Type().Size()) + beyond(v.Elem(), depth+1)
		}
	}
	return n
}
