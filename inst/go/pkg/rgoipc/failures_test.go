package rgoipc

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"

	"mangoro.local/internal/codec"
)

// What an error's methods can do.
type (
	panickingError  struct{}
	exitingError    struct{}
	panickingCause  struct{}
	panickingString struct{}
	exitingString   struct{}
	selfError       struct{ self []error }
	pointerError    struct{ text string }
	lyingError      struct{}
)

func (panickingError) Error() string   { panic("inner") }
func (exitingError) Error() string     { runtime.Goexit(); return "" }
func (panickingCause) Error() string   { return "outer" }
func (panickingCause) Unwrap() error   { panic("inner") }
func (panickingString) String() string { panic("inner") }
func (exitingString) String() string   { runtime.Goexit(); return "" }
func (selfError) Error() string        { return "self" }
func (e *selfError) Unwrap() []error   { return e.self }
func (e *pointerError) Error() string  { return e.text }
func (lyingError) Error() string       { return "lying" }
func (lyingError) As(any) bool         { return true }
func (lyingError) Is(error) bool       { panic("inner") }

// failingRegistry has a function for each way to fail, and the elementwise "row".
func failingRegistry(t *testing.T) (*Registry, map[string]string) {
	t.Helper()
	self := &selfError{}
	self.self = []error{self, self}
	fails := func(err error) func([]float64) error { return func([]float64) error { return err } }
	panics := func(value any) func([]float64) { return func([]float64) { panic(value) } }
	var null *pointerError
	var nullError *Error
	cases := map[string]struct {
		fn   any
		want string
	}{
		"exit":                     {func([]float64) float64 { runtime.Goexit(); return 0 }, "panic: it ended its goroutine with runtime.Goexit, and so returned nothing"},
		"exit of a handler":        {FunctionHandler(func(arrow.RecordBatch) (arrow.RecordBatch, error) { runtime.Goexit(); return nil, nil }), "panic: it ended its goroutine with runtime.Goexit, and so returned nothing"},
		"zero byte":                {fails(errors.New("a\x00b")), `handler: a\x00b`},
		"not UTF-8":                {fails(errors.New("a\xff\xfeb")), "handler: a\uFFFDb"},
		"both":                     {fails(errors.New("\x00\xff")), `handler: \x00` + "\uFFFD"},
		"only a zero byte":         {fails(errors.New("\x00")), `handler: \x00`},
		"empty":                    {fails(errors.New("")), "handler: "},
		"panic, zero byte":         {panics("a\x00b\xff"), `panic: a\x00b` + "\uFFFD"},
		"panic, zero byte in one":  {panics(errors.New("a\x00b")), `panic: a\x00b`},
		"long":                     {fails(errors.New(strings.Repeat("x", maxText+7))), "handler: " + strings.Repeat("x", maxText) + "... (7 bytes more)"},
		"long, cut in a character": {panics("x" + strings.Repeat("\u00e4", maxText/2)), "panic: x" + strings.Repeat("\u00e4", maxText/2-1) + "... (2 bytes more)"},
		"error that panics":        {fails(panickingError{}), "handler: an error of type rgoipc.panickingError without a text: its method panicked: inner"},
		"error that exits":         {fails(exitingError{}), "handler: an error of type rgoipc.exitingError without a text"},
		"wrapped":                  {fails(&Error{Code: CodeNotFound, Err: panickingError{}}), "not_found: an error of type rgoipc.panickingError without a text: its method panicked: inner"},
		"nil pointer":              {fails(null), "handler: an error of type *rgoipc.pointerError without a text: its method panicked: runtime error: invalid memory address or nil pointer dereference"},
		"nil *Error":               {fails(nullError), "handler: an error of type *rgoipc.Error without a text: its method panicked: runtime error: invalid memory address or nil pointer dereference"},
		"cause that panics":        {fails(panickingCause{}), "handler: outer"},
		"chain without end":        {fails(loopingError{}), "handler: 0"},
		"cause of itself":          {fails(self), "handler: self"},
		"lies":                     {fails(lyingError{}), "handler: lying"},
		"panic that panics":        {panics(panickingError{}), "panic: an error of type rgoipc.panickingError without a text: its method panicked: inner"},
		"panic that exits":         {panics(exitingError{}), "panic: an error of type *rgoipc.Error without a text"},
		"string that panics":       {panics(panickingString{}), "panic: %!v(PANIC=String method: inner)"},
		"string that exits":        {panics(exitingString{}), "panic: an error of type *rgoipc.Error without a text"},
		"nil panic":                {panics(nil), "panic: " + new(runtime.PanicNilError).Error()},
		"panic with a struct":      {panics(struct{ A, B int }{1, 2}), "panic: {1 2}"},
		"panic with nothing":       {panics(""), "panic: "},
		"deferred panic":           {func([]float64) { defer panic("second"); panic("first") }, "panic: second"},
		"panic while it exits":     {func([]float64) { defer panic("second"); runtime.Goexit() }, "panic: second"},
	}
	registry, want := NewRegistry(), make(map[string]string)
	for name, c := range cases {
		var err error
		if handler, ok := c.fn.(FunctionHandler); ok {
			err = registry.Register(name, handler, FunctionSignature{})
		} else {
			err = registry.Func(name, c.fn)
		}
		if err != nil {
			t.Fatal(err)
		}
		want[name] = c.want
	}
	return registry, want
}

