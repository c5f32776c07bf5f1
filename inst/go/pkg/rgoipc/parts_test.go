package rgoipc

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"mangoro.local/internal/codec"
)

// reading is R's end of a call that returns a stream.
type reading struct {
	rPeer
	t     *testing.T
	d     *dispatcher
	clock *fakeClock
}

// read calls a function, which takes no arguments, as R does.
func read(t *testing.T, fn any) *reading {
	t.Helper()
	registry := NewRegistry()
	if err := registry.Func("f", fn); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	r := &reading{t: t, d: newDispatcher(ctx, registry, limits{running: 1, waiting: 10, givenUp: 10, bytes: 1 << 30}), clock: &fakeClock{time: time.Now()}}
	r.d.clock = r.clock.clock()
	r.rPeer = newSocketPeer(t, r.d)
	t.Cleanup(func() {
		stop()
		eventually(t, func() bool {
			r.d.calls.mu.Lock()
			defer r.d.calls.mu.Unlock()
			return len(r.d.calls.table) == 0
		})
	})
	r.send((&RPCMessage{Type: MsgTypeCall, FuncName: "f", ErrorMsg: living}).Marshal())
	return r
}

// opened receives the reply that says that the stream is open.
func (r *reading) opened() *reading {
	r.t.Helper()
	if reply := r.receive(); reply.Type != MsgTypePart || len(reply.ArrowData) != 0 {
		r.t.Fatalf("got type %d, %s", reply.Type, reply.ArrowData)
	}
	return r
}

func (r *reading) ask() {
	r.send((&RPCMessage{Type: MsgTypeContinue, FuncName: "f", ErrorMsg: `{"call_id":"a"}`}).Marshal())
}

// next asks for the next reply: its type and its rows.
func (r *reading) next() (messageType uint8, rows arrow.RecordBatch) {
	r.t.Helper()
	r.ask()
	reply := r.receive()
	if reply.Type == MsgTypeError {
		return reply.Type, nil
	}
	rows, err := readRecord(nil, reply.ArrowData)
	if err != nil {
		r.t.Fatal(err)
	}
	return reply.Type, rows
}

// all returns the rows of each part, and the type of the reply that ends the call.
func (r *reading) all() (parts []int64, last uint8, rest arrow.RecordBatch) {
	r.t.Helper()
	for {
		messageType, rows := r.next()
		if messageType != MsgTypePart {
			return parts, messageType, rows
		}
		parts = append(parts, rows.NumRows())
	}
}

func series[T any](n int, value func(i int) T) iter.Seq[T] {
	return func(yield func(T) bool) {
		for i := range n {
			if !yield(value(i)) {
				return
			}
		}
	}
}

type streamed struct {
	A int
	B string
}

