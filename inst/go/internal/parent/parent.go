// Package parent tells a program when the process that started it is gone, and
// removes what that has left.
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

// Variable is the environment variable with the process id of the parent that
// a program shall not outlive.
const Variable = "MANGORO_PARENT"

// DirVariable is the environment variable with the directory of what the parent
// keeps while it lives.
const DirVariable = "MANGORO_DIR"

// What such a directory is called, and those that it has notes of, files that are
// called at-<name> and tell where they are. Nothing else is ever removed.
var (
	dirName   = regexp.MustCompile("^mangoro-[0-9a-f]{4}-[0-9a-f]{4}$")
	notedName = regexp.MustCompile(`^(\.new|trash)-[0-9a-f]{4}-[0-9a-f]{4}$`)
)

// ErrGone is the cause of a context that has ended with the parent.
var ErrGone = errors.New("the process that started this one is gone")

// Parent is the process that a program shall not outlive.
type Parent struct {
	// PID is its process id, or 0 if there is none to care about.
	PID int
	// Dir is the directory of what it keeps while it lives, or empty.
	Dir string
}

// FromEnvironment returns what [Variable] and [DirVariable] say. It unsets them:
// they are not meant for the children of this process.
func FromEnvironment() (Parent, error) {
	text, dir := os.Getenv(Variable), os.Getenv(DirVariable)
	if text == "" {
		return Parent{}, nil
	}
	pid, err := strconv.Atoi(text)
	if err != nil || pid < 1 {
		return Parent{}, fmt.Errorf("%s must be the id of a process, and is %q", Variable, text)
	}
	return Parent{PID: pid, Dir: dir}, errors.Join(os.Unsetenv(Variable), os.Unsetenv(DirVariable))
}

// Clean removes the directory of a parent that is gone, and does nothing if it
// lives. Only a directory is removed, not a link to one, that has the name and the
// mode that such directories have and belongs to the user.
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
		return fmt.Errorf("what the process that started this one has left cannot be removed: %w", err)
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

// remove removes a directory. Others that the parent has left may still write
// there, and end in these moments.
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
