//go:build !windows

package parent

import (
	"io/fs"
	"os"
	"syscall"
)

// isOwn tells whether a directory is the user's, and nobody else's to enter.
func isOwn(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid() && info.Mode().Perm()&0o077 == 0
}
