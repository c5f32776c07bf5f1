package rgoipc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"mangoro.local/internal/segment"
)

// fakeClock is the time of exchanges, which goes on when it is told to.
type fakeClock struct {
	mu     sync.Mutex
	time   time.Time
	timers []*fakeTimer
}

type fakeTimer struct {
	clock *fakeClock
	at    time.Time
	f     func()
}

func (f *fakeTimer) Stop() bool {
	f.clock.mu.Lock()
	defer f.clock.mu.Unlock()
	f.f = nil
	return true
}

func (c *fakeClock) clock() clock {
	return clock{
		now: func() time.Time {
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.time
		},
		after: func(d time.Duration, f func()) stopper {
			c.mu.Lock()
			defer c.mu.Unlock()
			timer := &fakeTimer{c, c.time.Add(d), f}
			c.timers = append(c.timers, timer)
			return timer
		},
	}
}

// advance lets time go on, and runs the timers whose time has come.
func (c *fakeClock) advance(d time.Duration) {
	c.mu.Lock()
	c.time = c.time.Add(d)
	var due []func()
	later := c.timers[:0]
	for _, timer := range c.timers {
		switch {
		case timer.f == nil:
		case timer.at.After(c.time):
			later = append(later, timer)
		default:
			due = append(due, timer.f)
		}
	}
	c.timers = later
	c.mu.Unlock()
	for _, f := range due {
		f()
	}
}

// rPeer is R's end of a connection: it sends a request, and gets the replies to those that
// are answered.
type rPeer interface {
	send(request []byte)
	receive() *RPCMessage
	connection() *connection
}

// socketPeer is R's end of a connection without a lane.
type socketPeer struct {
	t       *testing.T
	c       *connection
	replies chan []byte
}

func newSocketPeer(t *testing.T, d *dispatcher) rPeer {
	t.Helper()
	return &socketPeer{t, d.connect().(*connection), make(chan []byte, 100)}
}

func (p *socketPeer) send(request []byte) {
	go p.c.Answer(request, func(reply []byte) { p.replies <- reply })
}

func (p *socketPeer) receive() *RPCMessage {
	p.t.Helper()
	select {
	case bytes := <-p.replies:
		return envelopeOf(p.t, bytes)
	case <-time.After(patience):
		p.t.Fatal("there is no reply")
		return nil
	}
}

func (p *socketPeer) connection() *connection { return p.c }

func envelopeOf(t *testing.T, bytes []byte) *RPCMessage {
	t.Helper()
	message, err := UnmarshalRPCMessage(bytes)
	if err != nil {
		t.Fatal(err)
	}
	return message
}

// eventually waits until something is so.
func eventually(t *testing.T, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("it never is so")
		}
	}
}

// step is what the function of a test does next. It returns true if it is the last one.
type step func(ctx context.Context) (last bool, result string, err error)

// stage is a call that lives, what its function does, and R's end of it.
type stage struct {
	rPeer
	t     *testing.T
	d     *dispatcher
	clock *fakeClock
	steps chan step
	ended chan struct{} // closed when the function has ended
	stop  context.CancelFunc
	lane  bool
}

func newStage(t *testing.T, newPeer func(*testing.T, *dispatcher) rPeer, metadata string) *stage {
	t.Helper()
	s := &stage{t: t, clock: &fakeClock{time: time.Now()}, steps: make(chan step), ended: make(chan struct{})}
	registry := NewRegistry()
	err := errors.Join(
		registry.Func("drive", func(ctx context.Context) (string, error) {
			defer close(s.ended)
			for step := range s.steps {
				if last, result, err := step(ctx); last || err != nil {
					return result, err
				}
			}
			return "", nil
		}),
		registry.Func("other", func() int { return 1 }),
	)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	s.stop = stop
	s.d = newDispatcher(ctx, registry, limits{running: 1, waiting: 10, givenUp: 10, bytes: 1 << 20})
	s.d.clock = s.clock.clock()
	s.rPeer = newPeer(t, s.d)
	_, socket := s.rPeer.(*socketPeer)
	s.lane = !socket
	s.send((&RPCMessage{Type: MsgTypeCall, FuncName: "drive", ErrorMsg: metadata}).Marshal())
	t.Cleanup(func() {
		stop()
		<-s.ended
		eventually(t, func() bool {
			s.d.calls.mu.Lock()
			defer s.d.calls.mu.Unlock()
			return len(s.d.calls.table) == 0
		})
		s.d.calls.mu.Lock()
		defer s.d.calls.mu.Unlock()
		checkEmpty(t, s.d.calls)
		if n := s.connection().owner.paused; n != 0 {
			t.Errorf("%d calls wait for R", n)
		}
	})
	return s
}

