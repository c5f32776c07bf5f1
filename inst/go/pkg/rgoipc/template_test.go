package rgoipc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// templateRegistry has functions whose calls can be repeated by a template.
func templateRegistry(t testing.TB) *Registry {
	t.Helper()
	registry := NewRegistry()
	for name, fn := range map[string]any{
		"add":    func(x, y float64) float64 { return x + y },
		"root":   func(x float64) float64 { return math.Sqrt(x) }, // NaN below 0
		"same":   func(x float64) float64 { return x },
		"ints":   func(x, y int32) int32 { return x + y },
		"longs":  func(x, y int64) int64 { return x * y },
		"int":    func(x int) int { return -x },
		"half":   func(x int32) float64 { return float64(x) / 2 },
		"mixed":  func(x float64, y int32) float64 { return x * float64(y) },
		"ctx":    func(_ context.Context, x float64) float64 { return 2 * x },
		"failed": func(x float64) (float64, error) { return x, failureOf(x) },
		"panics": func(x float64) float64 {
			if x < 0 {
				panic(fmt.Sprint("of ", x))
			}
			return x
		},
		"exits": func(x float64) float64 {
			if x < 0 {
				runtime.Goexit()
			}
			return x
		},
	} {
		for _, opts := range [][]FuncOption{nil, {Parallel()}} {
			if err := registry.Func(name+strings.Repeat("2", len(opts)), fn, opts...); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := registry.Func("loop", func(x, y float64) float64 { return x + y }, Loop(loopAdd)); err != nil {
		t.Fatal(err)
	}
	return registry
}

func failureOf(x float64) error {
	if x < 0 {
		return errors.New("below 0")
	}
	return nil
}

// templateCall returns a call of a function with these columns.
func templateCall(t testing.TB, name, metadata string, columns ...arrow.Array) []byte {
	t.Helper()
	var fields []arrow.Field
	for i, c := range columns {
		fields = append(fields, arrow.Field{Name: []string{"x", "y"}[i], Type: c.DataType(), Nullable: true})
	}
	stream, err := WriteArrowRecord(array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, int64(columns[0].Len())))
	if err != nil {
		t.Fatal(err)
	}
	return (&RPCMessage{Type: MsgTypeCall, FuncName: name, ErrorMsg: metadata, ArrowData: stream}).Marshal()
}

func float64Column(n int, from float64) arrow.Array {
	values := make([]float64, n)
	for i := range values {
		values[i] = from + float64(i)
	}
	return fixedWidth(float64s, values, nil)
}

func intColumn[T int32 | int64](n int, from T) arrow.Array {
	values := make([]T, n)
	for i := range values {
		values[i] = from + T(i)
	}
	if _, ok := any(from).(int32); ok {
		return fixedWidth(int32s, values, nil)
	}
	return fixedWidth(int64s, values, nil)
}

// templateServer answers requests on one connection, which remembers calls, and on a new one
// for each, which does not.
type templateServer struct {
	t testing.TB
	*dispatcher
	remembers *connection
}

func newTemplateServer(t testing.TB) *templateServer {
	d := newDispatcher(context.Background(), templateRegistry(t), limits{64, 64, 64, 1 << 30})
	return &templateServer{t, d, d.connect().(*connection)}
}

// on returns the answer of a connection, whose goroutine the request may end.
func (s *templateServer) on(c *connection, request []byte) (reply []byte) {
	done := make(chan struct{})
	go func() {
		c.Answer(request, func(bytes []byte) { reply = bytes; close(done) })
	}()
	<-done
	return reply
}

// check answers a request with a template or not, as is expected, and compares the reply
// with the ordinary one.
func (s *templateServer) check(what string, request []byte, templated bool) {
	s.t.Helper()
	if t := s.remembers.last.take(request); (t != nil) != templated {
		s.t.Errorf("%s: a template is found: %v", what, t != nil)
	} else if t != nil {
		s.remembers.last.put(t)
	}
	got := s.on(s.remembers, request)
	want := s.on(s.connect().(*connection), request)
	if a, b := withoutStack(got), withoutStack(want); !bytes.Equal(a, b) {
		s.t.Errorf("%s: got\n%q, want\n%q", what, a, b)
	}
}

// withoutStack returns a reply without what is not the same in two calls.
func withoutStack(reply []byte) []byte {
	m, err := UnmarshalRPCMessage(reply)
	if err != nil || m.Type != MsgTypeError {
		return reply
	}
	var detail map[string]any
	if json.Unmarshal(m.ArrowData, &detail) == nil {
		delete(detail, "stack")
		delete(detail, "trace")
		m.ArrowData, _ = json.Marshal(detail)
	}
	return m.Marshal()
}

func TestTemplate(t *testing.T) {
	type columns = []arrow.Array
	for name, args := range map[string]func(n int, from int) columns{
		"add":    func(n, from int) columns { return columns{float64Column(n, float64(from)), float64Column(n, 0.5)} },
		"loop":   func(n, from int) columns { return columns{float64Column(n, float64(from)), float64Column(n, 0.5)} },
		"ints":   func(n, from int) columns { return columns{intColumn(n, int32(from)), intColumn(n, int32(7))} },
		"longs":  func(n, from int) columns { return columns{intColumn(n, int64(from)), intColumn(n, int64(1)<<40)} },
		"int":    func(n, from int) columns { return columns{intColumn(n, int64(from))} },
		"half":   func(n, from int) columns { return columns{intColumn(n, int32(from))} },
		"mixed":  func(n, from int) columns { return columns{float64Column(n, 0.5), intColumn(n, int32(from))} },
		"ctx":    func(n, from int) columns { return columns{float64Column(n, float64(from))} },
		"root":   func(n, from int) columns { return columns{float64Column(n, float64(from))} },
		"failed": func(n, from int) columns { return columns{float64Column(n, float64(from))} },
		"panics": func(n, from int) columns { return columns{float64Column(n, float64(from))} },
		"exits":  func(n, from int) columns { return columns{float64Column(n, float64(from))} },
	} {
		for _, parallel := range []string{"", "2"} {
			if name == "loop" && parallel != "" {
				continue
			}
			for _, rows := range []int{1, 2, 1000} {
				s, f := newTemplateServer(t), name+parallel
				what := fmt.Sprint(f, " of ", rows)
				request := func(from int) []byte { return templateCall(t, f, "", args(rows, from)...) }
				s.check(what, request(1), false)
				s.check(what, request(2), false)
				for _, from := range []int{3, 3, 0, -1, -rows, 4} { // below 0 some fail
					s.check(fmt.Sprint(what, " from ", from), request(from), true)
				}
				timed := templateCall(t, f, `{"timeout_ms":60000}`, args(rows, 5)...)
				s.check(what+" with other metadata", timed, false)
				s.check(what+" with other metadata again", timed, false)
				s.check(what+" with this metadata", timed, true)
				s.check(what+" with the first metadata", request(6), false)
			}
		}
	}
}

// NaN and NA come from the function, or as values of arguments, or as nulls.
func TestTemplateWithNA(t *testing.T) {
	na := math.Float64frombits(0x7FF00000000007A2)
	s := newTemplateServer(t)
	request := func(values []float64, valid []bool) []byte {
		return templateCall(t, "same", "", fixedWidth(float64s, values, valid))
	}
	plain := request([]float64{1, 2}, nil)
	s.check("first", plain, false)
	s.check("second", plain, false)
	for _, values := range [][]float64{{math.NaN(), 1}, {1, na}, {na, na}, {math.Inf(1), math.Inf(-1)}, {1, 2}} {
		s.check(fmt.Sprint(values), request(values, nil), true)
	}
	withNull := request([]float64{1, 2}, []bool{true, false})
	s.check("null", withNull, false)
	s.check("null again", withNull, false)
	s.check("null, which is no template", withNull, false)
	s.check("plain", plain, true)
	nothing := request(nil, nil)
	for range 3 {
		s.check("no rows", nothing, false)
	}
}

// One connection calls several functions with ever other numbers of rows.
func TestTemplatesInTurns(t *testing.T) {
	s := newTemplateServer(t)
	add := func(n int) []byte { return templateCall(t, "add", "", float64Column(n, 1), float64Column(n, 2)) }
	half := func(n int) []byte { return templateCall(t, "half", "", intColumn(n, int32(3))) }
	for i := range 4 {
		s.check("add", add(2), i > 1)
		s.check("half", half(2), i > 1)
	}
	for i := range 4 {
		s.check("add of others", add(i+10), false)
		s.check("add", add(2), true)
	}
	for range 2 {
		s.check("add of 20", add(20), false)
	}
	s.check("add of 20", add(20), true)
	s.check("add of 2", add(2), false)
	wide := templateCall(t, "add", "", intColumn(2, int32(1)), float64Column(2, 1)) // converted
	for range 3 {
		s.check("int32 for float64", wide, false)
	}
	large := add(maxTemplate)
	for range 3 {
		s.check("large", large, false)
	}
	if s.remembers.last.known["add"].template.request == nil || len(s.remembers.last.known) != 2 {
		t.Error("the templates are gone")
	}
}

// A template is used by one call at a time.
func TestTemplateInParallel(t *testing.T) {
	s := newTemplateServer(t)
	var wg sync.WaitGroup
	for k := range 8 {
		wg.Go(func() {
			for i := range 200 {
				request := templateCall(t, "add", "", float64Column(3, float64(k)), float64Column(3, float64(i)))
				want := s.on(s.connect().(*connection), request)
				if got := s.on(s.remembers, request); !bytes.Equal(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
			}
		})
	}
	wg.Wait()
}

// Another byte is only taken for a value where a value lies.
func TestTemplateTakesNoOtherBytes(t *testing.T) {
	s := newTemplateServer(t)
	request := templateCall(t, "mixed", `{"timeout_ms":60000}`, float64Column(3, 1), intColumn(3, int32(2)))
	for range 2 {
		s.on(s.remembers, request)
	}
	template := s.remembers.last.take(request)
	if template == nil {
		t.Fatal("there is no template")
	}
	s.remembers.last.put(template)
	values := make([]bool, len(request))
	n := 0
	for _, slot := range template.arguments {
		for i := range slot.memory {
			values[slot.at+i] = true
			n++
		}
	}
	if n != 3*8+3*4 {
		t.Fatalf("%d bytes of values", n)
	}
	for i := range request {
		for _, bit := range []byte{1, 1 << 7} {
			other := bytes.Clone(request)
			other[i] ^= bit
			if values[i] {
				s.check(fmt.Sprint("value at ", i), other, true)
			} else if got := s.remembers.last.take(other); got != nil {
				t.Fatalf("byte %d is not that of a value", i)
			}
		}
	}
	for _, other := range [][]byte{nil, request[:len(request)-1], append(bytes.Clone(request), 0), request[:headerLen]} {
		if s.remembers.last.take(other) != nil {
			t.Errorf("%d bytes are like %d", len(other), len(request))
		}
	}
}

// Calls that a template answers wait for their turn, and end with their time, as others do.
func TestTemplateWaitsForItsTurn(t *testing.T) {
	registry := templateRegistry(t)
	d := newDispatcher(t.Context(), registry, limits{1, 0, 1, 1 << 30})
	c := d.connect().(*connection)
	s := &templateServer{t, d, c}
	request := templateCall(t, "add", "", float64Column(1, 1), float64Column(1, 2))
	for range 2 {
		s.check("free", request, false)
	}
	s.check("free", request, true)
	call, err := d.calls.begin(c.owner, "other", metadata{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	s.check("busy", request, true) // an error
	if reply, err := UnmarshalRPCMessage(s.on(c, request)); err != nil || codeOf(t, reply) != CodeResourceExhausted {
		t.Errorf("got %+v, %v", reply, err)
	}
	d.calls.end(call)
	s.check("free again", request, true)
	c.Gone()
	if reply, err := UnmarshalRPCMessage(s.on(c, request)); err != nil || codeOf(t, reply) != CodeCancelled {
		t.Errorf("got %+v, %v", reply, err)
	}
}

// Only so many functions of a connection have a template.
func TestTemplatesAreLimited(t *testing.T) {
	registry := NewRegistry()
	c := newDispatcher(t.Context(), registry, limits{1, 0, 1, 1 << 30}).connect().(*connection)
	for i := range 2 * maxTemplates {
		name := fmt.Sprint("f", i)
		if err := registry.Func(name, func(x float64) float64 { return x }); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			c.Answer(templateCall(t, name, "", float64Column(1, 1)), func([]byte) {})
		}
		if c.last.known[name].template == nil {
			t.Fatalf("%s has no template", name)
		}
	}
	if len(c.last.known) != maxTemplates {
		t.Errorf("%d templates", len(c.last.known))
	}
}
