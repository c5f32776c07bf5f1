//go:build !windows

package parent

import (
	"io/fs"
	"os"
	"syscall"
)

// isOwn tells whether a directory belongs to the user, and only the user can enter it.
func isOwn(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid() && info.Mode().Perm()&0o077 == 0
}
