package parent

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

// The system tells of the end of a process without anyone looking.
func TestEnded(t *testing.T) {
	for name, over := range map[string]bool{"killed": true, "stopped waiting": false} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			other := exec.CommandContext(ctx, os.Args[0])
			other.Env = append(os.Environ(), roleVariable+"=parent", "CHILD_ROLE=none")
			if _, err := other.StdinPipe(); err != nil { // it lives until this ends
				t.Fatal(err)
			}
			if err := other.Start(); err != nil {
				t.Fatal(err)
			}
			fd, err := unix.PidfdOpen(other.Process.Pid, unix.PIDFD_NONBLOCK)
			if err != nil {
				t.Fatal(err)
			}
			process := os.NewFile(uintptr(fd), "other")
			defer process.Close()
			result := make(chan bool)
			go func() { result <- ended(process) }()
			if over {
				cancel()
			} else if err := process.Close(); err != nil {
				t.Fatal(err)
			}
			if got := <-result; got != over {
				t.Errorf("ended is %v", got)
			}
			cancel()
			_ = other.Wait() // killed is an error
		})
	}
}
