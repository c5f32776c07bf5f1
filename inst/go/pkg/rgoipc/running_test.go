package rgoipc

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

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

// A cancel never waits behind the calls that run. A call that waits for its turn can be
// cancelled, or run out of time.
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

// newTable returns a table and the one owner of its calls.
func newTable(t *testing.T, l limits) (*calls, *owner) {
	t.Helper()
	c := newCalls(t.Context(), l)
	return c, new(owner)
}

// begun begins a call that must get its turn at once.
func begun(t *testing.T, c *calls, o *owner, name string, m metadata) *pendingCall {
	t.Helper()
	k, err := c.begin(o, name, m, 10)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// waiting begins a call that must wait, and returns once it does. The channel receives the
// error of begin.
func waiting(t *testing.T, c *calls, o *owner, name string, m metadata) <-chan error {
	t.Helper()
	c.mu.Lock()
	before := c.queue.Len()
	c.mu.Unlock()
	done := make(chan error, 1)
	go func() {
		k, err := c.begin(o, name, m, 10)
		if err == nil {
			c.end(k)
		}
		done <- err
	}()
	for queued := before; queued == before; runtime.Gosched() {
		c.mu.Lock()
		queued = c.queue.Len()
		c.mu.Unlock()
	}
	return done
}

func checkEmpty(t *testing.T, c *calls) {
	t.Helper()
	if len(c.table)+len(c.running)+len(c.givenUp.calls)+c.queue.Len() != 0 || c.queued != 0 || c.givenUp.bytes != 0 || c.timer != nil {
		t.Errorf("something is left: %+v", c)
	}
}

// Of two calls with one id the last is cancelled, and the other one is not.
func TestCallsOfOneID(t *testing.T) {
	c, o := newTable(t, limits{2, 1, 8, 1000})
	first := begun(t, c, o, "f", metadata{id: "a"})
	second := begun(t, c, o, "f", metadata{id: "a"})
	c.cancel(o, "a")
	if first.ctx.Err() != nil || second.ctx.Err() != context.Canceled {
		t.Errorf("%v, %v", first.ctx.Err(), second.ctx.Err())
	}
	c.end(first)
	if !slices.Equal(c.table, []*pendingCall{second}) {
		t.Error("the second call is forgotten with the first")
	}
	c.end(second)
	if first.ctx.Err() != context.Canceled {
		t.Errorf("%v", first.ctx.Err())
	}
	checkEmpty(t, c)
}

// A cancel means a call of its own connection. Only if that has no call of the id, it means
// one of another connection, which may belong to the same process.
func TestCancelPrefersItsOwner(t *testing.T) {
	c, o := newTable(t, limits{4, 1, 8, 1000})
	other := new(owner)
	own := begun(t, c, o, "f", metadata{id: "a"})
	foreign := begun(t, c, other, "f", metadata{id: "a"})
	nameless := begun(t, c, other, "f", metadata{})
	c.cancel(o, "a")
	if own.ctx.Err() != context.Canceled || foreign.ctx.Err() != nil {
		t.Errorf("%v, %v", own.ctx.Err(), foreign.ctx.Err())
	}
	c.end(own)
	c.cancel(o, "a")
	c.cancel(other, "")
	if foreign.ctx.Err() != context.Canceled || nameless.ctx.Err() != nil {
		t.Errorf("%v, %v", foreign.ctx.Err(), nameless.ctx.Err())
	}
	c.end(foreign)
	c.end(nameless)
	checkEmpty(t, c)
}

// When a connection closes, its calls are given up, and no others.
func TestDisconnect(t *testing.T) {
	c, o := newTable(t, limits{2, 8, 8, 1000})
	leaving := new(owner)
	stays := begun(t, c, o, "stays", metadata{id: "a"})
	leaves := begun(t, c, leaving, "leaves", metadata{})
	waits := waiting(t, c, leaving, "leaves", metadata{id: "a"})
	c.disconnect(leaving)
	if err := <-waits; CodeOf(err) != CodeCancelled {
		t.Errorf("got %v", err)
	}
	if stays.ctx.Err() != nil || leaves.ctx.Err() != context.Canceled {
		t.Errorf("%v, %v", stays.ctx.Err(), leaves.ctx.Err())
	}
	if l := c.load(); l.Running["stays"] != 1 || len(l.Running) != 1 || l.GivenUp["leaves"] != 1 {
		t.Errorf("%+v", l)
	}
	// A request that was read before that is not called any more.
	if _, err := c.begin(leaving, "leaves", metadata{}, 10); CodeOf(err) != CodeCancelled {
		t.Errorf("got %v", err)
	}
	c.end(stays)
	c.end(leaves)
	checkEmpty(t, c)
}

// However a call is given up, the next one gets its turn.
func TestCallsPassTurnsOn(t *testing.T) {
	tests := []struct {
		name   string
		m      metadata
		giveUp func(c *calls, o *owner)
	}{
		{"cancelled", metadata{id: "a"}, func(c *calls, o *owner) { c.cancel(o, "a") }},
		{"out of time", metadata{limit: time.Millisecond}, func(*calls, *owner) {}},
		{"out of time, with an id", metadata{id: "a", limit: time.Millisecond}, func(*calls, *owner) {}},
		{"its caller is gone", metadata{limit: time.Hour}, func(c *calls, o *owner) { c.disconnect(o) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, o := newTable(t, limits{1, 2, 2, 1000})
			slow := begun(t, c, new(owner), "slow", tt.m)
			// It may be given up before the next one has come.
			next := make(chan error, 1)
			go func() {
				k, err := c.begin(o, "next", metadata{}, 10)
				if err == nil {
					c.end(k)
				}
				next <- err
			}()
			tt.giveUp(c, slow.owner)
			if err := <-next; err != nil {
				t.Error(err)
			}
			if l := c.load(); l.GivenUp["slow"] != 1 || len(l.Running) != 0 || l.MaxCalls != 1 {
				t.Errorf("%+v", l)
			}
			c.end(slow)
			checkEmpty(t, c)
		})
	}
}

func TestCallsAreRefused(t *testing.T) {
	t.Run("too many wait", func(t *testing.T) {
		c, o := newTable(t, limits{1, 1, 8, 1000})
		running := begun(t, c, o, "slow", metadata{})
		next := waiting(t, c, o, "f", metadata{})
		_, err := c.begin(o, "f", metadata{}, 10)
		if CodeOf(err) != CodeResourceExhausted || !strings.Contains(err.Error(), "1 calls (1 of `slow()`) run, and 1 wait for their turn (10 bytes; at most 1 calls, and 1000 bytes)") {
			t.Errorf("got %v", err)
		}
		c.end(running)
		if err := <-next; err != nil {
			t.Error(err)
		}
		checkEmpty(t, c)
	})
	t.Run("their requests are too large", func(t *testing.T) {
		c, o := newTable(t, limits{1, 8, 8, 15})
		running := begun(t, c, o, "slow", metadata{})
		next := waiting(t, c, o, "f", metadata{})
		if _, err := c.begin(o, "f", metadata{}, 10); CodeOf(err) != CodeResourceExhausted {
			t.Errorf("got %v", err)
		}
		c.end(running)
		if err := <-next; err != nil {
			t.Error(err)
		}
		checkEmpty(t, c)
	})
	t.Run("too many go on", func(t *testing.T) {
		c, o := newTable(t, limits{2, 8, 3, 1000})
		var slow []*pendingCall
		for range 3 {
			slow = append(slow, begun(t, c, o, "slow", metadata{id: "a"}))
			c.cancel(o, "a")
		}
		_, err := c.begin(o, "f", metadata{}, 10)
		if CodeOf(err) != CodeResourceExhausted || !strings.Contains(err.Error(), "3 calls (3 of `slow()`) go on after they were given up (30 bytes; at most 3 calls") {
			t.Errorf("got %v", err)
		}
		c.end(slow[0])
		c.end(begun(t, c, o, "f", metadata{}))
		c.end(slow[1])
		c.end(slow[2])
		checkEmpty(t, c)
	})
	t.Run("what goes on is too large", func(t *testing.T) {
		c, o := newTable(t, limits{2, 8, 30, 15})
		var slow []*pendingCall
		for range 2 {
			slow = append(slow, begun(t, c, o, "slow", metadata{id: "a"}))
			c.cancel(o, "a")
		}
		if _, err := c.begin(o, "f", metadata{}, 10); CodeOf(err) != CodeResourceExhausted {
			t.Errorf("got %v", err)
		}
		c.end(slow[0])
		c.end(slow[1])
		checkEmpty(t, c)
	})
}

// If too many calls go on already, further ones keep their turns when they are given up, and
// pass them on when one of the others has ended.
func TestCallsKeepTheirTurns(t *testing.T) {
	c, o := newTable(t, limits{1, 1, 1, 1000})
	first := begun(t, c, o, "slow", metadata{id: "a"})
	c.cancel(o, "a")
	second := &pendingCall{owner: o, name: "slow", ctx: callContext{Context: t.Context(), deadline: time.Now()}}
	c.running[second] = struct{}{}
	next := make(chan error, 1)
	queued := &pendingCall{owner: o, name: "f", ctx: callContext{Context: t.Context()}, turn: make(chan struct{})}
	c.mu.Lock()
	queued.place = c.queue.PushBack(queued)
	c.giveUp()
	c.mu.Unlock()
	go func() { next <- c.wait(queued) }()
	if l := c.load(); l.Running["slow"] != 1 || l.GivenUp["slow"] != 1 || c.timer != nil {
		t.Errorf("got %+v, timer %v", l, c.timer)
	}
	c.end(first)
	if err := <-next; err != nil {
		t.Error(err)
	}
	c.end(queued)
	c.end(second)
	checkEmpty(t, c)
}

// A call that is cancelled when its time is nearly over ends with a time-out.
func TestCancelAtTheDeadline(t *testing.T) {
	for _, left := range []time.Duration{cancelTime / 2, 0, -time.Hour} {
		c, o := newTable(t, limits{1, 1, 1, 1000})
		k := begun(t, c, o, "f", metadata{id: "a", limit: time.Hour})
		k.ctx.deadline = time.Now().Add(left)
		ctx, cancel := k.ctx.waitable()
		go func() {
			<-ctx.Done()
			c.end(k)
		}()
		c.cancel(o, "a")
		<-ctx.Done()
		if err := ctx.Err(); err != context.DeadlineExceeded {
			t.Errorf("%v before its end got %v", left, err)
		}
		cancel()
	}
}

// A call that runs out of time, is cancelled, or loses its connection while it waits never
// runs, and nothing is left of it.
func TestCallsEndWhileTheyWait(t *testing.T) {
	c, o := newTable(t, limits{1, 8, 8, 1000})
	leaving := new(owner)
	running := begun(t, c, o, "slow", metadata{})
	late := make(chan error, 1)
	go func() {
		_, err := c.begin(o, "f", metadata{limit: time.Millisecond}, 10)
		late <- err
	}()
	if err := <-late; CodeOf(err) != CodeTimeout || !strings.Contains(err.Error(), "1 calls (1 of `slow()`) ran") {
		t.Errorf("got %v", err)
	}
	cancelled := waiting(t, c, o, "f", metadata{id: "a"})
	left := waiting(t, c, leaving, "f", metadata{})
	c.cancel(o, "a")
	c.disconnect(leaving)
	for _, done := range []<-chan error{cancelled, left} {
		if err := <-done; CodeOf(err) != CodeCancelled {
			t.Errorf("got %v", err)
		}
	}
	c.end(running)
	checkEmpty(t, c)
}

// Calls get their turns in the order in which they came.
func TestCallsKeepTheirOrder(t *testing.T) {
	c, o := newTable(t, limits{1, 100, 8, 100000})
	running := begun(t, c, o, "slow", metadata{})
	var mu sync.Mutex
	var order []int
	var wg sync.WaitGroup
	for i := range 50 {
		queued := make(chan struct{})
		wg.Go(func() {
			k := &pendingCall{owner: o, name: "f", ctx: callContext{Context: t.Context()}}
			if err := c.add(k); err != nil {
				t.Error(err)
			}
			close(queued)
			<-k.turn
			mu.Lock()
			order = append(order, i)
			mu.Unlock()
			c.end(k)
		})
		<-queued
	}
	c.end(running)
	wg.Wait()
	if !slices.IsSorted(order) || len(order) != 50 {
		t.Errorf("the order is %v", order)
	}
	checkEmpty(t, c)
}

// Random calls, cancels and ends on many goroutines: the limits hold, and nothing is
// left at the end.
func TestCallsAtRandom(t *testing.T) {
	c := newCalls(t.Context(), limits{3, 5, 6, 1000})
	var wg sync.WaitGroup
	for worker := range 16 {
		random := rand.New(rand.NewPCG(1, uint64(worker)))
		wg.Go(func() {
			for range 200 {
				m := metadata{id: fmt.Sprint(random.IntN(20))}
				if random.IntN(4) == 0 {
					m.limit = time.Duration(1 + random.IntN(int(time.Millisecond)))
				}
				o := new(owner)
				k, err := c.begin(o, "f", m, random.IntN(300))
				switch random.IntN(4) {
				case 0:
					go c.cancel(o, m.id)
				case 1:
					c.disconnect(o)
				}
				c.mu.Lock()
				running, queued, givenUp := len(c.running), c.queue.Len(), len(c.givenUp.calls)
				c.mu.Unlock()
				if running > 3 || queued > 5 || givenUp > 6 {
					t.Errorf("%d run, %d wait, %d go on", running, queued, givenUp)
				}
				if err == nil {
					runtime.Gosched()
					c.end(k)
				}
				c.disconnect(o)
			}
		})
	}
	wg.Wait()
	checkEmpty(t, c)
}
