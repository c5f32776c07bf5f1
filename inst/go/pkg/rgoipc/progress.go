package rgoipc

import "context"

// Progress tells R how far the call of that context is: done of total steps, whose label says
// what they are. A total of 0 is not known. R shows it as a progress bar. It may be called
// as often as one likes, from any goroutine: about ten times a second the newest is sent.
// Where nobody listens nothing happens.
func Progress(ctx context.Context, done, total int64, label string) {
	if x := exchangeOf(ctx); x != nil {
		x.notify(event{Kind: eventProgress, Done: done, Total: total, Label: label})
	}
}