func TestPartsOfEveryType(t *testing.T) {
	row := func(i int) streamed { return streamed{i, "x"} }
	fails := errors.New("no more")
	for name, tt := range map[string]struct {
		fn    any
		parts []int64
		last  uint8
		field string // the first of the schema
	}{
		"float64": {func() iter.Seq[float64] { return series(codec.PartRows+2, func(i int) float64 { return float64(i) }) }, []int64{codec.PartRows, 2}, MsgTypeResult, "result"},
		"none":    {func() iter.Seq[float64] { return series(0, func(i int) float64 { return 0 }) }, nil, MsgTypeResult, "result"},
		"string": {func() iter.Seq[string] {
			text := strings.Repeat("x", codec.PartBytes/4)
			return series(6, func(int) string { return text })
		}, []int64{4, 2}, MsgTypeResult, "result"},
		"named":   {func() iter.Seq[time.Month] { return series(3, func(i int) time.Month { return time.Month(i + 1) }) }, []int64{3}, MsgTypeResult, "result"},
		"structs": {func() iter.Seq[streamed] { return series(3, row) }, []int64{3}, MsgTypeResult, "A"},
		"large structs": {func() iter.Seq[streamed] {
			text := strings.Repeat("x", codec.PartBytes)
			return series(2, func(i int) streamed { return streamed{i, text} })
		}, []int64{1, 1}, MsgTypeResult, "A"},
		"lists": {func() iter.Seq[[]float64] {
			return series(4, func(i int) []float64 { return make([]float64, codec.PartBytes/16) })
		}, []int64{2, 2}, MsgTypeResult, "result"},
		"errors": {func() iter.Seq2[streamed, error] {
			return func(yield func(streamed, error) bool) {
				_ = yield(row(1), nil) && yield(row(2), nil) && yield(streamed{}, fails) && yield(row(3), nil)
			}
		}, []int64{2}, MsgTypeError, ""},
		"errors of numbers": {func() iter.Seq2[int, error] {
			return func(yield func(int, error) bool) { _ = yield(1, nil) && yield(0, fails) }
		}, []int64{1}, MsgTypeError, ""},
		"panic": {func() iter.Seq[int] {
			return func(yield func(int) bool) { yield(1); panic("oh") }
		}, []int64{1}, MsgTypeError, ""},
		"channel": {func() <-chan int {
			c := make(chan int, 3)
			c <- 1
			c <- 2
			close(c)
			return c
		}, []int64{2}, MsgTypeResult, "result"},
		"channel of structs": {func() chan streamed {
			c := make(chan streamed, 3)
			c <- row(1)
			close(c)
			return c
		}, []int64{1}, MsgTypeResult, "A"},
		"value that cannot be sent": {func() iter.Seq[string] { return series(1, func(int) string { return "\xff" }) }, nil, MsgTypeError, ""},
		"batches":                   {func() array.RecordReader { return batchesOf(t, 2, 0, 1) }, []int64{3}, MsgTypeResult, "a"},
		"large batches":             {func() array.RecordReader { return batchesOf(t, codec.PartRows, 1) }, []int64{codec.PartRows, 1}, MsgTypeResult, "a"},
		"no batches":                {func() array.RecordReader { return batchesOf(t) }, nil, MsgTypeResult, "a"},
		"failing batches":           {func() array.RecordReader { return failingReader(t) }, nil, MsgTypeError, ""},
	} {
		t.Run(name, func(t *testing.T) {
			parts, last, rest := read(t, tt.fn).opened().all()
			if !slices.Equal(parts, tt.parts) || last != tt.last {
				t.Errorf("got parts of %v rows, and type %d", parts, last)
			}
			if last == MsgTypeResult && (rest.NumRows() != 0 || rest.ColumnName(0) != tt.field) {
				t.Errorf("got %v in the end", rest)
			}
		})
	}
}

// batchesOf returns batches of so many rows.
func batchesOf(t *testing.T, sizes ...int) array.RecordReader {
	schema := arrow.NewSchema([]arrow.Field{{Name: "a", Type: float64s}}, nil)
	return array.ReaderFromIter(schema, func(yield func(arrow.RecordBatch, error) bool) {
		for _, n := range sizes {
			b := array.NewFloat64Builder(memory.DefaultAllocator)
			b.AppendValues(make([]float64, n), nil)
			if !yield(array.NewRecordBatch(schema, []arrow.Array{b.NewArray()}, int64(n)), nil) {
				return
			}
		}
	})
}

func TestNoStream(t *testing.T) {
	for name, fn := range map[string]any{
		"iter.Seq": func() iter.Seq[int] { return nil }, "channel": func() <-chan int { return nil },
		"reader": func() array.RecordReader { return nil },
	} {
		if reply := read(t, fn).receive(); reply.Type != MsgTypeResult || len(reply.ArrowData) > 0 {
			t.Errorf("%s: got type %d, %s", name, reply.Type, reply.ArrowData)
		}
	}
}

// The whole of a stream is one result for a peer whose calls do not live.
func TestStreamAsResult(t *testing.T) {
	for name, fn := range map[string]any{
		"numbers": func() iter.Seq[int32] { return series(3, func(i int) int32 { return int32(i) }) },
		"structs": func() <-chan streamed {
			c := make(chan streamed, 3)
			for range 3 {
				c <- streamed{}
			}
			close(c)
			return c
		},
	} {
		rec, err := readRecord(nil, replied(t, typed(t, fn), columns(t)))
		if err != nil || rec.NumRows() != 3 {
			t.Errorf("%s: got %v, %v", name, rec, err)
		}
	}
}

