package rgoipc

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"time"
)

// maxTimeout is the longest time that a call is given: beyond it there might as
// well be no limit.
const maxTimeout = 365 * 24 * time.Hour

// timeoutOf returns the time that a call has if the metadata of its request says
// so: {"timeout_ms": 500}. Anything else in there is not ours to judge. 0: there is
// no limit.
func timeoutOf(metadata string) time.Duration {
	if metadata == "" {
		return 0
	}
	var call struct {
		TimeoutMS float64 `json:"timeout_ms"`
	}
	if err := json.Unmarshal([]byte(metadata), &call); err != nil {
		return 0
	}
	if !(call.TimeoutMS > 0 && call.TimeoutMS < float64(maxTimeout/time.Millisecond)) {
		return 0
	}
	return time.Duration(call.TimeoutMS * float64(time.Millisecond))
}

// timeouts remembers the metadata read last: one call's is mostly the next one's.
type timeouts struct{ last atomic.Pointer[timeout] }

type timeout struct {
	metadata string
	limit    time.Duration
}

// maxRemembered is the length of the longest metadata that is kept.
const maxRemembered = 256

func (t *timeouts) of(metadata string) time.Duration {
	if last := t.last.Load(); last != nil && last.metadata == metadata {
		return last.limit
	}
	limit := timeoutOf(metadata)
	if len(metadata) <= maxRemembered {
		t.last.Store(&timeout{metadata, limit})
	}
	return limit
}

// context returns the context of a call. A function that is given it may wait for
// its end. For all others, which are stopped between rows at most, it need not
// wake anybody up.
func (f *Function) context(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	switch waits := f.typed != nil && f.typed.context; {
	case waits:
		return callContext(ctx, limit)
	case limit == 0:
		return ctx, func() {}
	default:
		return until{ctx, time.Now().Add(limit)}, func() {}
	}
}

// callContext returns a context that ends after the limit, if there is one, or when
// it is cancelled.
func callContext(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if limit == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, limit)
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
