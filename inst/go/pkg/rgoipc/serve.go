package rgoipc

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.nanomsg.org/mangos/v3"

	"mangoro.local/internal/parent"
)

// Defaults of the options of [Serve].
const (
	// DefaultMaxMessageSize is the largest request taken, in bytes: 4 GiB,
	// where an int can hold it.
	DefaultMaxMessageSize = min(4<<30, int64(^uint(0)>>1))
	// DefaultMaxCalls is the number of calls run at the same time.
	DefaultMaxCalls = 64
	// DefaultGracePeriod is how long a server that is told to stop waits for
	// the calls that run.
	DefaultGracePeriod = 5 * time.Second
)

// orphanTime is the grace period at most of a server that stops because its
// parent is gone: nobody waits for what the calls return.
const orphanTime = 500 * time.Millisecond

// lingerTime is how long a reply may take to leave the process once mangos has
// it: a socket that closes drops what it has not written, and does not say
// when it has written all.
const lingerTime = 250 * time.Millisecond

const (
	// maxIdle is the number of contexts kept open after a burst of calls.
	maxIdle = 4
	// maxWaiting is the number of calls that wait for their turn with a context of
	// their own, so that one is free for those who would cancel a call.
	maxWaiting = 1024
)

// Option changes how [Serve] and [Main] serve.
type Option func(*config)

type config struct {
	title          string
	maxMessageSize int64
	maxCalls       int
	gracePeriod    time.Duration
	ready          func(url string)
}

func newConfig(opts []Option) (config, error) {
	c := config{
		title:          "Server",
		maxMessageSize: DefaultMaxMessageSize,
		maxCalls:       DefaultMaxCalls,
		gracePeriod:    DefaultGracePeriod,
		ready:          func(string) {},
	}
	for _, opt := range opts {
		opt(&c)
	}
	switch {
	case c.maxMessageSize < headerLen || c.maxMessageSize > int64(^uint(0)>>1):
		return c, fmt.Errorf("rgoipc: a largest message of %d bytes is out of range", c.maxMessageSize)
	case c.maxCalls < 1:
		return c, fmt.Errorf("rgoipc: the number of calls at the same time must be at least 1, not %d", c.maxCalls)
	case c.gracePeriod < 0:
		return c, fmt.Errorf("rgoipc: the grace period must not be negative, and is %v", c.gracePeriod)
	}
	return c, nil
}

// WithTitle sets the word that [Main] announces the server with, "Server" by
// default: "Server listening on ipc:///tmp/x.ipc".
func WithTitle(title string) Option { return func(c *config) { c.title = title } }

// WithMaxMessageSize sets the largest request taken, in bytes. Who sends more
// is disconnected. The default is [DefaultMaxMessageSize].
func WithMaxMessageSize(bytes int64) Option { return func(c *config) { c.maxMessageSize = bytes } }

// WithMaxCalls sets how many calls run at the same time; further ones wait for
// their turn, as long as they have time.
// The default is [DefaultMaxCalls].
func WithMaxCalls(n int) Option { return func(c *config) { c.maxCalls = n } }

// WithGracePeriod sets how long a server that is told to stop waits for the
// calls that run. 0 does not wait. The default is [DefaultGracePeriod].
func WithGracePeriod(d time.Duration) Option { return func(c *config) { c.gracePeriod = d } }

// WithReady has f called with the server's address once it listens, before
// the first request is answered. The default does nothing.
func WithReady(f func(url string)) Option { return func(c *config) { c.ready = f } }

// Serve answers requests at url until ctx ends, each on a goroutine of its
// own, so that a slow function does not hold up a fast one. It then takes no
// more, ends the context of the calls that run, waits for them as long as the
// grace period, and returns nil; calls still running are left behind with an
// error. Serve fails at once if it cannot listen at url.
func Serve(ctx context.Context, url string, registry *Registry, opts ...Option) error {
	config, err := newConfig(opts)
	if err != nil {
		return err
	}
	s := &server{ctx: ctx, config: config, responder: newResponder(registry, config.maxCalls), idle: make(map[mangos.Context]bool)}
	sock, address, err := listen(url, config.maxMessageSize, s.peerEvent)
	if err != nil {
		return err
	}
	s.sock = sock
	config.ready(address)
	if err := s.start(); err != nil {
		return errors.Join(err, sock.Close())
	}
	<-ctx.Done()
	return errors.Join(s.stop(), sock.Close())
}

