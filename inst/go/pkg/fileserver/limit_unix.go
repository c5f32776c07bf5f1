//go:build unix

package fileserver

import "syscall"

// maxFiles returns how many files the process may open; Go's runtime has raised that to what is allowed.
func maxFiles() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return int(min(uint64(limit.Cur), 1<<30)) //nolint:unconvert // int64 on some platforms
}
