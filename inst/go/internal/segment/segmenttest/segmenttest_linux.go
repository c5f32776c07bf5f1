// Package segmenttest makes segments as R does, for tests.
package segmenttest

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"mangoro.local/internal/segment"
)

// New returns the file of a segment of this process, which the test closes.
func New(t testing.TB, size int64) *os.File {
	t.Helper()
	f := Unsealed(t, size)
	if _, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK); err != nil {
		t.Fatal(err)
	}
	return f
}

// Unsealed returns one that can be shrunk.
func Unsealed(t testing.TB, size int64) *os.File {
	t.Helper()
	fd, err := unix.MemfdCreate("mangoro", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "segment")
	t.Cleanup(func() { _ = f.Close() })
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	return f
}

// Name returns the name of a segment.
func Name(f *os.File, generation uint32) segment.Name {
	return segment.Name{FD: uint32(f.Fd()), Generation: generation}
}

// Offer returns a segment of this process that is offered for a result, and its file.
func Offer(t testing.TB, size int64) (*segment.Result, *os.File) {
	t.Helper()
	f := New(t, size)
	table := segment.NewTable(os.Getpid(), new(segment.Lapsed))
	r, err := table.Offer(Name(f, 1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Release()
		table.Close()
	})
	return r, f
}
