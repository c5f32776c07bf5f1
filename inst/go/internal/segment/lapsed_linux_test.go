package segment

import (
	"os"
	"runtime"
	"runtime/debug"
	"testing"
	"unsafe"
)

// lentTo returns a slice that was lent of a segment, which was offered before, with 1 in it.
func lentTo(t *testing.T, table *Table, f *os.File) (r *Result, lent []int64) {
	t.Helper()
	r, err := table.Offer(nameOf(f, 1))
	if err != nil {
		t.Fatal(err)
	}
	lent = Lend[int64](r, Floor/8)
	if !isThere(r, lent) {
		t.Fatal("it is not in the segment")
	}
	for i := range lent {
		lent[i] = 1
	}
	return r, lent
}

// fault returns where f faults, or 0.
func fault(f func()) (address uintptr) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if err, ok := recover().(interface {
			runtime.Error
			Addr() uintptr
		}); ok {
			address = err.Addr()
		}
	}()
	f()
	return 0
}

func addressOf(p *int64) uintptr { return uintptr(unsafe.Pointer(p)) }

func inFile(t *testing.T, f *os.File, offset int64) int64 {
	t.Helper()
	var b [8]byte
	if _, err := f.ReadAt(b[:], offset); err != nil {
		t.Fatal(err)
	}
	return *(*int64)(unsafe.Pointer(&b))
}

// What was lent is the function's own after the call, until the segment is offered again.
func TestLend(t *testing.T) {
	table, f := testTable(t), newSegment(t, 5000)
	for round := range 3 {
		r, lent := lentTo(t, table, f)
		r.Release()
		last := len(lent) - 1
		if lent[last] != 1 {
			t.Errorf("round %d: it holds %d after the call", round, lent[last])
		}
		lent[0] = 2
		if lent[0] != 2 || inFile(t, f, 0) != 1 || inFile(t, f, 8*int64(last)) != 1 {
			t.Errorf("round %d: it holds %d, and the segment %d", round, lent[0], inFile(t, f, 0))
		}
		if table.lapsed.Has(addressOf(&lent[0])) {
			t.Errorf("round %d: it lapses with the call", round)
		}

		r, err := table.Offer(nameOf(f, 1))
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range []int{0, last} {
			read := fault(func() { lent[i]++ })
			if read != addressOf(&lent[i]) || !table.lapsed.Has(read) {
				t.Errorf("round %d: value %d faults at %#x, want %#x", round, i, read, addressOf(&lent[i]))
			}
		}
		again := Make[int64](r, Floor/8)
		again[0] = 3
		if inFile(t, f, 0) != 3 {
			t.Errorf("round %d: the segment is not where the next call has it", round)
		}
		r.Release()
		again[0] = 4
		if inFile(t, f, 0) != 4 { // nobody but the server has had it
			t.Errorf("round %d: memory that was not lent was taken back", round)
		}
	}
}

// What lies elsewhere by then lapses at once.
func TestLendThenPrepend(t *testing.T) {
	table, f := testTable(t), newSegment(t, 5000)
	r, lent := lentTo(t, table, f)
	_, shift := r.Prepend(100)
	r.Release()
	if at := fault(func() { lent[0] = 2 }); at != addressOf(&lent[0]) || inFile(t, f, int64(shift)) != 1 {
		t.Errorf("it faults at %#x", at)
	}
}

// R has closed the segment meanwhile, or its descriptor is another file's.
func TestLendOfClosedSegment(t *testing.T) {
	table, f := testTable(t), newSegment(t, 5000)
	r, lent := lentTo(t, table, f)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	r.Release()
	if at := fault(func() { lent[0] = 2 }); at != addressOf(&lent[0]) {
		t.Errorf("it faults at %#x", at)
	}
	if len(table.known) != 0 {
		t.Errorf("%d mappings", len(table.known))
	}
}

func TestLendLapsesWithTable(t *testing.T) {
	table, f := testTable(t), newSegment(t, 5000)
	r, lent := lentTo(t, table, f)
	r.Release()
	table.Close()
	if at := fault(func() { lent[0] = 2 }); at != addressOf(&lent[0]) {
		t.Errorf("it faults at %#x", at)
	}
}

func TestLapsedAreSoMany(t *testing.T) {
	table, f := testTable(t), newSegment(t, 5000)
	r, first := lentTo(t, table, f)
	r.Release()
	at := addressOf(&first[0])
	for range maxLapsedRanges {
		r, _ := lentTo(t, table, f)
		if len(table.lapsed.ranges) < maxLapsedRanges && !table.lapsed.Has(at) {
			t.Fatalf("%d ranges, and the first is not among them", len(table.lapsed.ranges))
		}
		r.Release()
	}
	table.Close()
	if n := len(table.lapsed.ranges); n != maxLapsedRanges || table.lapsed.Has(at) {
		t.Errorf("%d ranges have lapsed", n)
	}
	bytes := 0
	for _, r := range table.lapsed.ranges {
		bytes += r.size
	}
	if bytes != table.lapsed.bytes {
		t.Errorf("%d bytes, but they are %d", table.lapsed.bytes, bytes)
	}
}
