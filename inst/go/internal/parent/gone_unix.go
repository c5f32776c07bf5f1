//go:build !windows && !linux

package parent

import "context"

func gone(ctx context.Context, pid int) bool { return tick(ctx, pid) }
