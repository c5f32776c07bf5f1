package rgoipc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// saysR is what R says to a question: its answer as JSON of a type, or a failure. Without a
// type it is empty.
type saysR struct {
	dataType arrow.DataType
	text     string
	failed   int
}

// callWith calls a function whose arguments are R functions, which R answers. It returns
// the last reply.
func callWith(t *testing.T, newPeer func(*testing.T, *dispatcher) rPeer, fn any, metadata string, answer func(target int, question arrow.RecordBatch) saysR) *RPCMessage {
	t.Helper()
	registry := NewRegistry()
	if err := registry.Func("f", fn); err != nil {
		t.Fatal(err)
	}
	p := newPeer(t, newDispatcher(t.Context(), registry, limits{running: 1, waiting: 10, givenUp: 10, bytes: 1 << 20}))
	f, _ := registry.Get("f")
	targets := make([]arg, len(f.Signature.Args))
	for i := range targets {
		targets[i] = arg{dataType: int32s, text: fmt.Sprintf("[%d]", i)}
	}
	payload, err := WriteArrowRecord(lists(t, targets...))
	if err != nil {
		t.Fatal(err)
	}
	p.send((&RPCMessage{Type: MsgTypeCall, FuncName: "f", ErrorMsg: metadata, ArrowData: payload}).Marshal())
	for {
		reply := p.receive()
		if reply.Type != MsgTypeQuestion {
			return reply
		}
		var asked struct{ Target int }
		if err := json.Unmarshal([]byte(reply.ErrorMsg), &asked); err != nil {
			t.Fatal(err)
		}
		question, err := readRecord(nil, reply.ArrowData)
		if err != nil {
			t.Fatal(err)
		}
		if question.NumRows() != 1 {
			t.Fatalf("the question has %d rows", question.NumRows())
		}
		says := answer(asked.Target, question)
		message := &RPCMessage{Type: MsgTypeContinue, FuncName: "f", ErrorMsg: `{"call_id":"a"}`}
		if says.failed > 0 {
			message.ErrorMsg = fmt.Sprintf(`{"call_id":"a","failed":%d,"message":"no","class":"my_error"}`, says.failed)
		}
		if says.dataType != nil {
			values := fromJSON(t, memory.DefaultAllocator, says.dataType, says.text)
			rec := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "result", Type: values.DataType(), Nullable: true}}, nil), []arrow.Array{values}, 1)
			if message.ArrowData, err = WriteArrowRecord(rec); err != nil {
				t.Fatal(err)
			}
		}
		p.send(message.Marshal())
	}
}

func numberOfQuestion(q arrow.RecordBatch) float64 { return q.Column(0).(*array.Float64).Value(0) }

func doubled(_ int, q arrow.RecordBatch) saysR {
	return saysR{dataType: float64s, text: fmt.Sprintf("[%g]", 2*numberOfQuestion(q))}
}

func sumOf(f func(float64) (float64, error)) (float64, error) {
	sum := 0.0
	for i := range 10 {
		y, err := f(float64(i))
		if err != nil {
			return 0, err
		}
		sum += y
	}
	return sum, nil
}

