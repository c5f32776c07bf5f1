package codec

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestBitmap(t *testing.T) {
	for _, want := range [][]bool{
		nil,
		{true},
		{false},
		{true, false, true, true, false, false, true, true, false, true},
		slices.Repeat([]bool{true, true, false}, 50),
	} {
		for offset := range min(len(want), 12) + 1 {
			want := want[offset:]
			b := allRows(offset + len(want))
			for i, v := range want {
				if !v {
					b.clear(offset + i)
				}
			}
			b = b.From(offset)
			missing := 0
			for i, v := range want {
				if b.Has(i) != v || b.copy(len(want)).Has(i) != v {
					t.Fatalf("row %d of %v is %v", i, want, !v)
				}
				if !v {
					missing++
				}
			}
			if got := b.count(len(want)); got != missing {
				t.Errorf("%v: %d are missing", want, got)
			}
			if got, want := b.firstNA(len(want)), slices.Index(want, false); got != want {
				t.Errorf("the first NA is %d, want %d", got, want)
			}
			if got := b.bools(len(want)); missing > 0 && !slices.Equal(got, want) || missing == 0 && got != nil {
				t.Errorf("bools() = %v, want %v", got, want)
			}
			if buffer, nulls := b.buffer(len(want)); nulls != missing || (buffer == nil) != (missing == 0) {
				t.Errorf("buffer() = %v, %d", buffer, nulls)
			}
		}
	}
	if full := (Bitmap{}); !full.Full() || !full.Has(7) || full.firstNA(9) != -1 || full.copy(9).count(9) != 0 {
		t.Error("the zero value is not full")
	}
}

func TestBitmapRuns(t *testing.T) {
	const size = 300
	source := rand.New(rand.NewPCG(1, 2))
	for _, share := range []float64{0, 0.01, 0.5, 0.99, 1} {
		for offset := range 9 {
			b := allRows(size + offset)
			b.offset = offset
			for i := range size {
				if source.Float64() < share {
					b.clear(i)
				}
			}
			for _, n := range []int{0, 1, 63, 64, 65, size} {
				last := -1
				seen := noRows(n + 1)
				for from, to := b.Run(0, n); from < to; from, to = b.Run(to, n) {
					if from <= last || to <= from || to > n {
						t.Fatalf("a run from %d to %d of %d rows after %d", from, to, n, last)
					}
					last = to
					for i := from; i < to; i++ {
						seen.bits[i/8] |= 1 << (i % 8)
					}
				}
				for i := range n {
					if seen.Has(i) != b.Has(i) {
						t.Fatalf("row %d of %d, offset %d: %v, want %v", i, n, offset, seen.Has(i), b.Has(i))
					}
				}
			}
		}
	}
	if from, to := (Bitmap{}).Run(0, 5); from != 0 || to != 5 {
		t.Errorf("a run from %d to %d of 5 rows without NA", from, to)
	}
	if from, to := (Bitmap{}).Run(5, 5); from != to {
		t.Errorf("a run from %d to %d of no rows", from, to)
	}
}
