package fileserver

import (
	"net"

	"golang.org/x/sys/unix"
)

// countedConn is a connection that tells how much its client has received.
type countedConn struct{ *net.TCPConn }

// acknowledged returns the number of bytes that the client has received. What was given to the kernel
// tells little: it takes megabytes at a time.
func (c *countedConn) acknowledged() uint64 {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0
	}
	var bytes uint64
	_ = raw.Control(func(fd uintptr) {
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			bytes = info.Bytes_acked
		}
	})
	return bytes
}
