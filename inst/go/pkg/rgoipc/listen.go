package rgoipc

import (
	"errors"
	"fmt"

	"go.nanomsg.org/mangos/v3"

	"mangoro.local/internal/transport"
)

// listen has a socket listen at url and returns the address that it is bound to, in which
// a port of 0 is replaced by the actual one. If it cannot listen, it closes the socket.
func listen(sock mangos.Socket, url string, maxMessageSize int64) (string, error) {
	fail := func(err error) (string, error) {
		return "", errors.Join(fmt.Errorf("rgoipc: cannot listen at %q: %w", url, err), sock.Close())
	}
	if err := sock.SetOption(mangos.OptionMaxRecvSize, int(maxMessageSize)); err != nil {
		return fail(err)
	}
	listener, err := transport.NewListener(sock, url)
	if err != nil {
		return fail(err)
	}
	if err := listener.Listen(); err != nil {
		return fail(err)
	}
	return listener.Address(), nil
}
