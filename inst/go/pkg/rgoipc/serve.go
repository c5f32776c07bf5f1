package rgoipc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mangoro.local/internal/parent"
	"mangoro.local/internal/rep"
)

// Defaults of the options of [Serve].
const (
	// DefaultMaxMessageSize is the largest request that is accepted, in bytes: 4 GiB,
	// or what an int can hold.
	DefaultMaxMessageSize = min(4<<30, int64(^uint(0)>>1))
	// DefaultMaxCalls is the number of calls run at the same time.
	DefaultMaxCalls = 64
	// DefaultGracePeriod is how long a server that is told to stop waits for
	// the calls that run.
	DefaultGracePeriod = 5 * time.Second
)

// orphanTime is the longest grace period of a server that stops because its parent has
// ended: nothing waits for the results of its calls.
const orphanTime = 500 * time.Millisecond

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
		return c, fmt.Errorf("rgoipc: the grace period must not be negative, but is %v", c.gracePeriod)
	}
	return c, nil
}

// WithTitle sets the word that [Main] announces the server with, "Server" by
// default: "Server listening on ipc:///tmp/x.ipc".
func WithTitle(title string) Option { return func(c *config) { c.title = title } }

// WithMaxMessageSize sets the largest request that is accepted, in bytes. A peer that sends
// a larger one is disconnected. While replies of more bytes wait for a peer to read them,
// no requests are read from it. The default is [DefaultMaxMessageSize].
func WithMaxMessageSize(bytes int64) Option { return func(c *config) { c.maxMessageSize = bytes } }

// WithMaxCalls sets how many calls run at the same time. Further ones wait for their turn,
// within the limits that [Serve] describes.
// The default is [DefaultMaxCalls].
func WithMaxCalls(n int) Option { return func(c *config) { c.maxCalls = n } }

// WithGracePeriod sets how long a server that is told to stop waits for the
// calls that run. 0 does not wait. The default is [DefaultGracePeriod].
func WithGracePeriod(d time.Duration) Option { return func(c *config) { c.gracePeriod = d } }

// WithReady has f called with the server's address once it listens, before
// the first request is answered. The default does nothing.
func WithReady(f func(url string)) Option { return func(c *config) { c.ready = f } }

// Serve answers requests at url until ctx ends, each on a goroutine of its own, so that a
// slow function does not hold up a fast one. It then accepts no more requests, ends the
// contexts of the calls that run, waits for them for at most the grace period, and returns
// nil, or an error if calls still run. Serve fails at once if it cannot listen at url.
//
// A call is given up when its time is over, when it is cancelled, and when the connection
// that it came over has ended. Its context ends, and it no longer counts as one of the
// calls that run, even if its function goes on.
//
// Further calls fail at once with [CodeResourceExhausted] when
//
//   - 1024 calls wait for their turn,
//   - 4 times as many calls go on after they were given up as may run ([WithMaxCalls]), or
//   - the requests of the calls that wait, or of those that go on, have more bytes than the
//     largest message ([WithMaxMessageSize]).
//
// The manifest, and the cancelling of a call, are always answered.
func Serve(ctx context.Context, url string, registry *Registry, opts ...Option) error {
	config, err := newConfig(opts)
	if err != nil {
		return err
	}
	dispatcher := newDispatcher(ctx, registry, newLimits(config))
	server := rep.NewServer(dispatcher.connect, config.maxMessageSize)
	dispatcher.shared, dispatcher.begin, dispatcher.end = sharesMemory(url), server.Begin, server.End
	address, err := listen(server.Socket, url, config.maxMessageSize)
	if err != nil {
		return err
	}
	config.ready(address)
	<-ctx.Done()
	err = errors.Join(stop(server, config.grace(ctx)), server.Socket.Close())
	dispatcher.objects.Close(config.grace(ctx))
	return err
}

// grace returns how long to wait for the calls that run when ctx has ended.
func (c config) grace(ctx context.Context) time.Duration {
	if errors.Is(context.Cause(ctx), parent.ErrGone) {
		return min(c.gracePeriod, orphanTime)
	}
	return c.gracePeriod
}

func stop(server *rep.Server, grace time.Duration) error {
	if left := server.Stop(grace); left > 0 {
		return fmt.Errorf("rgoipc: %d calls still ran %v after the server was told to stop", left, grace)
	}
	return nil
}
