// Package transport is the listening side of mangos' transports ipc and tcp, for
// a server that does not know who connects. The bytes are those of mangos, and of
// NNG. What mangos leaves open is bounded:
//
//   - The memory of a message is taken as its bytes arrive, not as they are claimed.
//   - A peer has a limited time to shake hands, and only so many do at the same time.
//   - So many connections are open at most, and a process without file
//     descriptors waits for one.
//   - An ipc socket is its user's alone from the start.
package transport

import (
	"strings"
	"time"

	"go.nanomsg.org/mangos/v3"
	registry "go.nanomsg.org/mangos/v3/transport"
	_ "go.nanomsg.org/mangos/v3/transport/ipc" // so that clients in the same program can dial
)

// The bounds of a listener.
const (
	// MaxConnections is how many connections are open at the same time. A further
	// one is closed at once.
	MaxConnections = 1024
	// MaxHandshakes is how many peers shake hands at the same time. A further one
	// takes the place of the one that has taken longest.
	MaxHandshakes = 64
	// HandshakeTime is how long a peer may take for it.
	HandshakeTime = 10 * time.Second
)

type limits struct {
	connections, handshakes int
	handshakeTime           time.Duration
}

// guarded is a transport that is found under its own scheme behind a prefix, as
// mangos finds transports by their scheme: mangos' own stays what it is for those
// who use it.
type guarded struct {
	scheme string
	limits limits
}

const prefix = "guarded+"

func init() {
	for _, scheme := range []string{"ipc", "tcp"} {
		registry.RegisterTransport(guarded{scheme, limits{MaxConnections, MaxHandshakes, HandshakeTime}})
	}
}

// NewListener returns a listener of the socket for a URL: a guarded one, or of
// another scheme what mangos has. A scheme that is not linked in is an error.
func NewListener(sock mangos.Socket, url string) (mangos.Listener, error) {
	scheme, _, _ := strings.Cut(url, "://")
	linked := registry.GetTransport(scheme) != nil
	if linked && registry.GetTransport(prefix+scheme) != nil {
		url = prefix + url
	}
	return sock.NewListener(url, nil)
}

func (t guarded) Scheme() string { return prefix + t.scheme }

// NewDialer fails: who dials does so with mangos' own transport.
func (t guarded) NewDialer(string, mangos.Socket) (mangos.TranDialer, error) {
	return nil, mangos.ErrBadTran
}

func (t guarded) NewListener(url string, sock mangos.Socket) (mangos.TranListener, error) {
	address, err := registry.StripScheme(t, url)
	if err != nil {
		return nil, err
	}
	if t.scheme == "tcp" {
		if _, err := registry.ResolveTCPAddr(address); err != nil {
			return nil, err
		}
		// As nanomsg writes it: all interfaces.
		address = strings.TrimPrefix(address, "*")
	}
	return newListener(t.scheme, address, sock.Info(), t.limits), nil
}
