package rgoipc

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"mangoro.local/internal/object"
)

type shelf struct{ books []string }

func (s *shelf) Add(books ...string) *shelf {
	s.books = append(s.books, books...)
	return s
}

func (s *shelf) Has(book string) bool            { return len(s.books) > 0 && s.books[0] == book }
func (s *shelf) Fail() (*shelf, error)           { return s, errors.New("no") }
func (s *shelf) Wait(ctx context.Context) *shelf { <-ctx.Done(); return s }
func (s *shelf) Chan(chan int)                   {}
func (s *shelf) Box() *box[int]                  { return &box[int]{7} }
func (s *shelf) MarshalJSON() ([]byte, error)    { return nil, nil }
func (s *shelf) Panic() *shelf                   { panic("oh") }
func newShelf() *shelf                           { return new(shelf) }
func same(s *shelf) *shelf                       { return s }
func first(all []*shelf) *shelf                  { return all[0] }

type box[T any] struct{ value T }

func (b *box[T]) Get() T { return b.value }

// objectServer is a connection to a server of shelves.
type objectServer struct {
	t *testing.T
	d *dispatcher
	c *connection
}

func newObjectServer(t *testing.T) *objectServer {
	t.Helper()
	r := NewRegistry()
	err := errors.Join(
		r.Func("NewShelf", newShelf), r.Func("Same", same, Args("s")), r.Func("First", first, Args("all")),
		r.Object((*shelf)(nil), Describe("Books stand there.")),
		r.Method("Holds", (*shelf).Has, Args("book"), Describe("looks"), Bind(func(s *shelf) any { return s.Has })),
	)
	if err != nil {
		t.Fatal(err)
	}
	d := newDispatcher(t.Context(), r, limits{running: 4, waiting: 4, givenUp: 4, bytes: 1 << 20})
	return &objectServer{t, d, d.connect().(*connection)}
}

// call calls a function or method with one argument, or none, and returns its reply.
func (s *objectServer) call(name, of string, arg arrow.Array) *RPCMessage {
	s.t.Helper()
	var fields []arrow.Field
	var columns []arrow.Array
	rows := int64(1)
	if arg != nil {
		fn, ok := s.d.registry.Get(name)
		if of != "" {
			fn, ok = s.d.registry.getMethod(name)
		}
		if !ok {
			s.t.Fatalf("there is no %s", name)
		}
		fields, columns = append(fields, arrow.Field{Name: fn.Signature.Args[0].Name, Type: arg.DataType(), Nullable: true}), append(columns, arg)
		rows = int64(arg.Len())
	}
	payload, err := WriteArrowRecord(array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, rows))
	if err != nil {
		s.t.Fatal(err)
	}
	metadata := `{"call_id":"1"}`
	if of != "" {
		metadata = `{"call_id":"1","object":"` + of + `"}`
	}
	return s.send(&RPCMessage{Type: MsgTypeCall, FuncName: name, ErrorMsg: metadata, ArrowData: payload})
}

func (s *objectServer) send(m *RPCMessage) (reply *RPCMessage) {
	s.t.Helper()
	s.c.Answer(m.Marshal(), func(bytes []byte) {
		var err error
		if reply, err = UnmarshalRPCMessage(bytes); err != nil {
			s.t.Error(err)
		}
	})
	return reply
}

// id returns the id of the object in a reply.
func (s *objectServer) id(reply *RPCMessage) string {
	s.t.Helper()
	if reply.Type != MsgTypeResult {
		s.t.Fatalf("the reply is of type %d: %s", reply.Type, reply.ErrorMsg)
	}
	rec, err := readRecord(nil, reply.ArrowData)
	if err != nil {
		s.t.Fatal(err)
	}
	return rec.Column(0).(*array.String).Value(0)
}

func (s *objectServer) release(id string, received uint32) {
	s.t.Helper()
	parsed, _ := object.ParseID(id)
	reply := s.send(&RPCMessage{Type: MsgTypeRelease, ArrowData: binary.LittleEndian.AppendUint32(parsed[:], received)})
	if reply.Type != MsgTypeResult || len(reply.ArrowData) > 0 {
		s.t.Errorf("the reply to a release is of type %d: %s", reply.Type, reply.ErrorMsg)
	}
}

func (s *objectServer) refused(reply *RPCMessage, want string) {
	s.t.Helper()
	if reply.Type != MsgTypeError || !strings.Contains(reply.ErrorMsg, want) {
		s.t.Errorf("the reply is of type %d: %q, want %q", reply.Type, reply.ErrorMsg, want)
	}
}

func ids(values ...string) arrow.Array {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	b.AppendValues(values, nil)
	return b.NewArray()
}

