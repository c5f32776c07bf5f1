package parent

import (
	"context"
	"os"

	"golang.org/x/sys/unix"
)

// gone does what tick does, but is woken by the system when the process has ended.
func gone(ctx context.Context, pid int) bool {
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if err != nil { // gone already, or a system older than 5.10, or a sandbox
		return tick(ctx, pid)
	}
	process := os.NewFile(uintptr(fd), "parent")
	defer process.Close()
	if os.Getppid() != pid { // it has ended, and the id may have a new owner
		return true
	}
	stop := context.AfterFunc(ctx, func() { _ = process.Close() }) // ends the wait
	defer stop()
	return ended(process) || ctx.Err() == nil && tick(ctx, pid)
}

// ended waits for the end of a process and tells whether it has ended.
func ended(process *os.File) bool {
	conn, err := process.SyscallConn()
	if err != nil {
		return false
	}
	over := false
	err = conn.Read(func(fd uintptr) bool {
		ready := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(ready, 0)
		over = err == nil && n > 0
		return over
	})
	return err == nil && over
}
