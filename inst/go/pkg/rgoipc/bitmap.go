package rgoipc

import (
	"encoding/binary"
	"iter"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// bitmap says which rows hold a value and are not NA. The zero value: all do.
type bitmap struct {
	bits   []byte // nil: no row is NA
	offset int
}

// validRows returns the bitmap of a column.
func validRows(column arrow.Array) bitmap {
	switch {
	case column.DataType().ID() == arrow.NULL:
		return noRows(column.Len())
	case column.NullN() == 0 || len(column.NullBitmapBytes()) == 0:
		return bitmap{}
	default:
		return bitmap{bits: column.NullBitmapBytes(), offset: column.Data().Offset()}
	}
}

// noRows returns a bitmap whose n rows are all NA.
func noRows(n int) bitmap { return bitmap{bits: make([]byte, bitutil.BytesForBits(int64(n)))} }

// allRows returns a bitmap whose n rows all hold a value, to be cleared.
func allRows(n int) bitmap {
	b := noRows(n)
	bitutil.SetBitsTo(b.bits, 0, int64(n), true)
	return b
}

// full tells whether no row is NA without looking at them.
func (b bitmap) full() bool { return b.bits == nil }

// has tells whether row i holds a value.
func (b bitmap) has(i int) bool {
	if b.bits == nil {
		return true
	}
	i += b.offset
	return b.bits[i>>3]&(1<<(i&7)) != 0
}

// clear makes row i NA.
func (b bitmap) clear(i int) { bitutil.ClearBit(b.bits, b.offset+i) }

// from returns the bitmap of the rows from i on.
func (b bitmap) from(i int) bitmap { return bitmap{bits: b.bits, offset: b.offset + i} }

// copy returns a bitmap of n rows that may be cleared.
func (b bitmap) copy(n int) bitmap {
	if b.full() {
		return allRows(n)
	}
	out := noRows(n)
	bitutil.CopyBitmap(b.bits, b.offset, n, out.bits, 0)
	return out
}

// firstNA returns the first of n rows that is NA, or -1.
func (b bitmap) firstNA(n int) int {
	for i := range n {
		if !b.has(i) {
			return i
		}
	}
	return -1
}

// runs returns where the rows that hold a value begin and end, of n rows.
func (b bitmap) runs(n int) iter.Seq2[int, int] {
	return func(yield func(from, to int) bool) {
		for to := 0; ; {
			from := b.next(to, n, true)
			if from == n {
				return
			}
			to = b.next(from, n, false)
			if !yield(from, to) {
				return
			}
		}
	}
}

// next returns the first row from i on that holds a value, or that is NA, or n.
func (b bitmap) next(i, n int, holds bool) int {
	if b.full() {
		if holds {
			return i
		}
		return n
	}
	for i < n {
		word := b.word(i)
		if !holds {
			word = ^word
		}
		if word != 0 {
			return min(i+bits.TrailingZeros64(word), n)
		}
		i += 64
	}
	return n
}

// word returns the 64 rows from i on, those beyond the end as NA.
func (b bitmap) word(i int) uint64 {
	i += b.offset
	at, shift := b.bits[i>>3:], i&7
	if len(at) > 8 {
		return binary.LittleEndian.Uint64(at)>>shift | uint64(at[8])<<(64-shift)
	}
	var last [9]byte
	copy(last[:], at)
	return binary.LittleEndian.Uint64(last[:])>>shift | uint64(last[8])<<(64-shift)
}

// count returns how many of n rows are NA.
func (b bitmap) count(n int) int {
	if b.full() {
		return 0
	}
	return n - bitutil.CountSetBits(b.bits, b.offset, n)
}

// buffer returns the bitmap of n rows as an array wants it: nil if none is NA.
func (b bitmap) buffer(n int) (buffer *memory.Buffer, nulls int) {
	nulls = b.count(n)
	if nulls == 0 {
		return nil, 0
	}
	if b.offset != 0 {
		b = b.copy(n)
	}
	return memory.NewBufferBytes(b.bits), nulls
}

// bools returns the bitmap of n rows as Go values, or nil if none is NA.
func (b bitmap) bools(n int) []bool {
	if b.count(n) == 0 {
		return nil
	}
	out := make([]bool, n)
	for i := range out {
		out[i] = b.has(i)
	}
	return out
}