// The manifest has functions as before, and objects only in its metadata.
func TestObjectManifest(t *testing.T) {
	s := newObjectServer(t)
	reply := s.send(&RPCMessage{Type: MsgTypeManifest})
	if strings.Contains(string(reply.ArrowData), "Holds") {
		t.Errorf("the manifest has methods: %s", reply.ArrowData)
	}
	var m struct {
		Objects map[string]objectClass `json:"objects"`
		LeftOut []leftOut              `json:"left_out"`
	}
	if err := json.Unmarshal([]byte(reply.ErrorMsg), &m); err != nil {
		t.Fatal(err)
	}
	class := m.Objects["rgoipc.shelf"]
	if class.Doc != "Books stand there." || !class.Methods["Holds"].Vectorized || class.Methods["Holds"].Metadata["description"] != "looks" {
		t.Errorf("the class is %+v", class)
	}
	for _, name := range []string{"Add", "Fail", "Wait", "Box"} {
		if _, ok := class.Methods[name]; !ok {
			t.Errorf("there is no method %s", name)
		}
	}
	for _, name := range []string{"Has", "Chan", "MarshalJSON"} {
		if _, ok := class.Methods[name]; ok {
			t.Errorf("there is a method %s", name)
		}
	}
	if _, ok := m.Objects["rgoipc.box[int]"].Methods["Get"]; !ok {
		t.Errorf("the objects that a method returns have no methods: %v", m.Objects)
	}
	if len(m.LeftOut) != 1 || m.LeftOut[0].Name != "rgoipc.shelf.Chan" {
		t.Errorf("left out are %v", m.LeftOut)
	}
}

func TestObjectCalls(t *testing.T) {
	s := newObjectServer(t)
	id := s.id(s.call("NewShelf", "", nil))
	if got := s.id(s.call("Same", "", ids(id))); got != id {
		t.Errorf("the same object is %q, not %q", got, id)
	}
	if got := s.id(s.call("rgoipc.shelf.Add", id, nil)); got != id {
		t.Errorf("the object of a method is %q, not %q", got, id)
	}
	if reply := s.call("rgoipc.shelf.Holds", id, ids("a", "b")); reply.Type != MsgTypeResult {
		t.Errorf("an elementwise method fails: %s", reply.ErrorMsg)
	}
	other := s.id(s.call("rgoipc.shelf.Box", id, nil))

	s.refused(s.call("rgoipc.shelf.Fail", id, nil), "no")
	s.refused(s.call("rgoipc.shelf.Panic", id, nil), "oh")
	s.refused(s.call("rgoipc.shelf.Add", other, nil), "has no method")
	s.refused(s.call("rgoipc.shelf.Add", "", nil), "there is no function")
	s.refused(s.call("NewShelf", id, nil), "there is no function")
	s.refused(s.call("rgoipc.shelf.Add", "00", nil), "not there any more")
	s.refused(s.call("Same", "", ids(other)), "must be a *rgoipc.shelf, but it is a *rgoipc.box[int]")
	s.refused(s.call("Same", "", ids("abc")), "still there")

	// It was received three times; what failed counts for nothing.
	s.release(id, 2)
	s.release(other, 1)
	if n := s.d.objects.Count(); n != 1 {
		t.Errorf("there are %d objects", n)
	}
	s.release(id, 1)
	if n := s.d.objects.Count(); n != 0 {
		t.Errorf("there are %d objects", n)
	}
	s.refused(s.call("rgoipc.shelf.Add", id, nil), "not there any more")
	s.refused(s.send(&RPCMessage{Type: MsgTypeRelease, ArrowData: make([]byte, 19)}), "not 20 for each object")
}

// Nobody else finds the objects of a connection, and all go with it.
func TestObjectsOfConnections(t *testing.T) {
	s := newObjectServer(t)
	other := &objectServer{t, s.d, s.d.connect().(*connection)}
	id := s.id(s.call("NewShelf", "", nil))
	other.refused(other.call("rgoipc.shelf.Add", id, nil), "not there any more")
	other.refused(other.call("Same", "", ids(id)), "still there")
	other.release(id, 1)
	if got := s.id(s.call("Same", "", ids(id))); got != id || s.d.objects.Count() != 1 {
		t.Error("another connection has released it")
	}
	s.c.Gone()
	if n := s.d.objects.Count(); n != 0 {
		t.Errorf("%d objects are left", n)
	}
}

// The result of a call that was given up is taken back.
func TestObjectsOfCallsGivenUp(t *testing.T) {
	s := newObjectServer(t)
	id := s.id(s.call("NewShelf", "", nil))
	var wg sync.WaitGroup
	wg.Go(func() { s.call("rgoipc.shelf.Wait", id, nil) })
	for len(s.d.calls.load().Running) == 0 {
		runtime.Gosched()
	}
	s.release(id, 1) // the call still uses it
	if n := s.d.objects.Count(); n != 1 {
		t.Errorf("there are %d objects", n)
	}
	s.send(&RPCMessage{Type: MsgTypeCancel, ErrorMsg: `{"call_id":"1"}`})
	wg.Wait()
	if n := s.d.objects.Count(); n != 0 {
		t.Errorf("%d objects are left", n)
	}
}

func TestRefusedMethods(t *testing.T) {
	r := NewRegistry()
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"no method", r.Method("F", newShelf), "not a method of objects"},
		{"no function", r.Method("F", 1), "not a method of objects"},
		{"a function", r.Method("F", same), "no such method"},
		{"a channel", r.Method("Chan", (*shelf).Chan), "R cannot send"},
		{"another Bind", r.Method("F", (*shelf).Has, Bind(func() any { return nil })), "its Bind must be a func(*rgoipc.shelf) interface {}"},
		{"names", r.Method("F", (*shelf).Has, Args("a", "b")), "2 names"},
		{"no object", r.Object(1), "no type of objects"},
		{"twice", errors.Join(r.Method("Has", (*shelf).Has), r.Method("Has", (*shelf).Has)), "registered already"},
	} {
		if tt.err == nil || !strings.Contains(tt.err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, tt.err, tt.want)
		}
	}
}