const living = `{"call_id":"a","lives":1}`

// do has the function do something, and returns when it has begun.
func (s *stage) do(f func(ctx context.Context)) {
	s.t.Helper()
	s.step(func(ctx context.Context) (bool, string, error) {
		f(ctx)
		return false, "", nil
	})
}

func (s *stage) step(f step) {
	s.t.Helper()
	select {
	case s.steps <- f:
	case <-s.ended:
		s.t.Fatal("the function has ended")
	case <-time.After(patience):
		s.t.Fatal("the function does not go on")
	}
}

func (s *stage) finish() {
	s.t.Helper()
	s.step(func(context.Context) (bool, string, error) { return true, "done", nil })
}

func (s *stage) fails(err error) {
	s.t.Helper()
	s.step(func(context.Context) (bool, string, error) { return true, "", err })
}

// untilCancelled has the function return once its context has ended.
func (s *stage) untilCancelled() {
	s.t.Helper()
	s.step(func(ctx context.Context) (bool, string, error) {
		<-ctx.Done()
		return true, "", ctx.Err()
	})
}

func (s *stage) progress(done int64) {
	s.t.Helper()
	s.do(func(ctx context.Context) { Progress(ctx, done, 10, "rows") })
}

// asked is what a question was answered.
type asked struct {
	answer *rAnswer
	err    error
}

// asks has the function ask, and returns where the answer will be.
func (s *stage) asks(target int, payload string) <-chan asked {
	s.t.Helper()
	out := make(chan asked, 1)
	s.do(func(ctx context.Context) {
		a, err := exchangeOf(ctx).ask(target, []byte(payload))
		out <- asked{a, err}
	})
	return out
}

// goesOn sends a request that goes on with the call.
func (s *stage) goesOn(payload string) { s.goesOnWith(`{"call_id":"a"}`, payload) }

func (s *stage) goesOnWith(metadata, payload string) {
	s.send((&RPCMessage{Type: MsgTypeContinue, FuncName: "drive", ErrorMsg: metadata, ArrowData: []byte(payload)}).Marshal())
}

// expect receives a reply of a type, with these events.
func (s *stage) expect(messageType uint8, events ...string) *RPCMessage {
	s.t.Helper()
	reply := s.receive()
	if reply.Type != messageType {
		s.t.Fatalf("got type %d, %s, %s; want type %d", reply.Type, reply.ErrorMsg, reply.ArrowData, messageType)
	}
	text := reply.ErrorMsg
	if reply.Type == MsgTypeError {
		text = string(reply.ArrowData)
	}
	var got struct{ Events []struct{ Kind, Text string } }
	if text != "" {
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			s.t.Fatal(err)
		}
	}
	var kinds []string
	for _, e := range got.Events {
		kinds = append(kinds, e.Kind)
	}
	if strings.Join(kinds, " ") != strings.Join(events, " ") {
		s.t.Errorf("got the events %q, want %q", kinds, events)
	}
	return reply
}

func (s *stage) expectCode(code Code, events ...string) {
	s.t.Helper()
	if reply := s.expect(MsgTypeError, events...); codeOf(s.t, reply) != code {
		s.t.Errorf("got %s, want %s", reply.ArrowData, code)
	}
}

// cancel cancels the call as R does, on another connection line.
func (s *stage) cancel() {
	done := make(chan struct{})
	s.connection().Answer(cancelMessage("a"), func([]byte) { close(done) })
	<-done
}

// hasEnded waits for the end of the function.
func (s *stage) hasEnded() {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.t.Fatal("the function does not end")
	}
}

// isOver checks that nothing goes on with the call.
func (s *stage) isOver() {
	s.t.Helper()
	s.hasEnded()
	eventually(s.t, func() bool {
		s.d.calls.mu.Lock()
		defer s.d.calls.mu.Unlock()
		return len(s.d.calls.table) == 0
	})
	s.goesOn("")
	s.expectCode(CodeNotFound)
}