// Go makes no more values than one part that R has not asked for.
func TestPartsRunAhead(t *testing.T) {
	var made atomic.Int64
	r := read(t, func() iter.Seq[float64] {
		return series(20*codec.PartRows, func(i int) float64 { made.Add(1); return 0 })
	}).opened()
	for i := range int64(3) {
		eventually(t, func() bool { return made.Load() == (i+1)*codec.PartRows })
		if messageType, rows := r.next(); messageType != MsgTypePart || rows.NumRows() != codec.PartRows {
			t.Fatalf("got type %d, %v", messageType, rows)
		}
	}
}

// gated are values that come when they are let.
func gated(values chan float64, ended *atomic.Bool) iter.Seq[float64] {
	return func(yield func(float64) bool) {
		defer ended.Store(true)
		for v := range values {
			if !yield(v) {
				return
			}
		}
	}
}

func TestPartsThatAreLate(t *testing.T) {
	values, ended := make(chan float64), new(atomic.Bool)
	defer close(values)
	r := read(t, func() iter.Seq[float64] { return gated(values, ended) }).opened()
	for i := range 3 {
		r.ask()
		values <- 1
		values <- 2
		// The timer is set once the value is there.
		eventually(t, func() bool {
			r.clock.mu.Lock()
			defer r.clock.mu.Unlock()
			return len(r.clock.timers) == 1
		})
		values <- 3 // the value before it is there
		r.clock.advance(partInterval)
		rows, err := readRecord(nil, r.receive().ArrowData)
		if err != nil || rows.NumRows() < 2 || rows.NumRows() > 3 {
			t.Fatalf("%d: got %v, %v", i, rows, err)
		}
		if rows.NumRows() == 2 { // the rest is late as well, as soon as it is there
			r.ask()
			rest := make(chan *RPCMessage)
			go func() { rest <- r.receive() }()
			eventually(t, func() bool {
				r.clock.advance(partInterval)
				select {
				case reply := <-rest:
					rows, err = readRecord(nil, reply.ArrowData)
					return true
				default:
					return false
				}
			})
			if err != nil || rows.NumRows() != 1 {
				t.Fatalf("%d: got %v, %v", i, rows, err)
			}
		}
		r.clock.advance(partInterval) // nobody watches any more
		eventually(t, func() bool {
			r.clock.mu.Lock()
			defer r.clock.mu.Unlock()
			return len(r.clock.timers) == 0
		})
	}
}

func TestStreamIsCancelled(t *testing.T) {
	values, ended := make(chan float64), new(atomic.Bool)
	r := read(t, func() iter.Seq[float64] { return gated(values, ended) }).opened()
	r.connection().Answer(cancelMessage("a"), func([]byte) {})
	values <- 1 // yield returns false
	eventually(t, ended.Load)

	// While it waits for R.
	done := make(chan struct{})
	r = read(t, func() iter.Seq[float64] {
		return func(yield func(float64) bool) {
			defer close(done)
			for yield(0) {
			}
		}
	}).opened()
	r.next()
	r.connection().Gone()
	<-done

	// A channel is not received from any more.
	r = read(t, func(ctx context.Context) <-chan int {
		c := make(chan int)
		go func() { defer ended.Store(true); <-ctx.Done() }()
		return c
	}).opened()
	ended.Store(false)
	r.connection().Answer(cancelMessage("a"), func([]byte) {})
	eventually(t, ended.Load)
}

func TestStreamSignature(t *testing.T) {
	registry := NewRegistry()
	if err := registry.Func("f", func(x iter.Seq[streamed]) iter.Seq2[float64, error] { return nil }); err != nil {
		t.Fatal(err)
	}
	fn, _ := registry.Get("f")
	text, err := json.Marshal(fn.Signature)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"Lives":true`, `"ReturnType":{"Type":"stream","Nullable":true,"StructDef":null,"ListSchema":{"Type":"float64"`, `"Name":"x","Type":{"Type":"stream"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("got %s, want %s in it", text, want)
		}
	}
}