// questionTests are calls of functions, and the JSON of the result or the text of the error.
func questionTests() map[string]struct {
	fn     any
	answer func(int, arrow.RecordBatch) saysR
	want   string
} {
	vectors := arrow.ListOf(float64s)
	asTexts := func(_ int, q arrow.RecordBatch) saysR {
		return saysR{dataType: texts, text: fmt.Sprintf("[%q]", strings.ToUpper(q.Column(0).(*array.String).Value(0)))}
	}
	var calls atomic.Int64
	return map[string]struct {
		fn     any
		answer func(int, arrow.RecordBatch) saysR
		want   string
	}{
		"numbers":                  {sumOf, doubled, `[90]`},
		"numbers without an error": {func(f func(float64) float64) float64 { return f(1) + f(2) + f(3) }, doubled, `[12]`},
		"a named type":             {func(f celsiusOf) celsius { return f(1) + f(2) }, doubled, `[6]`},
		"another answer in between": {sumOf, func(_ int, q arrow.RecordBatch) saysR {
			switch x := numberOfQuestion(q); {
			case x == 5:
				return saysR{dataType: int32s, text: "[10]"}
			case x == 7:
				return saysR{dataType: vectors, text: "[[14]]"}
			default:
				return doubled(0, q)
			}
		}, `[90]`},
		"whole numbers of two types": {func(f func(int) int) int { return f(1) + f(2) + f(3) + f(4) + f(5) }, func(_ int, q arrow.RecordBatch) saysR {
			x := q.Column(0).(*array.Int64).Value(0)
			if x%2 == 0 {
				return saysR{dataType: int64s, text: fmt.Sprintf("[%d]", x)}
			}
			return saysR{dataType: int32s, text: fmt.Sprintf("[%d]", -x)}
		}, `[-3]`},
		"int32": {func(f func(int32) int32) int32 { return f(1) + f(2) + f(3) }, func(_ int, q arrow.RecordBatch) saysR {
			return saysR{dataType: int32s, text: fmt.Sprintf("[%d]", 2*q.Column(0).(*array.Int32).Value(0))}
		}, `[12]`},
		"vectors": {func(f func([]float64) ([]float64, error)) ([]float64, error) {
			x := []float64{1, 2}
			for range 4 {
				y, err := f(x)
				if err != nil {
					return nil, err
				}
				y[0]++ // it is its own
				x = y
			}
			return x, nil
		}, func(_ int, q arrow.RecordBatch) saysR {
			text, _ := q.Column(0).MarshalJSON()
			return saysR{dataType: vectors, text: string(text)}
		}, `[[5,2]]`},
		"vectors of other lengths": {func(f func([]float64) float64) float64 { return f(nil) + f([]float64{1}) + f([]float64{1, 2}) + f(nil) }, func(_ int, q arrow.RecordBatch) saysR {
			from, to := q.Column(0).(*array.List).ValueOffsets(0)
			return saysR{dataType: float64s, text: fmt.Sprintf("[%d]", to-from)}
		}, `[3]`},
		"missing": {func(f func(float64) float64) bool { return math.IsNaN(f(1)) && math.IsNaN(f(math.NaN())) && f(2) == 4 }, func(_ int, q arrow.RecordBatch) saysR {
			if x := numberOfQuestion(q); x == 2 {
				return doubled(0, q)
			}
			return saysR{dataType: float64s, text: "[null]"}
		}, `[true]`},
		"texts": {func(f func(string) string) string { return f("a") + f("b") }, asTexts, `["AB"]`},
		"two functions": {func(f, g func(float64) float64) float64 { return f(g(1)) + f(g(2)) }, func(target int, q arrow.RecordBatch) saysR {
			return saysR{dataType: float64s, text: fmt.Sprintf("[%g]", numberOfQuestion(q)+[]float64{0.5, 10}[target])}
		}, `[24]`},
		"no arguments and no result": {func(f func()) int {
			for range 3 {
				f()
			}
			return int(calls.Load())
		}, func(_ int, q arrow.RecordBatch) saysR {
			if q.NumCols() != 0 {
				return saysR{failed: 1}
			}
			calls.Add(1)
			return saysR{}
		}, `[3]`},
		"an argument without a result": {func(f func(float64)) int { f(1); f(2); return 1 }, func(int, arrow.RecordBatch) saysR { return saysR{} }, `[1]`},
		"a context": {func(ctx context.Context, f func(context.Context, float64) (float64, error)) (string, error) {
			if _, err := f(ctx, 1); err != nil {
				return "", err
			}
			ctx, stop := context.WithCancel(ctx)
			stop()
			_, err := f(ctx, 1)
			return fmt.Sprint(err), nil
		}, doubled, `["context canceled"]`},
		"an error": {func(f func(float64) (float64, error)) (string, error) {
			_, err := f(1)
			var stop *RError
			if !errors.As(err, &stop) {
				return "", errors.New("it is another one")
			}
			return stop.Class + ": " + stop.Message, nil
		}, func(int, arrow.RecordBatch) saysR { return saysR{failed: 1} }, `["my_error: no"]`},
		"an error that is returned": {sumOf, func(_ int, q arrow.RecordBatch) saysR {
			if numberOfQuestion(q) == 3 {
				return saysR{failed: 7}
			}
			return doubled(0, q)
		}, `handler 7: no`},
		"an error that is wrapped": {func(f func(float64) (float64, error)) error {
			_, err := f(1)
			return fmt.Errorf("at 1: %w", err)
		}, func(int, arrow.RecordBatch) saysR { return saysR{failed: 8} }, `handler 8: at 1: no`},
		"an error that ends the call": {func(f func(float64) float64) (sum float64) {
			defer func() { _ = recover() }()
			for i := range 10 {
				sum += f(float64(i))
			}
			return sum
		}, func(_ int, q arrow.RecordBatch) saysR {
			if numberOfQuestion(q) == 3 {
				return saysR{failed: 9}
			}
			return doubled(0, q)
		}, `handler 9: no`},
		"no answer": {sumOf, func(_ int, q arrow.RecordBatch) saysR {
			if numberOfQuestion(q) == 3 {
				return saysR{}
			}
			return doubled(0, q)
		}, `protocol 0: the answer of R has no result of its function`},
		"no answer at once": {sumOf, func(int, arrow.RecordBatch) saysR { return saysR{} }, `handler 0: the answer of R has no result of its function`},
		"an answer of another type": {
			sumOf, func(int, arrow.RecordBatch) saysR { return saysR{dataType: texts, text: `["a"]`} },
			`handler 0: the result of the R function must be numeric, not utf8`,
		},
	}
}

