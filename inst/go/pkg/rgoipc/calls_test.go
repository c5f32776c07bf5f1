package rgoipc

import (
	"context"
	"testing"

	"go.nanomsg.org/mangos/v3"
)

func cancelMessage(id string) []byte {
	return (&RPCMessage{Type: MsgTypeCancel, ErrorMsg: `{"call_id":"` + id + `"}`}).Marshal()
}

// begin sends a call that has an id, on a socket of its own.
func begin(t *testing.T, url, name, metadata string) mangos.Socket {
	t.Helper()
	sock := dial(t, url)
	if err := sock.Send((&RPCMessage{Type: MsgTypeCall, FuncName: name, ErrorMsg: metadata}).Marshal()); err != nil {
		t.Fatal(err)
	}
	return sock
}

func TestServeCancelsACall(t *testing.T) {
	started := make(chan struct{}, 2)
	url, _ := serve(t, contextRegistry(t, started))
	other := begin(t, url, "wait", `{"call_id":"b"}`)
	sock := begin(t, url, "wait", `{"call_id":"a","timeout_ms":600000}`)
	<-started
	<-started
	for _, id := range []string{"none", "", "a", "a"} {
		if reply := ask(t, dial(t, url), cancelMessage(id)); reply.Type != MsgTypeResult {
			t.Errorf("the reply to a cancel is %+v", reply)
		}
	}
	if reply := answer(t, sock); codeOf(t, reply) != CodeCancelled {
		t.Errorf("got %+v", reply)
	}
	ask(t, dial(t, url), cancelMessage("b"))
	if reply := answer(t, other); codeOf(t, reply) != CodeCancelled {
		t.Errorf("got %+v", reply)
	}
}

// A cancel is never stuck behind the calls that run, and one that waits for its
// turn can be cancelled, or runs out of time.
func TestServeCancelsWhileAllTurnsAreTaken(t *testing.T) {
	started := make(chan struct{}, 1)
	url, _ := serve(t, contextRegistry(t, started), WithMaxCalls(1))
	running := begin(t, url, "wait", `{"call_id":"a"}`)
	<-started
	late := begin(t, url, "wait", `{"timeout_ms":1}`)
	if reply := answer(t, late); codeOf(t, reply) != CodeTimeout {
		t.Errorf("got %+v", reply)
	}
	waiting := begin(t, url, "wait", `{"call_id":"b"}`)
	next := begin(t, url, "wait", `{"call_id":"c"}`)
	// The server may not have them yet: ask until it has.
	for _, w := range []struct {
		sock mangos.Socket
		id   string
	}{{waiting, "b"}, {running, "a"}} {
		done := make(chan []byte, 1)
		go func() {
			reply, _ := w.sock.Recv() // nil is no message
			done <- reply
		}()
		for answered := false; !answered; {
			ask(t, dial(t, url), cancelMessage(w.id))
			select {
			case bytes := <-done:
				answered = true
				reply, err := UnmarshalRPCMessage(bytes)
				if err != nil || codeOf(t, reply) != CodeCancelled {
					t.Errorf("%s: got %+v, %v", w.id, reply, err)
				}
			default:
			}
		}
	}
	<-started // the one that has waited
	ask(t, dial(t, url), cancelMessage("c"))
	if reply := answer(t, next); codeOf(t, reply) != CodeCancelled {
		t.Errorf("got %+v", reply)
	}
}

// Of two calls with one id the last can be cancelled, and its end is not that of
// the other one.
func TestCallsOfOneID(t *testing.T) {
	var c calls
	first, endFirst := c.begin(t.Context(), "a")
	second, endSecond := c.begin(t.Context(), "a")
	c.cancel("a")
	if first.Err() != nil || second.Err() != context.Canceled {
		t.Errorf("%v, %v", first.Err(), second.Err())
	}
	endFirst()
	if len(c.running) != 1 {
		t.Error("the second call is forgotten with the first")
	}
	endSecond()
	if len(c.running) != 0 || first.Err() != context.Canceled {
		t.Errorf("%d calls are kept, %v", len(c.running), first.Err())
	}
}