// inWord brings the call to where R has the word, by an event.
func (s *stage) inWord() {
	s.t.Helper()
	s.progress(1)
	s.expect(MsgTypeEvent, "progress")
}

// exchangeTests has a row for each state and event of the table in ARCHITECTURE.md.
func exchangeTests() map[string]func(*stage) {
	return map[string]func(*stage){
		"runs: continue": func(s *stage) {
			s.do(func(context.Context) {})
			if s.lane { // R cannot send another one there
				s.finish()
				s.expect(MsgTypeResult)
				return
			}
			s.goesOn("")
			s.expectCode(CodeProtocol)
			s.finish()
			s.expect(MsgTypeResult)
		},
		"runs: returns": func(s *stage) {
			s.finish()
			s.expect(MsgTypeResult)
			s.isOver()
		},
		"runs: fails": func(s *stage) {
			s.fails(errors.New("no"))
			s.expectCode(CodeHandler)
		},
		"runs: event": func(s *stage) {
			s.inWord()
			s.goesOn("")
			s.finish()
			s.expect(MsgTypeResult)
			s.isOver()
		},
		"runs: question": func(s *stage) {
			answer := s.asks(3, "arguments")
			if q := s.expect(MsgTypeQuestion); !strings.Contains(q.ErrorMsg, `"target":3`) || string(q.ArrowData) != "arguments" {
				s.t.Errorf("got %+v", q)
			}
			s.goesOn("answer")
			if a := <-answer; a.err != nil || string(a.answer.payload) != "answer" || a.answer.failure != nil {
				s.t.Errorf("got %+v", a)
			}
			s.finish()
			s.expect(MsgTypeResult)
		},
		"runs: question, and R fails": func(s *stage) {
			answer := s.asks(0, "x")
			s.expect(MsgTypeQuestion)
			s.goesOnWith(`{"call_id":"a","failed":2,"message":"oh","class":"simpleError"}`, "")
			if a := <-answer; a.err != nil || *a.answer.failure != (failure{2, "oh", "simpleError"}) {
				s.t.Errorf("got %+v", a)
			}
			s.finish()
			s.expect(MsgTypeResult)
		},
		"runs: part": func(s *stage) {
			for i := range 3 {
				sent := make(chan error, 1)
				s.do(func(ctx context.Context) {
					sent <- exchangeOf(ctx).put(func(metadata string, _ *segment.Result) ([]byte, error) {
						return (&RPCMessage{Type: MsgTypePart, ErrorMsg: metadata, ArrowData: []byte{byte(i)}}).Marshal(), nil
					})
				})
				if p := s.expect(MsgTypePart); p.ArrowData[0] != byte(i) {
					s.t.Errorf("got %+v", p)
				}
				if err := <-sent; err != nil {
					s.t.Error(err)
				}
				can := make(chan bool, 1)
				s.do(func(ctx context.Context) { can <- exchangeOf(ctx).canPut() })
				if <-can {
					s.t.Error("R waits")
				}
				s.goesOn("")
			}
			failed := make(chan error, 1)
			s.do(func(ctx context.Context) {
				failed <- exchangeOf(ctx).put(func(string, *segment.Result) ([]byte, error) { return nil, errors.New("no") })
			})
			if err := <-failed; err == nil {
				s.t.Error("the part is there")
			}
			s.finish()
			s.expect(MsgTypeResult)
		},
		"runs: cancel": func(s *stage) {
			s.untilCancelled()
			s.cancel()
			s.expectCode(CodeCancelled)
			s.isOver()
		},
		"runs: the server stops": func(s *stage) {
			s.untilCancelled()
			s.stop()
			s.expectCode(CodeCancelled)
		},
		"runs: panic": func(s *stage) {
			s.step(func(context.Context) (bool, string, error) { panic("oh") })
			s.expectCode(CodePanic)
		},
		"runs: Goexit": func(s *stage) {
			s.step(func(context.Context) (bool, string, error) {
				runtime.Goexit()
				return true, "", nil
			})
			s.expectCode(CodePanic)
		},
		"runs: the connection ends": func(s *stage) {
			s.untilCancelled()
			s.connection().Gone()
			s.hasEnded()
		},
		"runs: fail": func(s *stage) {
			s.do(func(ctx context.Context) { callerOf(ctx).Fail(errors.New("no")) })
			s.expectCode(CodeHandler)
			s.do(func(ctx context.Context) {
				if ctx.Err() == nil {
					s.t.Error("the context goes on")
				}
				if _, err := exchangeOf(ctx).ask(0, nil); err == nil {
					s.t.Error("R is asked")
				}
				Progress(ctx, 1, 2, "")
			})
			s.finish()
			s.isOver()
		},
		"word: returns": func(s *stage) {
			s.inWord()
			s.do(func(ctx context.Context) { Warn(ctx, "%d of %s", 3, "them") })
			s.finish()
			s.hasEnded()
			s.goesOn("")
			s.expect(MsgTypeResult, "warning")
			s.isOver()
		},
		"word: fails": func(s *stage) {
			s.inWord()
			s.do(func(ctx context.Context) { Warn(ctx, "it") })
			s.fails(errors.New("no"))
			s.goesOn("")
			s.expectCode(CodeHandler, "warning")
		},
		"word: event": func(s *stage) {
			s.inWord()
			for i := range int64(5) {
				s.progress(i)
			}
			s.do(func(ctx context.Context) { Warn(ctx, "it") })
			s.progress(9)
			s.goesOn("")
			s.do(func(context.Context) {})
			s.advance(eventInterval)
			if reply := s.expect(MsgTypeEvent, "warning", "progress"); !strings.Contains(reply.ErrorMsg, `"done":9`) {
				s.t.Errorf("got %s", reply.ErrorMsg)
			}
			s.goesOn("")
			s.finish()
			s.expect(MsgTypeResult)
		},
		"word: question": func(s *stage) {
			s.inWord()
			s.progress(2)
			answer := s.asks(1, "x")
			s.goesOn("")
			s.expect(MsgTypeQuestion, "progress")
			s.goesOn("y")
			if a := <-answer; a.err != nil || string(a.answer.payload) != "y" {
				s.t.Errorf("got %+v", a)
			}
			s.finish()
			s.expect(MsgTypeResult)
		},
		"word: cancel": func(s *stage) {
			s.inWord()
			answer := s.asks(1, "x")
			s.cancel()
			if a := <-answer; !errors.Is(a.err, context.Canceled) {
				s.t.Errorf("got %+v", a)
			}
			s.finish()
			s.isOver()
		},
		"word, asked: cancel": func(s *stage) {
			answer := s.asks(1, "x")
			s.expect(MsgTypeQuestion)
			s.cancel()
			if a := <-answer; !errors.Is(a.err, context.Canceled) {
				s.t.Errorf("got %+v", a)
			}
			s.finish()
			s.isOver()
		},
		"word, asked: the connection ends": func(s *stage) {
			answer := s.asks(1, "x")
			s.expect(MsgTypeQuestion)
			s.connection().Gone()
			if a := <-answer; a.err == nil {
				s.t.Errorf("got %+v", a)
			}
			s.finish()
		},
		"word, asked: the server stops": func(s *stage) {
			answer := s.asks(1, "x")
			s.expect(MsgTypeQuestion)
			s.stop()
			if a := <-answer; !errors.Is(a.err, context.Canceled) {
				s.t.Errorf("got %+v", a)
			}
			s.finish()
		},
		"word, asked: another call": func(s *stage) {
			answer := s.asks(1, "x")
			s.expect(MsgTypeQuestion)
			other := newSocketPeer(s.t, s.d) // there is one turn
			other.send(call("other", nil))
			if reply := other.receive(); reply.Type != MsgTypeResult {
				s.t.Errorf("got %+v", reply)
			}
			s.goesOn("y")
			<-answer
			s.finish()
			s.expect(MsgTypeResult)
		},
		"word: panic": func(s *stage) {
			s.inWord()
			s.step(func(context.Context) (bool, string, error) { panic("oh") })
			s.hasEnded()
			s.goesOn("")
			s.expectCode(CodePanic)
		},
		"word: another connection": func(s *stage) {
			answer := s.asks(1, "x")
			s.expect(MsgTypeQuestion)
			other := newSocketPeer(s.t, s.d)
			other.send((&RPCMessage{Type: MsgTypeContinue, ErrorMsg: `{"call_id":"a"}`, ArrowData: []byte("theirs")}).Marshal())
			if reply := other.receive(); codeOf(s.t, reply) != CodeNotFound {
				s.t.Errorf("got %+v", reply)
			}
			s.goesOn("ours")
			if a := <-answer; string(a.answer.payload) != "ours" {
				s.t.Errorf("got %+v", a)
			}
			s.finish()
			s.expect(MsgTypeResult)
		},
		"returned: cancel": func(s *stage) {
			s.inWord()
			s.finish()
			s.hasEnded()
			s.cancel()
			s.isOver()
		},
		"returned: the connection ends": func(s *stage) {
			s.inWord()
			s.finish()
			s.hasEnded()
			s.connection().Gone()
		},
		"returned: event": func(s *stage) {
			s.inWord()
			var within context.Context
			s.do(func(ctx context.Context) { within = ctx })
			s.finish()
			s.hasEnded()
			Warn(within, "late")
			s.goesOn("")
			s.expect(MsgTypeResult, "warning")
		},
		"returned: who asks": func(s *stage) {
			s.inWord()
			answer := make(chan asked, 1)
			begun := make(chan struct{})
			s.do(func(ctx context.Context) {
				go func() {
					close(begun)
					a, err := exchangeOf(ctx).ask(0, []byte("x"))
					answer <- asked{a, err}
				}()
			})
			<-begun
			s.finish()
			s.hasEnded()
			s.goesOn("")
			for { // it may have been asked before the function has returned
				reply := s.receive()
				if reply.Type == MsgTypeResult {
					break
				}
				s.goesOn("y")
			}
			<-answer
			s.isOver()
		},
		"many ask": func(s *stage) {
			const n = 20
			answers := make(chan string, n)
			s.do(func(ctx context.Context) {
				for i := range n {
					go func() {
						a, err := exchangeOf(ctx).ask(i, fmt.Append(nil, i))
						if err != nil {
							answers <- err.Error()
						} else {
							answers <- strings.TrimPrefix(string(a.payload), fmt.Sprint("to ", i))
						}
					}()
				}
			})
			for range n {
				q := s.expect(MsgTypeQuestion)
				s.goesOn("to " + string(q.ArrowData))
			}
			for range n {
				if text := <-answers; text != "" {
					s.t.Errorf("got %s", text)
				}
			}
			s.finish()
			s.expect(MsgTypeResult)
		},
		"warnings": func(s *stage) {
			s.inWord()
			s.do(func(ctx context.Context) {
				for i := range maxWarnings + 7 {
					Warn(ctx, "warning %d\x00", i)
				}
				Warn(ctx, "%s", strings.Repeat("é", maxWarning))
			})
			s.finish()
			s.hasEnded()
			s.goesOn("")
			kinds := make([]string, maxWarnings+1)
			for i := range maxWarnings {
				kinds[i] = "warning"
			}
			kinds[maxWarnings] = "dropped"
			if reply := s.expect(MsgTypeResult, kinds...); !strings.Contains(reply.ErrorMsg, `"warnings":8`) {
				s.t.Errorf("got %s", reply.ErrorMsg)
			}
		},
		"bad metadata": func(s *stage) {
			s.inWord()
			if !s.lane {
				for _, metadata := range []string{"", "[]", "{", `{"call_id":1}`, `{"call_id":"a","offer":[-1,0]}`} {
					s.goesOnWith(metadata, "")
					s.expectCode(CodeProtocol)
				}
				for _, metadata := range []string{"{}", `{"call_id":"b"}`} {
					s.goesOnWith(metadata, "")
					s.expectCode(CodeNotFound)
				}
				s.goesOn("")
				s.finish()
				s.expect(MsgTypeResult)
				return
			}
			s.goesOnWith("{", "")
			answer := s.asks(0, "x") // who needs what R says reads it
			s.expectCode(CodeProtocol)
			if a := <-answer; !errors.Is(a.err, context.Canceled) {
				s.t.Errorf("got %+v", a)
			}
			s.finish()
			s.isOver()
		},
	}
}

