package rgoipc

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"mangoro.local/internal/lane"
	"mangoro.local/internal/segment"
)

const (
	laneGivenUp = 80
	futexWakeOp = 1
)

// lanePeer is R's end of a connection with a lane.
type lanePeer struct {
	rSide
	c *connection
}

func newLanePeer(t *testing.T, d *dispatcher) rPeer {
	t.Helper()
	d.shared = true
	p := &lanePeer{rSide: rSide{t: t}, c: d.connect().(*connection)}
	file, a := newLane(t)
	attached := make(chan []byte, 1)
	p.c.Answer(attachRequest(a), func(reply []byte) { attached <- reply })
	if reply := envelopeOf(t, <-attached); reply.Type != MsgTypeAttach {
		t.Fatalf("the lane is not attached: %+v", reply)
	}
	memory, unmap, err := segment.Map(os.Getpid(), a.FD, lane.Size)
	if err != nil {
		t.Fatal(err)
	}
	p.lane = memory
	atomic.StoreUint32(p.word(laneOffer), segment.None)
	t.Cleanup(func() {
		p.c.Gone()
		eventually(t, func() bool { return atomic.LoadUint32(p.word(208)) == 1 })
		unmap()
		_ = file.Close()
	})
	return p
}

func (p *lanePeer) send(request []byte) {
	copy(p.lane[laneRequestBox:laneReplyBox], request)
	atomic.StoreUint32(p.word(laneRequestSize), uint32(len(request)))
	p.requests++
	atomic.StoreUint32(p.word(laneRequest), p.requests)
	atomic.AddUint32(p.word(laneEvents), 1)
	_, _, _ = unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(p.word(laneEvents))), futexWakeOp, 1, 0, 0, 0)
}

func (p *lanePeer) receive() *RPCMessage {
	p.t.Helper()
	eventually(p.t, func() bool { return atomic.LoadUint32(p.word(laneReply)) == p.requests })
	message := make([]byte, atomic.LoadUint32(p.word(laneReplySize)))
	copy(message, p.lane[laneReplyBox:])
	return envelopeOf(p.t, message)
}

func (p *lanePeer) connection() *connection { return p.c }

// giveUp gives up the call while R has the word, as src/lane.c does.
func (p *lanePeer) giveUp() {
	atomic.StoreUint32(p.word(laneGivenUp), p.requests+1)
	p.send(nil)
}

func TestExchangeOverLane(t *testing.T) {
	for name, test := range exchangeTests() {
		t.Run(name, func(t *testing.T) { test(newStage(t, newLanePeer, living)) })
	}
}

func TestExchangeOverLaneOutOfTime(t *testing.T) {
	s := newStage(t, newLanePeer, `{"call_id":"a","lives":1,"timeout_ms":50}`)
	answer := s.asks(1, "x")
	s.expect(MsgTypeQuestion)
	if a := <-answer; !errors.Is(a.err, context.DeadlineExceeded) {
		t.Errorf("got %+v", a)
	}
	s.finish()
	s.isOver()
}

func TestExchangeOverLaneUnderStress(t *testing.T) { stressExchange(t, newLanePeer) }

// A call that R gives up while it has the word is over at once, whoever waits for R. What R
// has posted for that is no answer, and its reply frees the lane.
func TestExchangeIsGivenUp(t *testing.T) {
	for name, asks := range map[string]bool{"who asks": true, "who returns": false} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, newLanePeer, living)
			p := s.rPeer.(*lanePeer)
			var answer <-chan asked
			if asks {
				answer = s.asks(1, "x")
				s.expect(MsgTypeQuestion)
			} else {
				s.inWord()
				s.finish()
				s.hasEnded()
			}
			p.giveUp()
			if asks {
				if a := <-answer; !errors.Is(a.err, context.Canceled) {
					t.Errorf("got %+v", a)
				}
				s.finish()
			}
			if reply := p.receive(); reply.Type != MsgTypeError {
				t.Errorf("got %+v", reply)
			}
			s.isOver()
		})
	}
}

