//go:build !windows

package parent

import (
	"context"
	"os"
	"time"
)

// tickTime is the time between two looks of tick.
const tickTime = 200 * time.Millisecond

// tick waits until process pid is no longer the parent and returns true, or until ctx ends
// and returns false. A process whose parent ends gets another parent.
func tick(ctx context.Context, pid int) bool {
	ticker := time.NewTicker(tickTime)
	defer ticker.Stop()
	for os.Getppid() == pid {
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
		}
	}
	return true
}