type celsiusOf func(celsius) celsius

func testQuestions(t *testing.T, newPeer func(*testing.T, *dispatcher) rPeer) {
	for name, test := range questionTests() {
		t.Run(name, func(t *testing.T) {
			reply := callWith(t, newPeer, test.fn, living, test.answer)
			var got string
			if reply.Type == MsgTypeError {
				var d detail
				if err := json.Unmarshal(reply.ArrowData, &d); err != nil {
					t.Fatal(err)
				}
				got = fmt.Sprintf("%s %d: %s", d.Code, d.RError, reply.ErrorMsg)
			} else {
				rec, err := readRecord(nil, reply.ArrowData)
				if err != nil {
					t.Fatal(err)
				}
				text, err := json.Marshal(rec.Column(0))
				if err != nil {
					t.Fatal(err)
				}
				got = string(text)
			}
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestQuestions(t *testing.T) { testQuestions(t, newSocketPeer) }

// A call that does not live asks nothing.
func TestFunctionsNeedACallThatLives(t *testing.T) {
	reply := callWith(t, newSocketPeer, sumOf, `{"call_id":"a"}`, doubled)
	if reply.Type != MsgTypeError || codeOf(t, reply) != CodeInvalidArgument || !strings.Contains(reply.ErrorMsg, "argument `x` must be a function") {
		t.Errorf("got %d, %s, %s", reply.Type, reply.ErrorMsg, reply.ArrowData)
	}
}

func TestSourcesNeedACallThatLives(t *testing.T) {
	for name, fn := range map[string]any{
		"values":  func(iter.Seq[float64]) {},
		"records": func(array.RecordReader) {},
	} {
		registry := NewRegistry()
		if err := registry.Func("f", fn); err != nil {
			t.Fatal(err)
		}
		index := columns(t, arg{int32s, `[0]`, "", ""}).Column(0)
		target, err := array.NewStructArray([]arrow.Array{index}, []string{"target"})
		if err != nil {
			t.Fatal(err)
		}
		schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: target.DataType()}}, nil)
		payload, err := WriteArrowRecord(array.NewRecordBatch(schema, []arrow.Array{target}, 1))
		if err != nil {
			t.Fatal(err)
		}
		p := newSocketPeer(t, newDispatcher(t.Context(), registry, limits{running: 1, waiting: 10, givenUp: 10, bytes: 1 << 20}))
		p.send((&RPCMessage{Type: MsgTypeCall, FuncName: "f", ErrorMsg: `{"call_id":"a"}`, ArrowData: payload}).Marshal())
		if reply := p.receive(); codeOf(t, reply) != CodeInvalidArgument || !strings.Contains(reply.ErrorMsg, "a client that can be asked") {
			t.Errorf("%s: got %d, %s, %s", name, reply.Type, reply.ErrorMsg, reply.ArrowData)
		}
	}
}

func TestFunctionSignature(t *testing.T) {
	f := typed(t, func(func(float64, []person) (map[string]int, error), float64) float64 { return 0 })
	text, err := json.Marshal(f.Signature.Args[0].Type)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"Type":"function"`, `"Fails":true`, `"Name":"x2"`, `"ReturnType":{"Type":"map"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s lacks %s", text, want)
		}
	}
	if !f.Signature.Lives || !f.Signature.Boxed {
		t.Errorf("got %+v", f.Signature)
	}
}

