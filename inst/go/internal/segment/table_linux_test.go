package segment

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// newSegment makes a segment as R does.
func newSegment(t *testing.T, size int64) *os.File {
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

func nameOf(f *os.File, generation uint32) Name { return Name{uint32(f.Fd()), generation} }

// testTable returns a table of the segments of this process.
func testTable(t *testing.T) *Table {
	t.Helper()
	table := NewTable(os.Getpid(), new(Lapsed))
	t.Cleanup(table.Close)
	return table
}

func (t *Table) mustRead(tt *testing.T, name Name, length uint64) (memory []byte, release func()) {
	tt.Helper()
	memory, release, err := t.Read(name, 0, length)
	if err != nil {
		tt.Fatal(err)
	}
	return memory, release
}

func (t *Table) mustFail(tt *testing.T, name Name, offset, length uint64, why string) {
	tt.Helper()
	if _, _, err := t.Read(name, offset, length); err == nil || !strings.Contains(err.Error(), why) {
		tt.Errorf("got %v, want %s", err, why)
	}
}

func TestTableChecksFiles(t *testing.T) {
	table := testTable(t)
	ordinary, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ordinary.Close() }()
	if err := ordinary.Truncate(100); err != nil {
		t.Fatal(err)
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = reader.Close(), writer.Close() }()
	directory, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = directory.Close() }()
	for why, f := range map[string]*os.File{
		"can be shrunk":         ordinary,
		"is not a regular file": reader,
		"not a regular":         directory,
		"has 0 bytes":           newSegment(t, 0),
	} {
		table.mustFail(t, nameOf(f, 1), 0, 1, why)
	}
	table.mustFail(t, Name{FD: 1 << 30}, 0, 1, "cannot open")
	table.mustFail(t, Name{FD: None}, 0, 1, "cannot open")
	if os.Geteuid() == 0 {
		foreign := newSegment(t, 100)
		if err := foreign.Chown(1, 1); err != nil {
			t.Fatal(err)
		}
		table.mustFail(t, nameOf(foreign, 1), 0, 1, "belongs to user 1")
	}
	if len(table.known) > 0 || len(table.latest) > 0 {
		t.Errorf("%d mappings and %d generations of what was refused", len(table.known), len(table.latest))
	}
}

func TestTableChecksRanges(t *testing.T) {
	table, f := testTable(t), newSegment(t, 100)
	for _, r := range []struct{ offset, length uint64 }{
		{0, 101}, {100, 1}, {101, 0}, {1 << 63, 1 << 63}, {^uint64(0), 1}, {1, ^uint64(0)}, {8, ^uint64(0) - 7},
	} {
		table.mustFail(t, nameOf(f, 1), r.offset, r.length, "leave segment")
	}
	memory, release := table.mustRead(t, nameOf(f, 1), 100)
	defer release()
	if len(memory) != 100 || cap(memory) != 100 {
		t.Errorf("%d bytes of %d", len(memory), cap(memory))
	}
}

// A segment that R has let grow is mapped anew, and its memory so far stays where it is
// while it is in use.
func TestTableFollowsGrowth(t *testing.T) {
	table, f := testTable(t), newSegment(t, 100)
	before, release := table.mustRead(t, nameOf(f, 1), 100)
	if err := f.Truncate(1 << 20); err != nil {
		t.Fatal(err)
	}
	after, releaseAfter := table.mustRead(t, nameOf(f, 1), 1<<20)
	defer releaseAfter()
	if _, err := f.WriteAt([]byte("abc"), 0); err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(before, []byte("abc")) || !bytes.HasPrefix(after, []byte("abc")) {
		t.Errorf("%q and %q", before[:3], after[:3])
	}
	release()
	if len(table.known) != 1 {
		t.Errorf("%d mappings", len(table.known))
	}
}

