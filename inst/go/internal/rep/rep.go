// Package rep answers requests over a mangos socket. It speaks the protocol REP as
// mangos' own package does, without its contexts: there, requests of which
// nobody holds a free context stop all that comes behind them. Here each request
// is answered on a goroutine of its own, whatever the others do.
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
	// maxUnsent is how many replies may wait for a peer to take them. Until it does,
	// none of its requests is read.
	maxUnsent = 64
	// maxIdle is how many goroutines of a peer are kept after a burst of requests.
	maxIdle = 4
	// maxHops is how many devices may have passed a request on.
	maxHops = 8
)

// Handler answers the requests of one peer.
type Handler interface {
	// Answer answers a request by one call of reply. The request is the handler's to
	// keep. Requests are answered at the same time, each on its own goroutine.
	Answer(request []byte, reply func([]byte))
	// Gone is called once, when the peer has gone: nobody gets its replies.
	Gone()
}

// Server is a socket of protocol REP and the requests that it has taken.
type Server struct {
	// Socket is what the server listens with. It neither sends nor receives.
	Socket mangos.Socket

	connect        func() Handler
	maxUnsentBytes int64

	mu       sync.Mutex // protects what follows
	pending  int        // requests that are not answered
	stopping bool
	idle     chan struct{} // closed when none is left of a server that stops
}

// NewServer returns a server that answers each peer that connects with the handler
// that connect returns. While replies of more than maxUnsentBytes wait for a peer to
// take them, none of its requests is read.
func NewServer(connect func() Handler, maxUnsentBytes int64) *Server {
	s := &Server{connect: connect, maxUnsentBytes: maxUnsentBytes, idle: make(chan struct{})}
	s.Socket = protocol.MakeSocket(base{s})
	return s
}

// Stop takes no more requests, waits for those that it has, but no longer than
// grace, and returns how many are left. It must be called once.
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

// begin tells whether a request is taken.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return false
	}
	s.pending++
	return true
}

func (s *Server) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending--
	if s.stopping && s.pending == 0 {
		close(s.idle)
	}
}

// peer is who is connected.
type peer struct {
	server  *Server
	pipe    mangos.ProtocolPipe
	handler Handler
	gone    chan struct{} // closed when the peer has gone
	next    chan struct{} // its receiver is the next to receive a request
	idle    atomic.Int32  // goroutines that wait for that

	sending sync.Mutex // one reply at a time

	mu          sync.Mutex // protects what follows
	unsent      int        // replies that the peer has not taken
	unsentBytes int64      // of these
	room        *sync.Cond // there may be fewer of them, or the peer has gone
}

func newPeer(s *Server, pipe mangos.ProtocolPipe) *peer {
	p := &peer{server: s, pipe: pipe, handler: s.connect(), gone: make(chan struct{}), next: make(chan struct{})}
	p.room = sync.NewCond(&p.mu)
	return p
}

// serve receives requests and answers them. While it does, another goroutine
// receives: one that has answered and waits for that, since its stack has grown to
// what an answer needs, or else a new one.
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

// wait waits for a turn to receive. It is false if the goroutine is not needed.
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

// receive returns the next request, and what its reply begins with.
func (p *peer) receive() (trace, request []byte, ok bool) {
	for {
		message := p.pipe.RecvMsg()
		if message == nil {
			return nil, nil, false
		}
		trace, request, ok := cutTrace(message.Body)
		if !ok {
			continue // there is nobody to answer to
		}
		return trace, request, p.hasRoom() && p.server.begin()
	}
}

// answer answers a request. Its handler may end the goroutine.
func (p *peer) answer(trace, request []byte) {
	defer p.server.end()
	p.handler.Answer(request, func(reply []byte) { p.send(trace, reply) })
}

// hasRoom waits until the peer has taken its replies. It is false if it has gone.
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
	_ = p.pipe.SendMsg(message) // has closed the pipe if it failed
	p.sending.Unlock()
	p.count(-1, reply)
	p.room.Signal()
}

// count counts a reply that waits for the peer to take it, or with -1 no longer does.
func (p *peer) count(n int, reply []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unsent += n
	p.unsentBytes += int64(n) * int64(len(reply))
}

// cutTrace cuts off what stands before a request: the numbers of the devices that
// have passed it on, and then its own, which alone has its highest bit set.
func cutTrace(body []byte) (trace, request []byte, ok bool) {
	for end := 4; end <= 4*maxHops && end <= len(body); end += 4 {
		if body[end-4]&0x80 != 0 {
			return slices.Clone(body[:end]), body[end:], true
		}
	}
	return nil, nil, false
}

// base is what mangos sees of a server.
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
