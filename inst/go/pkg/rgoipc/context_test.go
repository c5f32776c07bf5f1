package rgoipc

import (
	"context"
	"testing"
	"time"
)

// The context of a call ends at its deadline, or with the call, whether its function
// waits for that or not.
func TestContext(t *testing.T) {
	for name, waits := range map[string]bool{"waits": true, "asks": false} {
		t.Run(name, func(t *testing.T) {
			for _, deadline := range []time.Time{{}, time.Now().Add(time.Hour)} {
				parent, stop := context.WithCancel(t.Context())
				ctx, cancel := (&callContext{Context: parent, deadline: deadline}).forFunction(waits)
				if got, ok := ctx.Deadline(); ok == deadline.IsZero() || !got.Equal(deadline) || ctx.Err() != nil {
					t.Errorf("deadline %v, %v; want %v", got, ctx.Err(), deadline)
				}
				stop()
				if ctx.Err() != context.Canceled {
					t.Errorf("the context outlives the call: %v", ctx.Err())
				}
				cancel()
			}
			ctx, cancel := (&callContext{Context: t.Context(), deadline: time.Now()}).forFunction(waits)
			defer cancel()
			if ctx.Err() != context.DeadlineExceeded {
				t.Errorf("got %v", ctx.Err())
			}
		})
	}
}

// A call that is cancelled before its function has the context, or after, is.
func TestContextIsCancelled(t *testing.T) {
	for _, waits := range []bool{false, true} {
		for _, before := range []bool{false, true} {
			call := &callContext{Context: t.Context(), deadline: time.Now().Add(time.Hour)}
			if before {
				call.cancel()
			}
			ctx, stop := call.forFunction(waits)
			if !before {
				if err := ctx.Err(); err != nil {
					t.Errorf("got %v", err)
				}
				call.cancel()
			}
			if waits {
				<-ctx.Done()
			}
			if ctx.Err() != context.Canceled || call.Err() != context.Canceled {
				t.Errorf("got %v, %v", ctx.Err(), call.Err())
			}
			stop()
		}
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
	reply, err := UnmarshalRPCMessage(respond(t, newDispatcher(t.Context(), registry, limits{1, 0, 8, 1 << 20}), request))
	if err != nil {
		t.Fatal(err)
	}
	if code := codeOf(t, reply); code != CodeTimeout {
		t.Errorf("got %+v", reply)
	}
}