func TestTableKnowsGenerations(t *testing.T) {
	table, f := testTable(t), newSegment(t, 100)
	fd := int(f.Fd())
	_, release := table.mustRead(t, nameOf(f, 5), 1)
	table.mustFail(t, nameOf(f, 4), 0, 1, "superseded by generation 5")
	table.mustFail(t, nameOf(f, 5), 0, 101, "leave")

	// Another segment takes the descriptor. Without a new generation, that is an error.
	other := newSegment(t, 200)
	if err := unix.Dup3(int(other.Fd()), fd, unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	table.mustFail(t, nameOf(f, 5), 0, 101, "another file")
	_, releaseOther := table.mustRead(t, nameOf(f, 6), 200)
	defer releaseOther()
	table.mustFail(t, nameOf(f, 5), 0, 1, "superseded")
	if len(table.known) != 1 {
		t.Errorf("%d mappings", len(table.known))
	}
	release()

	// Generations begin anew after the last.
	_, releaseLast := table.mustRead(t, nameOf(other, ^uint32(0)), 1)
	releaseLast()
	_, releaseFirst := table.mustRead(t, nameOf(other, 0), 1)
	releaseFirst()
	table.mustFail(t, nameOf(other, ^uint32(0)), 0, 1, "superseded")
}

func TestTableKeepsSoManyMappings(t *testing.T) {
	table := testTable(t)
	var releases []func()
	for i := range 2 * maxKept {
		memory, release := table.mustRead(t, nameOf(newSegment(t, 10), 1), 10)
		if releases = append(releases, release); len(memory) != 10 {
			t.Fatalf("%d bytes", len(memory))
		}
		if len(table.known) != i+1 {
			t.Fatalf("%d mappings of %d in use", len(table.known), i+1)
		}
	}
	for _, release := range releases {
		release()
	}
	if len(table.known) != maxKept {
		t.Errorf("%d mappings", len(table.known))
	}
	for range 2 * maxKept {
		_, release := table.mustRead(t, nameOf(newSegment(t, 10), 1), 10)
		release()
	}
	if len(table.known) != maxKept {
		t.Errorf("%d mappings", len(table.known))
	}
}

func TestTableSweeps(t *testing.T) {
	table := testTable(t)
	gone, used, open := newSegment(t, 10), newSegment(t, 10), newSegment(t, 10)
	for _, f := range []*os.File{gone, open} {
		_, release := table.mustRead(t, nameOf(f, 1), 10)
		release()
	}
	memory, release := table.mustRead(t, nameOf(used, 1), 10)
	for _, f := range []*os.File{gone, used} {
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	table.sweep()
	if len(table.known) != 2 || table.timer == nil {
		t.Errorf("%d mappings", len(table.known))
	}
	if memory[0] != 0 {
		t.Error("memory in use has changed")
	}
	release()
	table.sweep()
	if len(table.known) != 1 {
		t.Errorf("%d mappings", len(table.known))
	}
	table.Close()
	if len(table.known) != 0 || table.timer != nil {
		t.Errorf("%d mappings after the table was closed", len(table.known))
	}
	table.mustFail(t, nameOf(open, 1), 0, 1, "has ended")
}

// For a new segment R may have closed others, whose memory would otherwise be in use twice.
func TestTableDropsClosedSegments(t *testing.T) {
	table := testTable(t)
	read := func(f *os.File) {
		t.Helper()
		_, release := table.mustRead(t, nameOf(f, 1), 10)
		release()
	}
	first, second, large, small := newSegment(t, 10), newSegment(t, 10), newSegment(t, minSweepBytes), newSegment(t, 10)
	for _, f := range []*os.File{first, second} {
		read(f)
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	read(large)
	if len(table.known) != 1 {
		t.Errorf("%d mappings after a large segment was mapped", len(table.known))
	}
	if err := large.Close(); err != nil {
		t.Fatal(err)
	}
	table.swept = table.swept.Add(-minSweepTime)
	read(small)
	if len(table.known) != 1 {
		t.Errorf("%d mappings after a while", len(table.known))
	}
}

// Segments give addresses back when there are none left, and leave some to Go's own memory.
func TestSegmentsGiveAddressesBack(t *testing.T) {
	table := testTable(t)
	alloc := func(size int) *mapping {
		t.Helper()
		r, err := table.Offer(nameOf(newSegment(t, 5000), 1))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Release()
		if m := r.m; len(r.Alloc(size)) == size {
			return m
		}
		t.Fatalf("there is no room for %d bytes", size)
		return nil
	}
	first := alloc(1 << 20)
	if first.reserved == wholePages(reservation/2) {
		t.Skip("the race detector has left no room for two segments")
	}
	if first.reserved != wholePages(reservation) {
		t.Errorf("%d bytes of addresses", first.reserved)
	}
	for size := 1 << 46; size >= reservation/2; {
		base, err := unix.MmapPtr(-1, 0, nil, uintptr(size), unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
		if err != nil {
			size /= 2
			continue
		}
		defer func(size int) { _ = unix.MunmapPtr(base, uintptr(size)) }(size)
	}
	second := alloc(1 << 20)
	if first.reserved != wholePages(first.size) || second.reserved != wholePages(reservation/2) {
		t.Errorf("%d and %d bytes of addresses", first.reserved, second.reserved)
	}
}

// A segment is offered again, and others lie where it would grow to: it moves.
func TestOfferMovesBetweenCalls(t *testing.T) {
	table, f := testTable(t), newSegment(t, 5000)
	for i, size := range []int{10_000, 50_000, 200_000} {
		r, err := table.Offer(nameOf(f, 1))
		if err != nil {
			t.Fatal(err)
		}
		next := unsafe.Add(r.m.base, r.m.reserved)
		blocked, err := unix.MmapPtr(-1, 0, next, uintptr(os.Getpagesize()), unix.PROT_NONE,
			unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_FIXED_NOREPLACE)
		if err == nil { // otherwise something lies there already
			defer func() { _ = unix.MunmapPtr(blocked, uintptr(os.Getpagesize())) }()
		}
		made := r.Alloc(size)
		if len(made) != size {
			t.Fatalf("%d bytes of %d", len(made), size)
		}
		made[0], made[size-1] = byte(i+1), byte(i+1)
		r.Release()
		for _, at := range []int{0, size - 1} {
			got := make([]byte, 1)
			if _, err := f.ReadAt(got, int64(at)); err != nil || got[0] != byte(i+1) {
				t.Errorf("byte %d is %d, %v", at, got[0], err)
			}
		}
	}
}

func TestCloseLeavesWhatIsInUse(t *testing.T) {
	table, f := testTable(t), newSegment(t, 10)
	memory, release := table.mustRead(t, nameOf(f, 1), 10)
	offer, err := table.Offer(nameOf(f, 1))
	if err != nil {
		t.Fatal(err)
	}
	table.Close()
	made := offer.Alloc(5)
	if made == nil || memory[0] != 0 {
		t.Fatal("memory is gone")
	}
	made[0] = 1
	if memory[0] != 1 {
		t.Error("the two are not the same segment")
	}
	offer.Release()
	offer.Release()
	release()
	if offer.Alloc(1) != nil {
		t.Error("there is room in a segment that was given back")
	}
	if _, ok := offer.Offset(made); ok {
		t.Error("there is an offset in a segment that was given back")
	}
}

func TestResult(t *testing.T) {
	table, f := testTable(t), newSegment(t, 1)
	r, err := table.Offer(nameOf(f, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	if _, err := table.Offer(nameOf(f, 1)); err == nil {
		t.Error("a segment is offered to two calls")
	}
	if r.Name() != nameOf(f, 1) {
		t.Errorf("its name is %+v", r.Name())
	}
	first, second, none := r.Alloc(1), r.Alloc(10_000), r.Alloc(0)
	if r.Alloc(-1) != nil || none == nil || len(none) != 0 {
		t.Error("-1 bytes, or none")
	}
	copy(second, "second")
	for _, tt := range []struct {
		bytes []byte
		at    uint64
		ok    bool
	}{
		{first, 0, true},
		{second, 64, true},
		{second[100:200], 164, true},
		{make([]byte, 1), 0, false},
		{nil, 0, false},
		{[]byte{}, 0, false},
		{second[:cap(second):cap(second)][9_999:], 64 + 9_999, true},
	} {
		if at, ok := r.Offset(tt.bytes); ok != tt.ok || ok && at != tt.at {
			t.Errorf("%d bytes are at %d, %v; want %d, %v", len(tt.bytes), at, ok, tt.at, tt.ok)
		}
	}
	if cap(first) != 1 {
		t.Error("what is after the bytes can be reached")
	}
	memory, shift := r.Prepend(100)
	if len(memory) != 100 || shift != 128 {
		t.Fatalf("%d bytes, %d further", len(memory), shift)
	}
	got := make([]byte, 6)
	if _, err := f.ReadAt(got, 64+int64(shift)); err != nil || string(got) != "second" {
		t.Errorf("got %q, %v", got, err)
	}
	var nothing *Result
	if nothing.Alloc(1) != nil {
		t.Error("there is room in nothing")
	}
	if memory, _ := nothing.Prepend(1); memory != nil {
		t.Error("there is room in nothing")
	}
	nothing.Release()
}

// Several goroutines of a call allocate at once.
func TestResultInParallel(t *testing.T) {
	table, f := testTable(t), newSegment(t, 1)
	r, err := table.Offer(nameOf(f, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	var wg sync.WaitGroup
	for k := range 8 {
		wg.Go(func() {
			for range 100 {
				b := r.Alloc(1000)
				for i := range b {
					b[i] = byte(k)
				}
				if bytes.Count(b, []byte{byte(k)}) != len(b) {
					t.Error("another one has written here")
				}
			}
		})
	}
	wg.Wait()
}

// Without room the segment does not grow, and nothing else happens.
func TestResultWithoutRoom(t *testing.T) {
	table, f := testTable(t), newSegment(t, 4096)
	r, err := table.Offer(nameOf(f, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	limit := before
	limit.Cur = 8192
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
			t.Fatal(err)
		}
	}()
	if r.Alloc(1<<20) != nil {
		t.Error("it has grown beyond the limit")
	}
	if r.Alloc(1<<60) != nil {
		t.Error("it has grown beyond its addresses")
	}
	if len(r.Alloc(4096)) != 4096 {
		t.Error("there is no room where there is")
	}
	if out := Make[float64](r, 1<<20); len(out) != 1<<20 {
		t.Errorf("%d values", len(out))
	}
}

func TestMake(t *testing.T) {
	table, f := testTable(t), newSegment(t, 1)
	r, err := table.Offer(nameOf(f, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	const n = Floor
	for what, tt := range map[string]struct{ got, want bool }{
		"bytes":          {isThere(r, Make[byte](r, n)), true},
		"structs":        {isThere(r, Make[struct{ X, Y [2]int32 }](r, n)), true},
		"few":            {isThere(r, Make[byte](r, n-1)), false},
		"pointers":       {isThere(r, Make[*int](r, n)), false},
		"strings":        {isThere(r, Make[string](r, n)), false},
		"strings inside": {isThere(r, Make[struct{ Text string }](r, n)), false},
		"nothing":        {isThere(r, Make[struct{}](r, n)), false},
		"elsewhere":      {isThere(r, Make[byte](nil, n)), false},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: in the segment: %v", what, tt.got)
		}
	}
}

func isThere[T any](r *Result, values []T) bool {
	size := int(unsafe.Sizeof(*new(T)))
	if size == 0 || len(values)*size < Floor-1 {
		return false
	}
	_, ok := r.Offset(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), len(values)*size))
	return ok
}
