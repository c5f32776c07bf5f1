//go:build !linux

package fileserver

import (
	"io"
	"net"
	"sync/atomic"
)

// countedConn is a connection that tells how much its client has received, as far as that is known:
// what was given to the kernel.
type countedConn struct {
	*net.TCPConn
	written atomic.Int64
}

// acknowledged returns the number of bytes that were given to the kernel.
func (c *countedConn) acknowledged() uint64 { return uint64(c.written.Load()) }

// Write counts what is given to the kernel.
func (c *countedConn) Write(p []byte) (int, error) {
	n, err := c.TCPConn.Write(p)
	c.written.Add(int64(n))
	return n, err
}

// ReadFrom lets the kernel copy a file, in pieces that can be counted.
func (c *countedConn) ReadFrom(src io.Reader) (int64, error) {
	limited, ok := src.(*io.LimitedReader)
	if !ok {
		limited = &io.LimitedReader{R: src, N: 1<<63 - 1}
	}
	var sum int64
	for limited.N > 0 {
		n, err := c.TCPConn.ReadFrom(&io.LimitedReader{R: limited.R, N: min(limited.N, maxBuffered)})
		sum += n
		limited.N -= n
		c.written.Add(n)
		if n == 0 || err != nil {
			return sum, err
		}
	}
	return sum, nil
}
