package transport

import (
	"net"
	"slices"
	"sync"
	"time"

	"go.nanomsg.org/mangos/v3"
)

// How long accepting pauses after a failure: the first time, and at most.
const (
	firstPause = 5 * time.Millisecond
	maxPause   = time.Second
)

// listener is a mangos.TranListener.
type listener struct {
	scheme, address string
	proto           mangos.ProtocolInfo
	limits          limits
	ready           chan *pipe    // have shaken hands
	closed          chan struct{} // closed with the listener

	mu      sync.Mutex // protects what follows
	maxSize int        // of a message; 0: there is no limit
	bound   net.Listener
	open    int     // connections
	shaking []*pipe // those of them that shake hands, the oldest first
	stopped bool
}

func newListener(scheme, address string, proto mangos.ProtocolInfo, limits limits) *listener {
	return &listener{
		scheme: scheme, address: address, proto: proto, limits: limits,
		ready: make(chan *pipe), closed: make(chan struct{}),
	}
}

// Listen binds the address, and accepts connections from then on.
func (l *listener) Listen() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped {
		return mangos.ErrClosed
	}
	bound, err := listen(l.scheme, l.address)
	if err != nil {
		return err
	}
	l.bound = bound
	go l.acceptAll(bound)
	return nil
}

// acceptAll accepts connections until the listener is closed.
func (l *listener) acceptAll(bound net.Listener) {
	pause := firstPause
	for {
		conn, err := bound.Accept()
		if err == nil {
			pause = firstPause
			l.begin(conn)
			continue
		}
		// Most likely there is no file descriptor left. Drop peers that do not finish
		// their handshake first.
		if l.dropOldest() {
			continue
		}
		select {
		case <-l.closed:
			return
		case <-time.After(pause):
			pause = min(2*pause, maxPause)
		}
	}
}

// begin shakes hands with a peer that has connected, or closes its connection.
func (l *listener) begin(conn net.Conn) {
	l.mu.Lock()
	if l.stopped || l.open >= l.limits.connections {
		l.mu.Unlock()
		_ = conn.Close()
		return
	}
	p := newPipe(conn, l.scheme == "ipc", l.maxSize, l.end)
	l.open++
	l.shaking = append(l.shaking, p)
	crowded := len(l.shaking) > l.limits.handshakes
	l.mu.Unlock()
	if crowded {
		l.dropOldest()
	}
	go l.shake(p)
}

func (l *listener) shake(p *pipe) {
	err := p.handshake(l.proto, l.limits.handshakeTime)
	if !l.shaken(p) || err != nil {
		_ = p.Close()
		return
	}
	select {
	case l.ready <- p:
	case <-l.closed:
		_ = p.Close()
	}
}

// shaken ends the handshake of a peer and tells whether it was not dropped meanwhile.
func (l *listener) shaken(p *pipe) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.shaking, p)
	if i >= 0 {
		l.shaking = slices.Delete(l.shaking, i, i+1)
	}
	return i >= 0
}

// dropOldest closes the connection of the peer that has shaken hands for longest,
// and tells whether there was one.
func (l *listener) dropOldest() bool {
	l.mu.Lock()
	var oldest *pipe
	if len(l.shaking) > 0 {
		oldest = l.shaking[0]
		l.shaking = slices.Delete(l.shaking, 0, 1)
	}
	l.mu.Unlock()
	if oldest == nil {
		return false
	}
	_ = oldest.Close()
	return true
}

// end is called when a connection has been closed.
func (l *listener) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
}

// Accept returns a connection that has shaken hands.
func (l *listener) Accept() (mangos.TranPipe, error) {
	select {
	case p := <-l.ready:
		return p, nil
	case <-l.closed:
		return nil, mangos.ErrClosed
	}
}

// Close ends listening and the handshakes under way. Established connections stay open.
func (l *listener) Close() error {
	l.mu.Lock()
	if l.stopped {
		l.mu.Unlock()
		return nil
	}
	l.stopped = true
	close(l.closed)
	shaking := l.shaking
	l.shaking = nil
	bound := l.bound
	l.mu.Unlock()
	for _, p := range shaking {
		_ = p.Close()
	}
	if bound == nil {
		return nil
	}
	return bound.Close()
}

// Address returns the address that is listened at, in which a port of 0 is replaced by the
// actual one.
func (l *listener) Address() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bound != nil && l.scheme != "ipc" {
		return l.scheme + "://" + l.bound.Addr().String()
	}
	return l.scheme + "://" + l.address
}

// SetOption sets the only option, the size of the largest message of later connections.
func (l *listener) SetOption(name string, value any) error {
	if name != mangos.OptionMaxRecvSize {
		return mangos.ErrBadOption
	}
	size, ok := value.(int)
	if !ok || size < 0 {
		return mangos.ErrBadValue
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.maxSize = size
	return nil
}

func (l *listener) GetOption(name string) (any, error) {
	if name != mangos.OptionMaxRecvSize {
		return nil, mangos.ErrBadOption
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.maxSize, nil
}
