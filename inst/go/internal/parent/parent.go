// Package parent tells a program when the process that started it has ended, and removes
// what that process has left.
package parent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Variable is the environment variable with the process id of the parent that a program
// must not outlive.
const Variable = "MANGORO_PARENT"

// DirVariable is the environment variable with the temporary directory of the parent.
const DirVariable = "MANGORO_DIR"

// The names of such directories, and of others that the parent has made elsewhere: each is
// noted in a file at-<name>, which has its path. Nothing else is ever removed.
var (
	dirName   = regexp.MustCompile("^mangoro-[0-9a-f]{4}-[0-9a-f]{4}$")
	notedName = regexp.MustCompile(`^(\.new|trash)-[0-9a-f]{4}-[0-9a-f]{4}$`)
)

// ErrGone is the cause of a context that has ended because the parent has.
var ErrGone = errors.New("the process that started this one has ended")

// Parent is the process that a program must not outlive.
type Parent struct {
	// PID is its process id, or 0: the program may outlive it.
	PID int
	// Dir is its temporary directory, or empty.
	Dir string
}

// FromEnvironment returns the parent that [Variable] and [DirVariable] describe, and unsets
// them: they are not meant for the children of this process.
func FromEnvironment() (Parent, error) {
	text, dir := os.Getenv(Variable), os.Getenv(DirVariable)
	if text == "" {
		return Parent{}, nil
	}
	pid, err := strconv.Atoi(text)
	if err != nil || pid < 1 {
		return Parent{}, fmt.Errorf("%s must be the id of a process, not %q", Variable, text)
	}
	return Parent{PID: pid, Dir: dir}, errors.Join(os.Unsetenv(Variable), os.Unsetenv(DirVariable))
}

// Clean removes the directory of a parent that has ended, and does nothing if it lives. The
// directory must have the name and the mode of such directories, belong to the user, and
// not be a link.
func (p Parent) Clean(ctx context.Context) error {
	gone := errors.Is(context.Cause(ctx), ErrGone) || os.Getppid() != p.PID
	if p.PID == 0 || !gone || !isOurs(p.Dir, dirName) {
		return nil
	}
	notes, _ := filepath.Glob(filepath.Join(p.Dir, "at-*")) // the pattern is a good one
	var errs []error
	for _, note := range notes {
		if text, err := os.ReadFile(note); err == nil {
			if noted := strings.TrimSuffix(string(text), "\n"); isOurs(noted, notedName) {
				errs = append(errs, remove(noted))
			}
		}
	}
	err := errors.Join(errs...)
	if err == nil { // the notes last: what could not be removed is still known by them
		err = remove(p.Dir)
	}
	if err != nil {
		return fmt.Errorf("cannot remove what the process that started this one has left: %w", err)
	}
	return nil
}

// isOurs tells whether dir is a directory of the user's with such a name.
func isOurs(dir string, name *regexp.Regexp) bool {
	if !filepath.IsAbs(dir) || !name.MatchString(filepath.Base(dir)) {
		return false
	}
	info, err := os.Lstat(dir)
	return err == nil && info.IsDir() && isOwn(info)
}

// remove removes a directory. Other processes that the parent has started may still be
// writing there as they end, so it tries more than once.
func remove(dir string) (err error) {
	for range cleanAttempts {
		if err = os.RemoveAll(dir); err == nil {
			return nil
		}
	}
	return err
}

// cleanAttempts is how often remove tries.
const cleanAttempts = 3

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
