//go:build !windows

package transport

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"

	"go.nanomsg.org/mangos/v3"
)

// staleTime is how long to wait for the answer whether a server listens at a socket file.
const staleTime = 100 * time.Millisecond

const ownerOnly fs.FileMode = 0o600

// listen binds a path, or a TCP address. Only the user can connect to a path. A
// socket file that a server has left there is replaced.
func listen(scheme, address string) (net.Listener, error) {
	if scheme != "ipc" {
		return net.Listen(scheme, address)
	}
	bound, err := listenUnix(address)
	if isInUse(err) && removeStale(address) {
		bound, err = listenUnix(address)
	}
	if isInUse(err) {
		return nil, mangos.ErrAddrInUse
	}
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(address, ownerOnly); err != nil {
		return nil, errors.Join(err, bound.Close())
	}
	return bound, nil
}

// listenUnix binds a path. On Linux its file gets the mode of the socket, so that only the
// user can connect from the start; on other systems that fails without effect.
func listenUnix(path string) (net.Listener, error) {
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) { _ = syscall.Fchmod(int(fd), uint32(ownerOnly)) })
	}}
	return config.Listen(context.Background(), "unix", path)
}

func isInUse(err error) bool {
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, syscall.EEXIST)
}

// removeStale removes a socket file at which no server listens, and tells whether it did.
// Any other file is left alone.
func removeStale(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || info.Mode().Type() != fs.ModeSocket {
		return false
	}
	conn, err := net.DialTimeout("unix", path, staleTime)
	if err == nil {
		_ = conn.Close()
		return false
	}
	return errors.Is(err, syscall.ECONNREFUSED) && os.Remove(path) == nil
}
