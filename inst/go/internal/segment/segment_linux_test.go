package segment

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// memfd makes a segment as R does.
func memfd(t testing.TB, size int64) *os.File {
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
	if _, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK); err != nil {
		t.Fatal(err)
	}
	return f
}

func name(f *os.File, generation uint32) Name { return Name{uint32(f.Fd()), generation} }

func TestReadAndOffer(t *testing.T) {
	table := NewTable(os.Getpid())
	defer table.Close()
	f := memfd(t, 4096)
	if _, err := f.WriteAt([]byte("abc"), 64); err != nil {
		t.Fatal(err)
	}
	got, release, err := table.Read(name(f, 1), 64, 3)
	if err != nil || string(got) != "abc" {
		t.Fatalf("%q, %v", got, err)
	}
	defer release()
	r, err := table.Offer(name(f, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	a, b := r.Alloc(100), Make[float64](r, 1<<20)
	if len(a) != 100 || len(b) != 1<<20 {
		t.Fatalf("%d, %d", len(a), len(b))
	}
	if at, ok := r.Offset(a); at != 0 || !ok {
		t.Errorf("a at %d, %v", at, ok)
	}
	b[1<<20-1] = 1.5
	if st, err := f.Stat(); err != nil || st.Size() < 128+8<<20 {
		t.Fatalf("%v, %v", st.Size(), err)
	}
	if string(got) != string(a[64:67]) {
		t.Errorf("%q", a[64:67])
	}
}
