package rgoipc

import (
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
			b = b.from(offset)
			missing := 0
			for i, v := range want {
				if b.has(i) != v || b.copy(len(want)).has(i) != v {
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
	if full := (bitmap{}); !full.full() || !full.has(7) || full.firstNA(9) != -1 || full.copy(9).count(9) != 0 {
		t.Error("the zero value is not full")
	}
}
