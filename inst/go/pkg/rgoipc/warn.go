package rgoipc

import (
	"context"
	"fmt"
)

// maxWarning is how many bytes of a warning are sent.
const maxWarning = 4 << 10

// Warn raises a warning in R, of the call of that context. The function goes on. R is told
// of at most 50 warnings at a time, and how many more there were.
// Where nobody listens nothing happens.
func Warn(ctx context.Context, format string, args ...any) {
	if x := exchangeOf(ctx); x != nil {
		x.notify(event{Kind: eventWarning, Text: shortened(fmt.Sprintf(format, args...), maxWarning)})
	}
}
