package fileserver

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// stallTime is how long an answer may make no progress at all before its connection is closed. There
	// is no limit to how long it takes as a whole: a slow reader is welcome.
	stallTime = 2 * time.Minute
	// watchTime is the time between two looks at the connections.
	watchTime = 5 * time.Second
	// manyIdle is the number of connections from which idle ones are closed sooner than others, after shortIdle.
	manyIdle  = 2000
	shortIdle = 10 * time.Second
	// retryAfter is what clients are told that were turned away, in seconds.
	retryAfter = "10"
	// complainTime is the shortest time between two lines of the log on the limit of connections.
	complainTime = time.Minute
)

// watcher looks after the connections of a server: it limits their number, and closes those that
// make no progress.
type watcher struct {
	net.Listener
	config *Config
	max    int

	mu         sync.Mutex
	open       map[*watchedConn]struct{}
	complained time.Time
}

// watchedConn is a connection. It is a TCP connection all the same, so that the kernel can send files.
type watchedConn struct {
	countedConn
	watcher *watcher
	close   sync.Once

	busy  atomic.Bool  // an answer is under way
	since atomic.Int64 // when it last became busy, idle, or was accepted, in nanoseconds since 1970

	// Those of the goroutine that watches.
	progress   uint64
	progressAt time.Time
}

func watch(listener net.Listener, config *Config, limit int) *watcher {
	return &watcher{Listener: listener, config: config, max: limit, open: make(map[*watchedConn]struct{})}
}

// Accept returns the next connection. If there are too many, it closes the one that is idle for
// longest, or turns the new one away.
func (w *watcher) Accept() (net.Conn, error) {
	for {
		accepted, err := w.Listener.Accept()
		if err != nil {
			return nil, err
		}
		tcp, ok := accepted.(*net.TCPConn)
		if !ok {
			return accepted, nil
		}
		conn := &watchedConn{countedConn: countedConn{TCPConn: tcp}, watcher: w}
		conn.since.Store(time.Now().UnixNano())
		if w.admit(conn) {
			return conn, nil
		}
		w.refuse(tcp)
	}
}

// admit takes a connection among the open ones, unless there are too many.
func (w *watcher) admit(conn *watchedConn) bool {
	w.mu.Lock()
	var oldest *watchedConn
	if len(w.open) >= w.max {
		for other := range w.open {
			if !other.busy.Load() && (oldest == nil || other.since.Load() < oldest.since.Load()) {
				oldest = other
			}
		}
	}
	ok := len(w.open) < w.max || oldest != nil
	if ok {
		w.open[conn] = struct{}{}
	}
	complain := (!ok || oldest != nil) && time.Since(w.complained) >= complainTime
	if complain {
		w.complained = time.Now()
	}
	w.mu.Unlock()
	if complain {
		w.config.logf("%d connections are open, the most there may be: idle ones are closed, and new ones turned away", w.max)
	}
	if oldest != nil {
		_ = oldest.Close()
	}
	return ok
}

// refuse turns a connection away.
func (w *watcher) refuse(conn *net.TCPConn) {
	if !w.config.TLS {
		_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
		_, _ = conn.Write([]byte("HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nRetry-After: " + retryAfter + "\r\n" +
			"Cache-Control: no-store\r\nConnection: close\r\nContent-Length: 25\r\n\r\n503 too many connections\n"))
	}
	_ = conn.Close()
}

// count returns the number of open connections.
func (w *watcher) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.open)
}

// Close closes the connection.
func (c *watchedConn) Close() error {
	c.close.Do(func() {
		c.watcher.mu.Lock()
		delete(c.watcher.open, c)
		c.watcher.mu.Unlock()
	})
	return c.TCPConn.Close()
}

// connState is told by http.Server what a connection does.
func connState(conn net.Conn, state http.ConnState) {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	c, ok := conn.(*watchedConn)
	if !ok {
		return
	}
	switch state {
	case http.StateActive, http.StateIdle:
		c.since.Store(time.Now().UnixNano())
		c.busy.Store(state == http.StateActive)
	}
}

// run looks at the connections until it is told to end.
func (w *watcher) run(done <-chan struct{}) {
	ticker := time.NewTicker(watchTime)
	defer ticker.Stop()
	for {
		select {
		case now := <-ticker.C:
			w.look(now)
		case <-done:
			return
		}
	}
}

// look closes the connections that have made no progress for too long.
func (w *watcher) look(now time.Time) {
	w.mu.Lock()
	conns := make([]*watchedConn, 0, len(w.open))
	for c := range w.open {
		conns = append(conns, c)
	}
	w.mu.Unlock()
	for _, c := range conns {
		since := time.Unix(0, c.since.Load())
		if !c.busy.Load() {
			c.progressAt = time.Time{}
			if len(conns) > manyIdle && now.Sub(since) > shortIdle {
				_ = c.Close()
			}
			continue
		}
		progress := c.acknowledged()
		if progress != c.progress || c.progressAt.Before(since) {
			c.progress, c.progressAt = progress, now
		} else if now.Sub(c.progressAt) > stallTime {
			_ = c.Close()
		}
	}
}
