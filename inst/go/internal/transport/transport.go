// Package transport is the listening side of mangos' transports ipc and tcp, for servers
// that do not trust their peers. The bytes on the wire are those of mangos and NNG. Beyond
// mangos it has limits:
//
//   - Memory for a message is allocated as its bytes arrive, not as its length claims.
//   - A peer has a limited time for the handshake, and the number of handshakes at the same
//     time is limited.
//   - The number of connections is limited, and a process that has no file descriptors left
//     waits for one.
//   - Only its own user can connect to an ipc socket, from the start.
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
	// MaxConnections is how many connections are open at the same time. Further ones
	// are closed at once.
	MaxConnections = 1024
	// MaxHandshakes is how many handshakes are under way at the same time. A further
	// one takes the place of the oldest.
	MaxHandshakes = 64
	// HandshakeTime is how long a peer may take for the handshake.
	HandshakeTime = 10 * time.Second
)

type limits struct {
	connections, handshakes int
	handshakeTime           time.Duration
}

// guarded is a transport with these limits. mangos finds transports by their scheme; a
// prefix tells this one from mangos' own, which stays as it is.
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

// NewDialer fails: to dial, use mangos' own transport.
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
		// nanomsg writes * for all interfaces.
		address = strings.TrimPrefix(address, "*")
	}
	return newListener(t.scheme, address, sock.Info(), t.limits), nil
}
