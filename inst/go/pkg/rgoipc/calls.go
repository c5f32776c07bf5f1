package rgoipc

import (
	"context"
	"sync"
)

// calls are those that can be cancelled, by the ids that their callers gave them.
// The zero value is ready for use.
type calls struct {
	mu      sync.Mutex
	running map[string]*cancellable
}

type cancellable struct{ cancel context.CancelFunc }

// begin returns the context of a call, which ends when somebody cancels it, or with
// the call. Of calls with the same id the last one can be cancelled, and one without
// an id cannot.
func (c *calls) begin(ctx context.Context, id string) (context.Context, context.CancelFunc) {
	if id == "" {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	call := &cancellable{cancel}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running == nil {
		c.running = make(map[string]*cancellable)
	}
	c.running[id] = call
	return ctx, func() { c.end(id, call) }
}

func (c *calls) end(id string, call *cancellable) {
	call.cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running[id] == call {
		delete(c.running, id)
	}
}

// cancel ends the context of a call. One that has ended is none.
func (c *calls) cancel(id string) {
	c.mu.Lock()
	call := c.running[id]
	c.mu.Unlock()
	if call != nil {
		call.cancel()
	}
}
