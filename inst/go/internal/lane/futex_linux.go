package lane

import (
	"math"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	futexWaitOp = 0 // FUTEX_WAIT, of memory that processes share
	futexWakeOp = 1
)

// futexWait sleeps until the word is woken; not at all if it has another value than seen. It
// may return early. Other goroutines run meanwhile.
func futexWait(word *uint32, seen uint32) {
	_, _, _ = syscall.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWaitOp, uintptr(seen), 0, 0, 0)
}

// futexWake wakes all that sleep on the word.
func futexWake(word *uint32) {
	_, _, _ = syscall.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWakeOp, math.MaxInt32, 0, 0, 0)
}

// yield lets another thread run on this processor.
func yield() { _, _, _ = syscall.Syscall(unix.SYS_SCHED_YIELD, 0, 0, 0) }

// processor returns the one that this thread runs on.
func processor() uint32 {
	var cpu uint32
	_, _, _ = syscall.RawSyscall(unix.SYS_GETCPU, uintptr(unsafe.Pointer(&cpu)), 0, 0)
	return cpu
}