// What R has given up while it waits is not told of anything, but gets its reply.
func TestExchangeIsGivenUpWhileRWaits(t *testing.T) {
	s := newStage(t, newLanePeer, living)
	p := s.rPeer.(*lanePeer)
	atomic.StoreUint32(p.word(laneGivenUp), p.requests)
	s.progress(1)
	if a := <-s.asks(1, "x"); !errors.Is(a.err, context.Canceled) {
		t.Errorf("got %+v", a)
	}
	if atomic.LoadUint32(p.word(laneReply)) == p.requests {
		t.Error("it is told")
	}
	s.finish()
	s.expect(MsgTypeResult, "progress")
	s.isOver()
}

// socketOf is R's socket of a connection that has a lane as well.
func socketOf(s *stage) *stage {
	other := *s
	other.rPeer = &socketPeer{s.t, s.connection(), make(chan []byte, 100)}
	other.lane = false
	return &other
}

// What does not fit the lane moves the call to the socket.
func TestExchangeMovesToTheSocket(t *testing.T) {
	s := newStage(t, newLanePeer, living)
	socket := socketOf(s)
	large := strings.Repeat("x", lane.MaxMessage)
	s.progress(1)
	s.expect(MsgTypeEvent, "progress")
	s.goesOn("")
	answer := s.asks(1, large)
	if reply := s.expect(MsgTypeEvent); !strings.Contains(reply.ErrorMsg, `"over":"socket"`) {
		t.Fatalf("got %s", reply.ErrorMsg)
	}
	socket.goesOn("")
	if q := socket.expect(MsgTypeQuestion); string(q.ArrowData) != large {
		t.Errorf("got %d bytes", len(q.ArrowData))
	}
	socket.goesOn(large)
	if a := <-answer; a.err != nil || string(a.answer.payload) != large {
		t.Errorf("got %v", a.err)
	}
	s.progress(2)
	s.clock.advance(eventInterval)
	socket.expect(MsgTypeEvent, "progress")
	socket.goesOn("")
	s.finish()
	socket.expect(MsgTypeResult)
	s.hasEnded()
	s.send(call("other", nil)) // the lane is free
	s.expect(MsgTypeResult)
}

func TestExchangeMovesToTheSocketWhenRAsks(t *testing.T) {
	s := newStage(t, newLanePeer, living)
	socket := socketOf(s)
	answer := s.asks(1, "x")
	s.expect(MsgTypeQuestion)
	socket.goesOn("not yet")
	socket.expectCode(CodeProtocol)
	s.goesOnWith(`{"call_id":"a","over":"socket"}`, "")
	if reply := s.expect(MsgTypeEvent); !strings.Contains(reply.ErrorMsg, `"over":"socket"`) {
		t.Fatalf("got %s", reply.ErrorMsg)
	}
	socket.goesOn("answer")
	if a := <-answer; a.err != nil || string(a.answer.payload) != "answer" {
		t.Errorf("got %+v", a)
	}
	s.finish()
	socket.expect(MsgTypeResult)
}

// Given up after that, the lane is free when the function has returned.
func TestExchangeIsGivenUpAfterItHasMoved(t *testing.T) {
	s := newStage(t, newLanePeer, living)
	socket := socketOf(s)
	answer := s.asks(1, strings.Repeat("x", lane.MaxMessage))
	s.expect(MsgTypeEvent)
	socket.goesOn("")
	socket.expect(MsgTypeQuestion)
	s.rPeer.(*lanePeer).giveUp()
	s.cancel()
	if a := <-answer; !errors.Is(a.err, context.Canceled) {
		t.Errorf("got %+v", a)
	}
	s.finish()
	if reply := s.receive(); reply.Type != MsgTypeError {
		t.Errorf("got %+v", reply)
	}
	s.isOver()
}