func numbersCall(t *testing.T, name string, boxes bool) []byte {
	t.Helper()
	rec := columns(t, arg{float64s, `[1, 2, 3]`, "", ""})
	if boxes {
		rec = lists(t, arg{float64s, `[1, 2, 3]`, "", ""})
	}
	stream, err := WriteArrowRecord(rec)
	if err != nil {
		t.Fatal(err)
	}
	return call(name, stream)
}

// However a function fails, there is one answer, a message that any peer can read,
// and the server lives.
func TestEveryFailureIsAnswered(t *testing.T) {
	registry, want := failingRegistry(t)
	r := newDispatcher(t.Context(), registry, limits{1, 0, 1, 1 << 30})
	for name, text := range want {
		t.Run(name, func(t *testing.T) {
			reply, err := UnmarshalRPCMessage(respond(t, r, numbersCall(t, name, true)))
			if err != nil {
				t.Fatal(err)
			}
			got := fmt.Sprintf("%s: %s", codeOf(t, reply), reply.ErrorMsg)
			if reply.Type != MsgTypeError || got != text {
				t.Errorf("got %.200q, want %.200q", got, text)
			}
			for _, text := range []string{reply.ErrorMsg, string(reply.ArrowData)} {
				if !utf8.ValidString(text) || strings.Contains(text, "\x00") || strings.Contains(text, `\u0000`) {
					t.Errorf("not every peer can read %.200q", text)
				}
			}
			if l := r.calls.load(); len(l.Running)+len(l.GivenUp) != 0 {
				t.Errorf("the call has not ended: %+v", l)
			}
		})
	}
}

// Through a socket as well.
func TestServeSurvivesFailures(t *testing.T) {
	registry, want := failingRegistry(t)
	url, stop := serve(t, registry)
	sock := dial(t, url)
	for name := range want {
		if reply := ask(t, sock, numbersCall(t, name, true)); reply.Type != MsgTypeError {
			t.Errorf("%s: got %+v", name, reply)
		}
	}
	if err := stop(); err != nil {
		t.Errorf("Serve() = %v", err)
	}
}

// rowDetail is what R learns of a failed row.
func rowDetail(t *testing.T, reply *RPCMessage) (d struct {
	Code  Code
	Row   int
	Value map[string]any
	Chain []string
},
) {
	t.Helper()
	if err := json.Unmarshal(reply.ArrowData, &d); err != nil {
		t.Fatalf("%s: %v", reply.ArrowData, err)
	}
	return d
}

