// Package rep answers requests over a mangos socket. It speaks the protocol REP as mangos'
// own package does, but without contexts: there, a request for which no context is free
// blocks all later ones. Here each request is answered on a goroutine of its own.
package rep

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.nanomsg.org/mangos/v3"
	"go.nanomsg.org/mangos/v3/protocol"
)

const (
	// maxUnsent is how many replies may wait for a peer to read them. Until it does, no
	// more requests are read from it.
	maxUnsent = 64
	// maxIdle is how many goroutines of a peer are kept after a burst of requests. Their
	// stacks have the size that an answer needs: with a new goroutine for each request, a
	// small call takes half as much processor time again.
	maxIdle = 4
	// maxHops is how many devices may have forwarded a request.
	maxHops = 8
)

// Handler answers the requests of one peer.
type Handler interface {
	// Answer answers a request by one call of reply, which may follow after it has returned
	// if another request is then not answered yet. It may keep the request. Requests are
	// answered at the same time, each on its own goroutine.
	Answer(request []byte, reply func([]byte))
	// Gone is called once, when the connection has ended. Later replies are dropped.
	Gone()
}

// Server is a socket of protocol REP and the requests that it has accepted.
type Server struct {
	// Socket is what the server listens with. It neither sends nor receives.
	Socket mangos.Socket

	connect        func() Handler
	maxUnsentBytes int64

	mu       sync.Mutex // protects what follows
	pending  int        // requests that are not answered
	stopping bool
	idle     chan struct{} // closed when a server that stops has answered all of them
}

// NewServer returns a server that calls connect for each peer that connects, and answers
// its requests with the handler that it returns. While replies of more than maxUnsentBytes
// wait for a peer to read them, no more requests are read from it.
func NewServer(connect func() Handler, maxUnsentBytes int64) *Server {
	s := &Server{connect: connect, maxUnsentBytes: maxUnsentBytes, idle: make(chan struct{})}
	s.Socket = protocol.MakeSocket(base{s})
	return s
}

// Stop accepts no more requests, waits for at most grace until the others are answered, and
// returns how many are not. It must be called once.
func (s *Server) Stop(grace time.Duration) int {
	s.mu.Lock()
	s.stopping = true
	if s.pending == 0 {
		close(s.idle)
	}
	s.mu.Unlock()
	select {
	case <-s.idle:
	case <-time.After(grace):
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pending
}

// Begin tells whether a request is accepted. Requests that a handler receives in another way
// count as well if it calls Begin, and End once they are answered.
func (s *Server) Begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return false
	}
	s.pending++
	return true
}

// End follows Begin when a request has been answered.
func (s *Server) End() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending--
	if s.stopping && s.pending == 0 {
		close(s.idle)
	}
}

// peer is the other end of a connection.
type peer struct {
	server  *Server
	pipe    mangos.ProtocolPipe
	handler Handler
	gone    chan struct{} // closed when the connection has ended
	next    chan struct{} // its receiver is the next to receive a request
	idle    atomic.Int32  // goroutines that wait for that

	sending sync.Mutex // one reply at a time

	mu          sync.Mutex // protects what follows
	unsent      int        // replies that the peer has not read
	unsentBytes int64      // of these
	room        *sync.Cond // signalled when there are fewer, or the connection has ended
}

func newPeer(s *Server, pipe mangos.ProtocolPipe) *peer {
	p := &peer{server: s, pipe: pipe, handler: s.connect(), gone: make(chan struct{}), next: make(chan struct{})}
	p.room = sync.NewCond(&p.mu)
	return p
}

// serve receives requests and answers them. While it answers, another goroutine receives:
// one that is idle, or a new one.
func (p *peer) serve() {
	for received := true; received; received = p.wait() {
		trace, request, ok := p.receive()
		if !ok {
			return
		}
		select {
		case p.next <- struct{}{}:
		default:
			go p.serve()
		}
		p.answer(trace, request)
	}
}

// wait waits for a turn to receive. It returns false if the goroutine is not needed.
func (p *peer) wait() bool {
	if p.idle.Add(1) > maxIdle {
		p.idle.Add(-1)
		return false
	}
	defer p.idle.Add(-1)
	select {
	case <-p.next:
		return true
	case <-p.gone:
		return false
	}
}

// receive returns the next request, and the trace that its reply begins with.
func (p *peer) receive() (trace, request []byte, ok bool) {
	for {
		message := p.pipe.RecvMsg()
		if message == nil {
			return nil, nil, false
		}
		trace, request, ok := cutTrace(message.Body)
		if !ok {
			continue // it cannot be answered
		}
		return trace, request, p.hasRoom() && p.server.Begin()
	}
}

// answer answers a request. Its handler may end the goroutine.
func (p *peer) answer(trace, request []byte) {
	defer p.server.End()
	p.handler.Answer(request, func(reply []byte) { p.send(trace, reply) })
}

// hasRoom waits until the peer has read enough replies. It returns false if the connection
// has ended.
func (p *peer) hasRoom() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.unsent >= maxUnsent || p.unsentBytes > p.server.maxUnsentBytes {
		select {
		case <-p.gone:
			return false
		default:
			p.room.Wait()
		}
	}
	return true
}

func (p *peer) send(trace, reply []byte) {
	p.count(1, reply)
	p.sending.Lock()
	message := mangos.NewMessage(0)
	message.Header, message.Body = trace, reply
	_ = p.pipe.SendMsg(message) // if it fails, it closes the pipe
	p.sending.Unlock()
	p.count(-1, reply)
	p.room.Signal()
}

// count adds n, 1 or -1, to the number of replies that the peer has not read.
func (p *peer) count(n int, reply []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unsent += n
	p.unsentBytes += int64(n) * int64(len(reply))
}

// cutTrace cuts off the trace before a request: the numbers of the devices that have
// forwarded it, and then its own, the only one with the highest bit set.
func cutTrace(body []byte) (trace, request []byte, ok bool) {
	for end := 4; end <= 4*maxHops && end <= len(body); end += 4 {
		if body[end-4]&0x80 != 0 {
			return slices.Clone(body[:end]), body[end:], true
		}
	}
	return nil, nil, false
}

// base is the protocol of a server, as mangos calls it.
type base struct{ s *Server }

func (base) Info() mangos.ProtocolInfo {
	return mangos.ProtocolInfo{Self: protocol.ProtoRep, Peer: protocol.ProtoReq, SelfName: "rep", PeerName: "req"}
}

func (b base) AddPipe(pipe mangos.ProtocolPipe) error {
	p := newPeer(b.s, pipe)
	pipe.SetPrivate(p)
	go p.serve()
	return nil
}

func (base) RemovePipe(pipe mangos.ProtocolPipe) {
	p := pipe.GetPrivate().(*peer)
	close(p.gone)
	p.mu.Lock()
	p.room.Signal()
	p.mu.Unlock()
	p.handler.Gone()
}

func (base) Close() error                                 { return nil }
func (base) SendMsg(*mangos.Message) error                { return mangos.ErrProtoOp }
func (base) RecvMsg() (*mangos.Message, error)            { return nil, mangos.ErrProtoOp }
func (base) OpenContext() (mangos.ProtocolContext, error) { return nil, mangos.ErrProtoOp }
func (base) GetOption(string) (any, error)                { return nil, mangos.ErrBadOption }
func (base) SetOption(string, any) error                  { return mangos.ErrBadOption }
