package rgoipc

import (
	"context"
	"time"
)

// context returns the context of a call. A function that takes it may wait for its end.
// For all others, which are stopped between rows at most, it need not wake anybody up.
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

// until is a context for those that ask it whether it has ended. It has no timer,
// which costs more than many a call, and so does not tell on Done that its time is
// up.
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