// An elementwise function that fails, whatever way, names its row, once, and the
// values there.
func TestFailedRow(t *testing.T) {
	fail := func(x float64) error {
		if x == 2 {
			return fmt.Errorf("bad: %w", io.EOF)
		}
		return nil
	}
	boom := func(x float64) float64 {
		if x == 2 {
			panic("bad")
		}
		return x
	}
	exit := func(x float64) float64 {
		if x == 2 {
			runtime.Goexit()
		}
		return x
	}
	direct := func(f func(float64) float64) FuncOption {
		return Loop(func(n int, x, out []float64) {
			row := 0
			defer AtRow(&row)
			for i := range n {
				row = i
				out[i] = f(x[i])
			}
		})
	}
	tests := []struct {
		name  string
		fn    any
		opts  []FuncOption
		code  Code
		row   int
		text  string
		chain []string
	}{
		{"error", func(x float64) (float64, error) { return x, fail(x) }, nil, CodeHandler, 2, "row 2: bad: EOF", []string{"row 2: bad: EOF", "EOF"}},
		{"error, reflected", fail, nil, CodeHandler, 2, "row 2: bad: EOF", []string{"row 2: bad: EOF", "EOF"}},
		{"panic", boom, nil, CodePanic, 2, "row 2: bad", []string{"row 2: bad"}},
		{"panic, with an error", func(x float64) (float64, error) { return boom(x), nil }, nil, CodePanic, 2, "row 2: bad", []string{"row 2: bad"}},
		{"panic, reflected", func(x float64) celsius { return celsius(boom(x)) }, nil, CodePanic, 2, "row 2: bad", []string{"row 2: bad"}},
		{"panic of a loop", boom, []FuncOption{direct(boom)}, CodePanic, 2, "row 2: bad", []string{"row 2: bad"}},
		{"panic of a loop that does not know", boom, []FuncOption{Loop(func(int, []float64, []float64) { boom(2) })}, CodePanic, 0, "bad", []string{"bad"}},
		{"exit", exit, []FuncOption{Parallel()}, CodePanic, 2, "row 2: " + errGoexit.Error(), []string{"row 2: " + errGoexit.Error()}},
		{"exit, on one goroutine", exit, nil, CodePanic, 0, errGoexit.Error(), []string{errGoexit.Error()}},
		{"method that panics", func(x float64) (float64, error) {
			if x == 2 {
				return 0, panickingError{}
			}
			return x, nil
		}, nil, CodeHandler, 2, "row 2: an error of type rgoipc.panickingError without a text: its method panicked: inner", []string{"row 2: an error of type rgoipc.panickingError without a text: its method panicked: inner"}},
	}
	for _, tt := range tests {
		for _, parallel := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, parallel %v", tt.name, parallel), func(t *testing.T) {
				opts := tt.opts
				if parallel {
					if strings.HasPrefix(tt.name, "exit") {
						t.Skip("exit has tests for both")
					}
					opts = append(opts, Parallel())
				}
				registry := NewRegistry()
				if err := registry.Func("f", tt.fn, opts...); err != nil {
					t.Fatal(err)
				}
				r := newDispatcher(t.Context(), registry, limits{1, 0, 1, 1 << 30})
				reply, err := UnmarshalRPCMessage(respond(t, r, numbersCall(t, "f", false)))
				if err != nil {
					t.Fatal(err)
				}
				d := rowDetail(t, reply)
				if reply.ErrorMsg != tt.text || d.Code != tt.code || d.Row != tt.row || !reflect.DeepEqual(d.Chain, tt.chain) {
					t.Errorf("got %q, %+v", reply.ErrorMsg, d)
				}
				if tt.row > 0 && !reflect.DeepEqual(d.Value, map[string]any{"x": 2.0}) {
					t.Errorf("the values are %v", d.Value)
				}
			})
		}
	}
}

// The rows of later blocks, and of runs between NA, are counted from the start.
func TestFailedRowOfMany(t *testing.T) {
	const n = 3*blockRows + 7
	last := float64(n - 3)
	boom := func(x float64) float64 {
		if x == last {
			panic("bad")
		}
		return x
	}
	loop := Loop(func(n int, x, out []float64) {
		row := 0
		defer AtRow(&row)
		for row = range n {
			out[row] = boom(x[row])
		}
	})
	for name, opts := range map[string][]FuncOption{"typed": nil, "parallel": {Parallel()}, "loop": {loop}, "parallel loop": {loop, Parallel()}} {
		t.Run(name, func(t *testing.T) {
			_, err := typed(t, boom, opts...).Handler(long(t, n))
			if err == nil || err.Error() != fmt.Sprintf("row %d: bad", n-2) || CodeOf(err) != CodePanic {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Where an argument does not fit, R learns of it as well.
func TestWhereAnArgumentDoesNotFit(t *testing.T) {
	_, d := described(argumentError("x", codec.Column{}, &codec.Error{Row: 2, Value: "1.5"}))
	if d.Arg != "x" || d.Row != 3 || d.Value != "1.5" || d.Code != CodeInvalidArgument {
		t.Errorf("got %+v", d)
	}
	if _, d := described(argumentError("x", codec.Column{}, &codec.Error{Row: -1})); d.Arg != "x" || d.Row != 0 || d.Value != nil {
		t.Errorf("got %+v", d)
	}
}

func TestJSONValue(t *testing.T) {
	for _, tt := range []struct{ value, want any }{
		{1.5, 1.5},
		{int32(7), int64(7)},
		{true, true},
		{"a\x00", `a\x00`},
		{celsius(2), 2.0},
		{NewDate(2024, 2, 29), "2024-02-29"},
		{int64(1<<53 + 1), "9007199254740993"},
		{strings.Repeat("x", maxValue+1), strings.Repeat("x", maxValue) + "... (1 bytes more)"},
		{[]byte("a"), "[97]"},
		{panickingString{}, "%!v(PANIC=String method: inner)"},
	} {
		if got := jsonValue(tt.value); got != tt.want {
			t.Errorf("jsonValue(%v) = %v", tt.value, got)
		}
	}
}