// server is what the goroutines of Serve share.
type server struct {
	ctx       context.Context // ends when the server is told to stop
	config    config
	responder *responder
	sock      mangos.Socket

	workers sync.WaitGroup

	mu        sync.Mutex // protects what follows
	idle      map[mangos.Context]bool
	busy      int
	stopping  bool
	lastReply time.Time
	peers     int
	alone     chan struct{} // closed when the last peer leaves a server that stops; nil before
}

// start opens one more context, with a goroutine that answers on it.
func (s *server) start() error {
	c, err := s.sock.OpenContext()
	if err != nil {
		return fmt.Errorf("rgoipc: cannot open a context: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idle[c] = true
	s.workers.Add(1)
	go s.work(c)
	return nil
}

// work answers requests on a context until it is closed or no longer needed.
func (s *server) work(c mangos.Context) {
	defer s.workers.Done()
	defer c.Close() // an error would say that it is closed already
	for {
		request, err := c.RecvMsg()
		if err != nil {
			return // closed: nothing else ends a wait without a deadline
		}
		s.begin(c)
		// The request's memory is not given back to mangos: the record, and
		// whoever retained it, may still look at it.
		reply := mangos.NewMessage(0)
		reply.Body = s.responder.respond(s.ctx, request.Body)
		err = c.SendMsg(reply)
		if !s.end(c) || err != nil {
			return
		}
	}
}

// begin marks a context as busy, and opens another one if it was the last
// that was free.
func (s *server) begin(c mangos.Context) {
	s.mu.Lock()
	delete(s.idle, c)
	s.busy++
	more := len(s.idle) == 0 && s.busy < s.config.maxCalls+maxWaiting && !s.stopping
	s.mu.Unlock()
	if more {
		// Without it the server is slower, not wrong: the call that runs frees
		// its own context.
		_ = s.start()
	}
}

// end marks a context as free again, and tells whether it is still needed.
func (s *server) end(c mangos.Context) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy--
	s.lastReply = time.Now()
	if s.stopping || len(s.idle) >= maxIdle {
		return false
	}
	s.idle[c] = true
	return true
}

// stop ends the free contexts, waits for the busy ones and for their replies
// to leave.
func (s *server) stop() error {
	s.mu.Lock()
	s.stopping = true
	for c := range s.idle {
		_ = c.Close() // an error would say that it is closed already
	}
	s.mu.Unlock()

	grace := s.config.gracePeriod
	if errors.Is(context.Cause(s.ctx), parent.ErrGone) {
		grace = min(grace, orphanTime)
	}
	done := make(chan struct{})
	go func() { s.workers.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(grace):
		s.mu.Lock()
		defer s.mu.Unlock()
		return fmt.Errorf("rgoipc: %d calls still ran %v after the server was told to stop", s.busy, grace)
	}
	s.linger()
	return nil
}

// linger gives the last replies the time to leave: until the peers are gone,
// but no longer than lingerTime after the last reply.
func (s *server) linger() {
	s.mu.Lock()
	alone := make(chan struct{})
	if s.peers == 0 {
		close(alone)
	} else {
		s.alone = alone
	}
	left := lingerTime - time.Since(s.lastReply)
	s.mu.Unlock()
	if left <= 0 {
		return
	}
	select {
	case <-alone:
	case <-time.After(left):
	}
}

// peerEvent counts who is connected.
func (s *server) peerEvent(event mangos.PipeEvent, _ mangos.Pipe) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch event {
	case mangos.PipeEventAttached:
		s.peers++
	case mangos.PipeEventDetached:
		s.peers--
		if s.peers == 0 && s.alone != nil {
			close(s.alone)
			s.alone = nil
		}
	}
}