// advance lets the time of events go on, as soon as a timer waits for it.
func (s *stage) advance(d time.Duration) {
	s.t.Helper()
	eventually(s.t, func() bool {
		s.clock.mu.Lock()
		defer s.clock.mu.Unlock()
		return len(s.clock.timers) > 0
	})
	s.clock.advance(d)
}

func TestExchange(t *testing.T) {
	for name, test := range exchangeTests() {
		t.Run(name, func(t *testing.T) { test(newStage(t, newSocketPeer, living)) })
	}
}

// The time of a call is that of all of it.
func TestExchangeOutOfTime(t *testing.T) {
	s := newStage(t, newSocketPeer, `{"call_id":"a","lives":1,"timeout_ms":50}`)
	answer := s.asks(1, "x")
	s.expect(MsgTypeQuestion)
	if a := <-answer; !errors.Is(a.err, context.DeadlineExceeded) {
		t.Errorf("got %+v", a)
	}
	s.finish()
	s.isOver()
}

// A peer that does not know of calls that live never gets a new type.
func TestExchangeOfAnOldPeer(t *testing.T) {
	s := newStage(t, newSocketPeer, `{"call_id":"a"}`)
	s.do(func(ctx context.Context) {
		Progress(ctx, 1, 2, "rows")
		Warn(ctx, "it")
	})
	s.finish()
	s.expect(MsgTypeResult)
}

