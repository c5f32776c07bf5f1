package transport

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os/user"

	"github.com/Microsoft/go-winio"
	"go.nanomsg.org/mangos/v3"
)

// listen makes a named pipe, or binds a TCP address. Only the user can connect to
// a pipe.
func listen(scheme, address string) (net.Listener, error) {
	if scheme != "ipc" {
		return net.Listen(scheme, address)
	}
	descriptor, err := ownerOnly()
	if err != nil {
		return nil, err
	}
	const buffers = 4096
	bound, err := winio.ListenPipe(`\\.\pipe\`+address, &winio.PipeConfig{
		SecurityDescriptor: descriptor, InputBufferSize: buffers, OutputBufferSize: buffers,
	})
	if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrPermission) {
		return nil, mangos.ErrAddrInUse // so Windows reports the pipe of another server
	}
	return bound, err
}

// ownerOnly returns the security descriptor that grants all rights to the user that runs
// the program, and none to others.
func ownerOnly() (string, error) {
	me, err := user.Current()
	if err != nil {
		return "", fmt.Errorf("cannot tell who runs this program: %w", err)
	}
	return fmt.Sprintf("D:P(A;;GA;;;%s)", me.Uid), nil
}
