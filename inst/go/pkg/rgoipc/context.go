package rgoipc

import (
	"context"
	"time"
)

// context returns the context of a call. If waits is false, nothing waits for its end: a
// function that does not take the context is only stopped between rows.
func (k *pendingCall) context(waits bool) (context.Context, context.CancelFunc) {
	switch {
	case waits && k.deadline.IsZero():
		return context.WithCancel(k.ctx)
	case waits:
		return context.WithDeadline(k.ctx, k.deadline)
	case k.deadline.IsZero():
		return k.ctx, func() {}
	default:
		return until{k.ctx, k.deadline}, func() {}
	}
}

// until is a context whose deadline is seen by Err, not by Done. It needs no timer, which
// would take 0.6 µs of the 8 µs of a small call.
type until struct {
	context.Context
	deadline time.Time
}

func (u until) Deadline() (time.Time, bool) { return u.deadline, true }

func (u until) Err() error {
	if err := u.Context.Err(); err != nil {
		return err
	}
	if time.Now().Before(u.deadline) {
		return nil
	}
	return context.DeadlineExceeded
}
