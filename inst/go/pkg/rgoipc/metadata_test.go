package rgoipc

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestMetadata(t *testing.T) {
	tests := []struct {
		metadata string
		id       string
		want     time.Duration // 0: no deadline
	}{
		{``, "", 0},
		{`{}`, "", 0},
		{`{"id": "abc"}`, "", 0},
		{`{"timeout_ms": 1500}`, "", 1500 * time.Millisecond},
		{`{"timeout_ms": 0.5, "id": 7}`, "", 500 * time.Microsecond},
		{`{"timeout_ms": 0}`, "", 0},
		{`{"timeout_ms": -1}`, "", 0},
		{`{"timeout_ms": 1e300}`, "", 0},
		{`{"timeout_ms": 1e999}`, "", 0},
		{`{"timeout_ms": "soon"}`, "", 0},
		{`{"timeout_ms": null}`, "", 0},
		{`{"timeout_ms": [1]}`, "", 0},
		{`{"timeout_ms": 5`, "", 0},
		{`{"call_id": "a1", "timeout_ms": 2}`, "a1", 2 * time.Millisecond},
		{`{"call_id": 7, "timeout_ms": 2}`, "", 2 * time.Millisecond},
		{`{"call_id": "a1", "timeout_ms": "soon"}`, "a1", 0},
		{`{"call_id": "a1"`, "", 0},
		{`[]`, "", 0},
		{`no JSON`, "", 0},
	}
	for _, tt := range tests {
		m := parseMetadata(tt.metadata)
		if m.id != tt.id {
			t.Errorf("%s: id %q, want %q", tt.metadata, m.id, tt.id)
		}
		if m.limit != tt.want {
			t.Errorf("%s: limit %v, want %v", tt.metadata, m.limit, tt.want)
		}
	}
}

// The context of a call ends at its deadline, or with the call, whether its function
// waits for that or not.
func TestFunctionContext(t *testing.T) {
	waits := &Function{typed: &typedFunc{context: true}}
	for name, f := range map[string]*Function{"waits": waits, "asks": {typed: &typedFunc{}}, "handler": {}} {
		t.Run(name, func(t *testing.T) {
			for _, deadline := range []time.Time{{}, time.Now().Add(time.Hour)} {
				parent, stop := context.WithCancel(t.Context())
				ctx, cancel := f.context(&pendingCall{ctx: parent, deadline: deadline})
				if got, ok := ctx.Deadline(); ok == deadline.IsZero() || !got.Equal(deadline) || ctx.Err() != nil {
					t.Errorf("deadline %v, %v; want %v", got, ctx.Err(), deadline)
				}
				stop()
				if ctx.Err() != context.Canceled {
					t.Errorf("the context outlives the call: %v", ctx.Err())
				}
				cancel()
			}
			ctx, cancel := f.context(&pendingCall{ctx: t.Context(), deadline: time.Now()})
			defer cancel()
			if ctx.Err() != context.DeadlineExceeded {
				t.Errorf("got %v", ctx.Err())
			}
		})
	}
}

// What is remembered is what would have been read.
func TestMetadataIsRemembered(t *testing.T) {
	var reader metadataReader
	long := `{"timeout_ms": 7, "id": "` + strings.Repeat("x", maxRemembered) + `"}`
	for _, metadata := range []string{"", `{"timeout_ms": 5}`, `{"timeout_ms": 5}`, long, `{"timeout_ms": 6}`, "", long, long} {
		if got, want := reader.read(metadata), parseMetadata(metadata); got != want {
			t.Errorf("%s: %+v, want %+v", metadata, got, want)
		}
	}
	if got := reader.last.Load().text; got == long {
		t.Error("long metadata is kept")
	}
}

// Who asks the context learns that its time is up, or that the server stops.
func TestUntil(t *testing.T) {
	server, stop := context.WithCancel(t.Context())
	defer stop()
	later := until{server, time.Now().Add(time.Hour)}
	if got, ok := later.Deadline(); later.Err() != nil || !ok || !got.Equal(later.deadline) {
		t.Errorf("%v, deadline %v", later.Err(), got)
	}
	if err := (until{server, time.Now().Add(-time.Hour)}).Err(); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want %v", err, context.DeadlineExceeded)
	}
	stop()
	if err := later.Err(); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
}

// An elementwise function that takes no context is stopped between its rows.
func TestRowsEndInTime(t *testing.T) {
	const limit = time.Millisecond
	var started time.Time
	registry := NewRegistry()
	err := registry.Func("wait", func(x float64) float64 {
		if started.IsZero() {
			started = time.Now()
		}
		for time.Since(started) < limit {
		}
		return x
	})
	if err != nil {
		t.Fatal(err)
	}
	stream, err := WriteArrowRecord(record(t, column{name: "x", values: make([]float64, blockRows+1)}))
	if err != nil {
		t.Fatal(err)
	}
	request := (&RPCMessage{Type: MsgTypeCall, FuncName: "wait", ErrorMsg: `{"timeout_ms": 1}`, ArrowData: stream}).Marshal()
	reply, err := UnmarshalRPCMessage(respond(t, newResponder(registry, limits{1, 0, 8, 1 << 20}), request))
	if err != nil {
		t.Fatal(err)
	}
	if code := codeOf(t, reply); code != CodeTimeout {
		t.Errorf("got %+v", reply)
	}
}
