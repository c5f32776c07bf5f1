package segment_test

import (
	"os"
	"testing"

	"mangoro.local/internal/segment"
	"mangoro.local/internal/segment/segmenttest"
)

func TestReadAndOffer(t *testing.T) {
	table := segment.NewTable(os.Getpid())
	defer table.Close()
	f := segmenttest.New(t, 4096)
	if _, err := f.WriteAt([]byte("abc"), 64); err != nil {
		t.Fatal(err)
	}
	got, release, err := table.Read(segmenttest.Name(f, 1), 64, 3)
	if err != nil || string(got) != "abc" {
		t.Fatalf("%q, %v", got, err)
	}
	defer release()
	r, err := table.Offer(segmenttest.Name(f, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	a, b := r.Alloc(100), segment.Make[float64](r, 1<<20)
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
