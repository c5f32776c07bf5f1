package rgoipc

import (
	"errors"
	"fmt"
	"os/user"
	"runtime"
	"strings"

	"go.nanomsg.org/mangos/v3"
	"go.nanomsg.org/mangos/v3/protocol/rep"
	"go.nanomsg.org/mangos/v3/transport/ipc"
)

// listen opens a REP socket that listens at url, and returns the address that
// it is bound to, which may say more than url does: the port, if that was 0.
func listen(url string, maxMessageSize int64, peerEvent mangos.PipeEventHook) (mangos.Socket, string, error) {
	sock, err := rep.NewSocket()
	if err != nil {
		return nil, "", fmt.Errorf("rgoipc: cannot open a socket: %w", err)
	}
	sock.SetPipeEventHook(peerEvent)
	fail := func(err error) (mangos.Socket, string, error) {
		return nil, "", errors.Join(fmt.Errorf("rgoipc: cannot listen at %q: %w", url, err), sock.Close())
	}
	if err := sock.SetOption(mangos.OptionMaxRecvSize, int(maxMessageSize)); err != nil {
		return fail(err)
	}
	listener, err := sock.NewListener(url, nil)
	if err != nil {
		return fail(err)
	}
	if err := restrict(listener, url); err != nil {
		return fail(err)
	}
	if err := listener.Listen(); err != nil {
		return fail(err)
	}
	return sock, listener.Address(), nil
}

// restrict lets nobody but the user connect to an ipc listener.
func restrict(listener mangos.Listener, url string) error {
	if !strings.HasPrefix(url, "ipc://") {
		return nil
	}
	if runtime.GOOS == "windows" {
		descriptor, err := ownerOnly()
		if err != nil {
			return err
		}
		return listener.SetOption(ipc.OptionSecurityDescriptor, descriptor)
	}
	return listener.SetOption(ipc.OptionIpcSocketPermissions, uint32(0o600))
}

// ownerOnly returns the Windows security descriptor that grants all rights to
// the user that runs the program and none to anybody else.
func ownerOnly() (string, error) {
	me, err := user.Current()
	if err != nil {
		return "", fmt.Errorf("rgoipc: cannot tell who runs this program: %w", err)
	}
	return fmt.Sprintf("D:P(A;;GA;;;%s)", me.Uid), nil
}
