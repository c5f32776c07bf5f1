package rgoipc

import (
	"context"
	"encoding/json"
	"math"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
)

// contextRegistry has a function that tells on started that it runs, and
// returns when its context ends.
func contextRegistry(t *testing.T, started chan<- struct{}) *Registry {
	t.Helper()
	registry := NewRegistry()
	for name, fn := range map[string]any{
		"wait": func(ctx context.Context) error {
			started <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		},
		"root": func(x float64) float64 { return math.Sqrt(x) },
		"boom": func(x []float64) { panic("boom") },
	} {
		if err := registry.Func(name, fn); err != nil {
			t.Fatal(err)
		}
	}
	return registry
}

// respond returns the answer to a request.
func respond(t testing.TB, d *dispatcher, request []byte) (reply []byte) {
	t.Helper()
	connection, done := d.connect(), make(chan struct{})
	go func() { // which the request may end
		connection.Answer(request, func(bytes []byte) { reply = bytes; close(done) })
	}()
	<-done
	return reply
}

func codeOf(t *testing.T, reply *RPCMessage) Code {
	t.Helper()
	var detail struct{ Code Code }
	if reply.Type == MsgTypeError {
		if err := json.Unmarshal(reply.ArrowData, &detail); err != nil {
			t.Fatal(err)
		}
	}
	return detail.Code
}

func TestServeTypedFunctions(t *testing.T) {
	url, _ := serve(t, contextRegistry(t, nil))
	sock := dial(t, url)
	payload := func(rec arrow.RecordBatch) []byte {
		stream, err := WriteArrowRecord(rec)
		if err != nil {
			t.Fatal(err)
		}
		return stream
	}
	numbers := payload(columns(t, arg{float64s, `[4, null]`, "", ""}))
	reply := ask(t, sock, call("root", numbers))
	got, err := readRecord(nil, reply.ArrowData)
	if err != nil {
		t.Fatalf("%+v: %v", reply, err)
	}
	defer got.Release()
	if text := got.Column(0).String(); text != "[2 (null)]" {
		t.Errorf("got %s", text)
	}
	if reply := ask(t, sock, call("boom", payload(columns(t, arg{float64s, `[1]`, "", ""})))); codeOf(t, reply) != CodePanic {
		t.Errorf("got %+v", reply)
	}
	if reply := ask(t, sock, call("root", nil)); codeOf(t, reply) != CodeInvalidArgument {
		t.Errorf("got %+v", reply)
	}
}

func TestServeEndsAContextInTime(t *testing.T) {
	started := make(chan struct{}, 1)
	url, _ := serve(t, contextRegistry(t, started))
	message := &RPCMessage{Type: MsgTypeCall, FuncName: "wait", ErrorMsg: `{"timeout_ms": 1}`}
	reply := ask(t, dial(t, url), message.Marshal())
	if code := codeOf(t, reply); code != CodeTimeout {
		t.Errorf("got %+v", reply)
	}
}

func TestServeEndsContextsWhenItStops(t *testing.T) {
	started := make(chan struct{})
	url, stop := serve(t, contextRegistry(t, started))
	sock := dial(t, url)
	if err := sock.Send(call("wait", nil)); err != nil {
		t.Fatal(err)
	}
	<-started
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	if reply := answer(t, sock); codeOf(t, reply) != CodeCancelled {
		t.Errorf("got %+v", reply)
	}
	if err := sock.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-stopped; err != nil {
		t.Errorf("Serve() = %v", err)
	}
}
