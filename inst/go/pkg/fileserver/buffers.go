package fileserver

import (
	"sync"
	"sync/atomic"
)

// maxBuffered is the largest part of a file that is read before its answer begins.
const maxBuffered = 64 << 10

// buffer holds such a part while it is sent, which ends when the client reads.
type buffer [maxBuffered]byte

// buffers are those of all servers.
var buffers = bufferPool{most: 256}

// bufferPool has no more than a number of buffers in use: clients that ask and do not read would hold one each.
type bufferPool struct {
	most int64
	used atomic.Int64
	free sync.Pool
}

// take returns a buffer, nil if too many are in use. Give it back.
func (p *bufferPool) take() *buffer {
	if p.used.Add(1) > p.most {
		p.used.Add(-1)
		return nil
	}
	if b, ok := p.free.Get().(*buffer); ok {
		return b
	}
	return new(buffer)
}

func (p *bufferPool) give(b *buffer) {
	p.free.Put(b)
	p.used.Add(-1)
}