// What is said outside of calls is not heard.
func TestProgressWithoutACall(*testing.T) {
	Progress(context.Background(), 1, 2, "rows")
	Warn(context.Background(), "it")
}

// At most so many calls of a connection wait for R.
func TestPauses(t *testing.T) {
	c, o := newTable(t, limits{2, 1, 8, 1000})
	o.paused = maxPaused
	k := begun(t, c, o, "f", metadata{id: "a"})
	if err := c.pause(k); CodeOf(err) != CodeResourceExhausted {
		t.Errorf("got %v", err)
	}
	o.paused = 0
	for range 2 {
		if err := c.pause(k); err != nil {
			t.Error(err)
		}
	}
	if len(c.running) != 0 || o.paused != 1 {
		t.Errorf("%d run, %d wait", len(c.running), o.paused)
	}
	c.resume(k)
	if len(c.running) != 0 {
		t.Error("it has its turn")
	}
	c.resume(k)
	if len(c.running) != 1 || o.paused != 0 {
		t.Errorf("%d run, %d wait", len(c.running), o.paused)
	}
	if err := c.pause(k); err != nil {
		t.Error(err)
	}
	c.end(k)
	c.resume(k) // by a goroutine that goes on
	if err := c.pause(k); err == nil || o.paused != 0 {
		t.Errorf("got %v, %d wait", err, o.paused)
	}
	checkEmpty(t, c)
}

