package rgoipc

import (
	"errors"
	"fmt"

	"go.nanomsg.org/mangos/v3"

	"mangoro.local/internal/transport"
)

// listen has a socket listen at url, and returns the address that it is bound to,
// which may say more than url does: the port, if that was 0. The socket is closed
// if it cannot.
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
