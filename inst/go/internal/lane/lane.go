package lane

import (
	"bytes"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"mangoro.local/internal/segment"
)

// Lane is the server's end of a lane.
type Lane struct {
	memory []byte
	unmap  func()

	answered uint32        // number of the last request that was answered
	gap      time.Duration // between that reply and the request after it
	arrived  func() bool   // hasRequest, which so is not allocated for each request

	ended atomic.Bool
	mu    sync.Mutex // protects what follows
	gone  bool       // it is not mapped any more
}

// Request is a message that has come over a lane.
type Request struct {
	// Message is a copy of it.
	Message []byte
	// Offer is the segment that the result may be written to. Its FD may be segment.None.
	Offer segment.Name

	lane    *Lane
	number  uint32
	serving *serving
}

// serving is a goroutine that serves a lane.
type serving struct {
	answer Answer
	left   atomic.Bool // another one does
}

// MaxMessage is how many bytes a request has at most, and a reply that does not lie in the
// offered segment.
const MaxMessage = mailboxSize

// An Answer answers a request by one call of its Reply, whatever happens, also if its
// goroutine ends. It may answer those that follow, by Next, as well.
type Answer func(r Request)

// Open maps a lane that R has made: descriptor fd of the process pid. The token must be the
// one that lies in it: otherwise that process is not the one that we see under this number.
func Open(pid int, fd uint32, size int64, token []byte) (*Lane, error) {
	if size != Size {
		return nil, fmt.Errorf("a lane has %d bytes, not %d", Size, size)
	}
	memory, unmap, err := segment.Map(pid, fd, Size)
	if err != nil {
		return nil, fmt.Errorf("the lane's memory: %w", err)
	}
	l := &Lane{memory: memory, unmap: unmap}
	if err := l.check(token); err != nil {
		unmap()
		return nil, err
	}
	l.answered = l.load(reply)
	l.arrived = l.hasRequest
	l.store(server, uint32(os.Getpid()))
	return l, nil
}

func (l *Lane) check(token []byte) error {
	if string(l.memory[magicAt:magicAt+len(magic)]) != magic {
		return errors.New("its memory is no lane")
	}
	if subtle.ConstantTimeCompare(l.memory[tokenAt:tokenAt+tokenSize], token) != 1 {
		return errors.New("its memory has another token: the two processes do not see each other")
	}
	settled := make([]byte, 0, 16)
	for _, v := range []uint32{Version, mailboxSize, ringSlots, slotSize} {
		settled = binary.NativeEndian.AppendUint32(settled, v)
	}
	if !bytes.Equal(l.memory[settledAt:settledAt+len(settled)], settled) {
		return errors.New("the lane has another layout")
	}
	return nil
}

func (l *Lane) word(at int) *uint32          { return (*uint32)(unsafe.Pointer(&l.memory[at])) }
func (l *Lane) load(at int) uint32           { return atomic.LoadUint32(l.word(at)) }
func (l *Lane) store(at int, v uint32)       { atomic.StoreUint32(l.word(at), v) }
func (l *Lane) hasRequest() bool             { return l.load(request) != l.answered }
func (l *Lane) isGivenUp(number uint32) bool { return l.load(givenUp) == number }
func (l *Lane) box(at int, n int) []byte     { return l.memory[at : at+n : at+n] }
func (l *Lane) offer() segment.Name {
	return segment.Name{FD: l.load(offerFD), Generation: l.load(offerGeneration)}
}

// Serve answers the requests one after the other, until the lane is closed.
func (l *Lane) Serve(answer Answer) {
	s := &serving{answer: answer}
	over := false
	defer func() {
		switch {
		case s.left.Load():
		case over:
			l.end()
		default:
			go l.Serve(answer) // a function has ended this goroutine
		}
	}()
	for l.next(s) {
	}
	over = true
}

// next answers the next request, and returns false if there is none.
func (l *Lane) next(s *serving) bool {
	replied := time.Now()
	if !l.wait(l.arrived, l.gap < 2*spinTime) {
		return false
	}
	l.gap = time.Since(replied)
	r, ok := l.request(s)
	if ok {
		s.answer(r)
	}
	return ok && !s.left.Load()
}

// request returns the request that has come, and false if it cannot be one.
func (l *Lane) request(s *serving) (r Request, ok bool) {
	n := l.load(requestSize)
	if n > mailboxSize {
		return r, false
	}
	message := bytes.Clone(l.box(requestBox, int(n)))
	return Request{Message: message, Offer: l.offer(), lane: l, number: l.load(request), serving: s}, true
}

