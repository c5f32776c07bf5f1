package rgoipc

import (
	"context"
	"sync/atomic"
	"time"
)

// callContext is the context of a call, whose end is seen by Err, not by Done: it needs no
// timer and nothing of its parent, which would take a third of the time of a small call.
type callContext struct {
	context.Context           // of the server
	deadline        time.Time // zero: there is none
	cancelled       atomic.Bool
	stop            atomic.Pointer[context.CancelFunc] // of the context that is waited for
}

func (c *callContext) Deadline() (time.Time, bool) { return c.deadline, !c.deadline.IsZero() }

func (c *callContext) Err() error {
	if err := c.Context.Err(); err != nil {
		return err
	}
	switch {
	case c.cancelled.Load():
		return context.Canceled
	case !c.deadline.IsZero() && !time.Now().Before(c.deadline):
		return context.DeadlineExceeded
	}
	return nil
}

func (c *callContext) cancel() {
	c.cancelled.Store(true)
	if stop := c.stop.Load(); stop != nil {
		(*stop)()
	}
}

// forFunction returns the context as a function gets it. If waits is false, nothing waits
// for its end: a function that does not take the context is only stopped between rows.
func (c *callContext) forFunction(waits bool) (context.Context, context.CancelFunc) {
	if waits {
		return c.waitable()
	}
	return c, func() {}
}

// waitable returns the context as one whose Done shows its end.
func (c *callContext) waitable() (ctx context.Context, stop context.CancelFunc) {
	if c.deadline.IsZero() {
		ctx, stop = context.WithCancel(c.Context)
	} else {
		ctx, stop = context.WithDeadline(c.Context, c.deadline)
	}
	c.stop.Store(&stop)
	if c.cancelled.Load() {
		stop()
	}
	return ctx, stop
}