func TestFunctionTypesAreRefused(t *testing.T) {
	for name, fn := range map[string]any{
		"its parameter 1: type uintptr":                 func(func(uintptr)) {},
		"its parameter 2: type func() is not supported": func(func(int, func())) {},
		"an R function has one result; use a struct":    func(func() (int, int)) {},
		"its result: an R function cannot return one":   func(func() func()) {},
		"a stream is no argument":                       func(func(array.RecordReader)) {},
		"its result: a stream is no argument":           func(func() array.RecordReader) {},
		"An R function is a parameter of its own":       func([]func()) {},
		"field F of struct":                             func(struct{ F func() }) {},
		"R has no Go functions; use what they return":   func() func() { return nil },
		"has no method UnmarshalText":                   func(func() written) {},
	} {
		if err := NewRegistry().Func("f", fn); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want %s", err, name)
		}
	}
}

func TestOptionalFunctions(t *testing.T) {
	f := typed(t, func(f func()) bool { return f == nil }, Optional("x"))
	if got, _, err := resultOf(t, f, columns(t, arg{dataType: nulls, text: "[null]"})); err != nil || got != "[true]" {
		t.Errorf("got %s, %v", got, err)
	}
}

// The error of a function that was kept says so, and on other goroutines ends nothing else.
func TestKeptFunctions(t *testing.T) {
	var kept func(float64) (float64, error)
	var other func(float64) float64
	reply := callWith(t, newSocketPeer, func(f func(float64) (float64, error), g func(float64) float64) float64 {
		kept, other = f, g
		return g(1)
	}, living, doubled)
	if reply.Type != MsgTypeResult {
		t.Fatalf("got %+v", reply)
	}
	if _, err := kept(1); err == nil || err.Error() != "the R function belongs to a call that has ended" {
		t.Errorf("got %v", err)
	}
	ended := make(chan bool)
	go func() {
		defer close(ended)
		other(1)
		t.Error("it has returned")
	}()
	<-ended
}

// A client may send any number for a function, also for one that is called by another
// goroutine, whose panic would end the program.
func TestTargetThatIsNone(t *testing.T) {
	registry := NewRegistry()
	err := registry.Func("f", func(f func(float64) (float64, error)) error {
		failed := make(chan error)
		go func() {
			_, err := f(1)
			failed <- err
		}()
		return <-failed
	})
	if err != nil {
		t.Fatal(err)
	}
	p := newSocketPeer(t, newDispatcher(t.Context(), registry, limits{running: 1, waiting: 10, givenUp: 10, bytes: 1 << 20}))
	payload, err := WriteArrowRecord(lists(t, arg{dataType: int32s, text: "[-1]"}))
	if err != nil {
		t.Fatal(err)
	}
	p.send((&RPCMessage{Type: MsgTypeCall, FuncName: "f", ErrorMsg: living, ArrowData: payload}).Marshal())
	if reply := p.receive(); reply.Type != MsgTypeError || !strings.Contains(reply.ErrorMsg, "the number of an R function, not -1") {
		t.Errorf("the reply is of type %d: %s", reply.Type, reply.ErrorMsg)
	}
}
