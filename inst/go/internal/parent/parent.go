// Package parent tells a program when the process that started it is gone.
package parent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
)

// Variable is the environment variable with the process id of the parent that
// a program shall not outlive.
const Variable = "MANGORO_PARENT"

// ErrGone is the cause of a context that has ended with the parent.
var ErrGone = errors.New("the process that started this one is gone")

// FromEnvironment returns the process id in [Variable], or 0 if it is not set.
// It unsets the variable: it is not meant for the children of this process.
func FromEnvironment() (int, error) {
	text, set := os.LookupEnv(Variable)
	if !set || text == "" {
		return 0, nil
	}
	pid, err := strconv.Atoi(text)
	if err != nil || pid < 1 {
		return 0, fmt.Errorf("%s must be the id of a process, and is %q", Variable, text)
	}
	return pid, os.Unsetenv(Variable)
}

// Watch returns a context that ends with ctx, and with the cause [ErrGone] as
// soon as process pid is not the parent of this one. The caller calls stop when
// it no longer needs the context.
func Watch(ctx context.Context, pid int) (watched context.Context, stop func()) {
	watched, cancel := context.WithCancelCause(ctx)
	go func() {
		if gone(watched, pid) {
			cancel(ErrGone)
		}
	}()
	return watched, func() { cancel(nil) }
}
