package rgoipc

import (
	"context"
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
)

func TestCallContext(t *testing.T) {
	tests := []struct {
		metadata string
		want     time.Duration // 0: no deadline
	}{
		{``, 0},
		{`{}`, 0},
		{`{"id": "abc"}`, 0},
		{`{"timeout_ms": 1500}`, 1500 * time.Millisecond},
		{`{"timeout_ms": 0.5, "id": 7}`, 500 * time.Microsecond},
		{`{"timeout_ms": 0}`, 0},
		{`{"timeout_ms": -1}`, 0},
		{`{"timeout_ms": 1e300}`, 0},
		{`{"timeout_ms": 1e999}`, 0},
		{`{"timeout_ms": "soon"}`, 0},
		{`{"timeout_ms": null}`, 0},
		{`{"timeout_ms": [1]}`, 0},
		{`{"timeout_ms": 5`, 0},
		{`[]`, 0},
		{`no JSON`, 0},
	}
	for _, tt := range tests {
		before := time.Now()
		ctx, cancel := callContext(t.Context(), tt.metadata)
		deadline, ok := ctx.Deadline()
		if ok != (tt.want > 0) {
			t.Errorf("%s: deadline %v, %v", tt.metadata, deadline, ok)
		}
		if ok && (deadline.Before(before.Add(tt.want)) || deadline.After(time.Now().Add(tt.want))) {
			t.Errorf("%s: deadline after %v, want %v", tt.metadata, deadline.Sub(before), tt.want)
		}
		cancel()
		if ctx.Err() == nil {
			t.Errorf("%s: the context outlives the call", tt.metadata)
		}
	}
}

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