// Reply answers the request. If inOffer is not 0, the reply lies at the beginning of the
// offered segment, and has that many bytes; otherwise it is message.
func (r Request) Reply(message []byte, inOffer int) { r.lane.reply(r.number, message, inOffer) }

// IsGivenUp tells whether R has given up the request.
func (r Request) IsGivenUp() bool { return r.lane.isGivenUp(r.number) }

// HasNext tells whether there is a request after this one, which has been answered.
func (r Request) HasNext() bool { return r.lane.hasRequest() }

// Next waits for the request after this one, which has been answered. It returns false if
// the lane is closed before, if that request is given up, or once giveUp returns true, which
// Wake has it asked. Nobody else may wait for a request of the lane.
func (r Request) Next(giveUp func() bool) (next Request, ok bool) {
	l := r.lane
	if !l.wait(func() bool { return l.hasRequest() || giveUp() }, true) || !l.hasRequest() {
		return next, false
	}
	next, ok = l.request(r.serving)
	return next, ok && !l.isGivenUp(next.number)
}

// Leave has another goroutine serve the lane. The request has been answered, but what it
// has called goes on.
func (r Request) Leave() {
	if !r.serving.left.Swap(true) {
		go r.lane.Serve(r.serving.answer)
	}
}

// Wake has Next ask giveUp again.
func (r Request) Wake() { r.lane.wake() }

func (l *Lane) reply(number uint32, message []byte, inOffer int) {
	size := uint32(len(message))
	if inOffer > 0 {
		size = uint32(inOffer) | replyInOffer
	} else {
		copy(l.box(replyBox, mailboxSize), message)
	}
	l.store(chunksRead, 0)
	l.store(replySize, size)
	l.answered = number
	l.store(reply, number)
	l.event()
}

// event counts something that the server has done, and wakes R if it sleeps.
func (l *Lane) event() {
	atomic.AddUint32(l.word(goEvents), 1)
	if l.load(rSleeps) != 0 {
		futexWake(l.word(goEvents))
	}
}

// Close has Serve return, after the request that it answers. It may be called again.
func (l *Lane) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended.Store(true)
	l.wakeLocked()
}

// wake wakes who waits for a request.
func (l *Lane) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wakeLocked()
}

// wakeLocked is wake if the mutex is locked.
func (l *Lane) wakeLocked() {
	if !l.gone {
		// An event that R has not counted, but that wakes the server in any case.
		atomic.AddUint32(l.word(rEvents), 1)
		futexWake(l.word(rEvents))
	}
}

func (l *Lane) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gone = true
	l.store(closed, 1)
	l.event()
	l.unmap()
}

// spinTime is how long the server looks for what it waits for before it sleeps. It does so
// only if requests come about that fast.
const (
	spinTime  = 50 * time.Microsecond
	longYield = 25 * time.Microsecond
	looks     = 500 // before it lets others run: about a microsecond
)

// wait waits until ready returns true, and returns false if the lane is closed before. It
// looks for a while before it sleeps if spin is true, unless R has run on the same processor:
// the kernel does not let R have it at once, not even by a yield.
func (l *Lane) wait(ready func() bool, spin bool) bool {
	cpu := processor()
	l.store(goCPU, cpu)
	if spin && runtime.NumCPU() > 1 && cpu != l.load(rCPU) && l.spin(ready) {
		return true
	}
	for !ready() {
		if l.ended.Load() {
			return false
		}
		l.sleep(ready)
	}
	return true
}

// spin ends when others wait for the processor as well, which a long yield shows: who is woken
// runs before who has yielded.
func (l *Lane) spin(ready func() bool) bool {
	alone := runtime.GOMAXPROCS(0) == 1
	start := time.Now()
	for last, now := start, start; now.Sub(start) < spinTime && now.Sub(last) < longYield; {
		for range looks {
			if ready() {
				return true
			}
		}
		if alone {
			runtime.Gosched() // to the other goroutines
		}
		yield() // to R, which may wait for this processor
		last, now = now, time.Now()
	}
	return false
}

func (l *Lane) sleep(ready func() bool) {
	l.store(goSleeps, 1)
	seen := l.load(rEvents)
	if !ready() && !l.ended.Load() {
		futexWait(l.word(rEvents), seen)
	}
	l.store(goSleeps, 0)
}