// eagerClock has timers that run at once.
func eagerClock() clock {
	var mu sync.Mutex
	now := time.Now()
	return clock{
		now: func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			now = now.Add(eventInterval)
			return now
		},
		after: func(_ time.Duration, f func()) stopper { return time.AfterFunc(0, f) },
	}
}

// stressExchange has events, questions, results and cancels come at once.
func stressExchange(t *testing.T, newPeer func(*testing.T, *dispatcher) rPeer) {
	t.Helper()
	for i := range 200 {
		registry := NewRegistry()
		err := registry.Func("busy", func(ctx context.Context) (int, error) {
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() {
					for n := range int64(10) {
						Progress(ctx, n, 10, "")
						if n%4 == 0 {
							Warn(ctx, "it")
						}
					}
				})
			}
			for n := range 2 {
				go func() { _, _ = exchangeOf(ctx).ask(n, []byte("x")) }()
			}
			if i%2 == 0 {
				wg.Wait()
			}
			return 1, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		d := newDispatcher(ctx, registry, limits{running: 4, waiting: 10, givenUp: 10, bytes: 1 << 20})
		d.clock = eagerClock()
		p := newPeer(t, d)
		p.send((&RPCMessage{Type: MsgTypeCall, FuncName: "busy", ErrorMsg: living}).Marshal())
		if i%5 == 4 {
			go p.connection().Answer(cancelMessage("a"), func([]byte) {})
			go p.connection().Gone()
		} else {
			for reply := p.receive(); reply.Type != MsgTypeResult; reply = p.receive() {
				if reply.Type == MsgTypeError {
					t.Fatalf("got %s", reply.ErrorMsg)
				}
				p.send((&RPCMessage{Type: MsgTypeContinue, FuncName: "busy", ErrorMsg: `{"call_id":"a"}`}).Marshal())
			}
		}
		eventually(t, func() bool {
			d.calls.mu.Lock()
			defer d.calls.mu.Unlock()
			return len(d.calls.table) == 0
		})
		stop()
	}
}

func TestExchangeUnderStress(t *testing.T) { stressExchange(t, newSocketPeer) }
