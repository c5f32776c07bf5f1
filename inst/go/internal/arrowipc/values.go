package arrowipc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// at returns the i-th signed integer of width bytes.
func at(buf []byte, i, width int64) int64 {
	switch width {
	case 1:
		return int64(int8(buf[i]))
	case 2:
		return int64(int16(binary.LittleEndian.Uint16(buf[2*i:])))
	case 4:
		return int64(int32(binary.LittleEndian.Uint32(buf[4*i:])))
	}
	return int64(binary.LittleEndian.Uint64(buf[8*i:]))
}

// isValid reports whether row i is not null.
func (c *column) isValid(i int64) bool {
	return c.valid == nil || c.valid[i/8]&(1<<(i%8)) != 0
}

// checkOffsets checks that rows+1 offsets of width bytes begin at 0 or later, never
// fall, and end at limit or before. It returns the first and the last of them. No
// rows need no offsets, but if there is one it counts.
func checkOffsets(buf []byte, rows, width, limit int64) (first, last int64, err error) {
	if rows == 0 && len(buf) == 0 {
		return 0, 0, nil
	}
	if rows >= int64(len(buf))/width {
		return 0, 0, fmt.Errorf("%d bytes are too small for the offsets of %d rows", len(buf), rows)
	}
	first = at(buf, 0, width)
	if first < 0 {
		return 0, 0, fmt.Errorf("first offset is %d", first)
	}
	last = first
	for i := int64(1); i <= rows; i++ {
		next := at(buf, i, width)
		if next < last {
			return 0, 0, fmt.Errorf("offset falls from %d to %d at row %d", last, next, i-1)
		}
		last = next
	}
	if last > limit {
		return 0, 0, fmt.Errorf("offsets reach %d, but there are only %d bytes or rows", last, limit)
	}
	return first, last, nil
}

// checkText checks that the strings in data are UTF-8: the data as a whole must be, and no
// offset may split a character. The offsets themselves have been checked.
func checkText(data []byte, first int64, offsets []byte, rows, width int64) error {
	if !utf8.Valid(data[first:]) {
		return errors.New("strings are not valid UTF-8")
	}
	for i := range rows {
		if o := at(offsets, i, width); o < int64(len(data)) && !utf8.RuneStart(data[o]) {
			return fmt.Errorf("string of row %d does not begin with a character", i)
		}
	}
	return nil
}

// checkIndices checks the dictionary indices of the rows that are not null.
func checkIndices(buf []byte, c *column, f *field, limit int64) error {
	// Unsigned, a negative index is one beyond every dictionary.
	mask := ^uint64(0)
	if !f.signed && f.width < 8 {
		mask = 1<<(8*f.width) - 1
	}
	for i := range c.length {
		if v := uint64(at(buf, i, f.width)) & mask; v >= uint64(limit) && c.isValid(i) {
			return fmt.Errorf("index %d of row %d is outside the dictionary of %d values", int64(v), i, limit)
		}
	}
	return nil
}

// checkListViews checks that each list lies inside the child of limit rows, and
// ends where its width can tell.
func checkListViews(offsets, sizes []byte, rows, width, limit int64) error {
	if width == 4 {
		limit = min(limit, math.MaxInt32)
	}
	for i := range rows {
		off, n := at(offsets, i, width), at(sizes, i, width)
		if off < 0 || n < 0 || off > limit || n > limit-off {
			return fmt.Errorf("list of row %d (%d values at %d) leaves its child of %d rows", i, n, off, limit)
		}
	}
	return nil
}

// checkUnion checks the type ids and, for dense unions, the offsets, which must not
// fall for any one child.
func checkUnion(ids, offsets []byte, c *column, codes []int8) error {
	var child [256]int
	for i, code := range codes {
		child[uint8(code)] = i + 1
	}
	var last [128]int64
	for i := range c.length {
		k := child[ids[i]] - 1
		if k < 0 {
			return fmt.Errorf("type id %d of row %d is not one of the union's", int8(ids[i]), i)
		}
		if offsets == nil {
			continue
		}
		off := at(offsets, i, 4)
		if off < last[k] || off >= c.children[k].length {
			return fmt.Errorf("offset %d of row %d falls or leaves child %d of %d rows", off, i, k, c.children[k].length)
		}
		last[k] = off
	}
	return nil
}

// checkRunEnds checks that the run ends rise from 1 or more to rows or more.
func checkRunEnds(ends column, width, rows int64) error {
	last := int64(0)
	for i := range ends.length {
		end := at(ends.values, i, width)
		if end <= last {
			return fmt.Errorf("run end %d follows %d", end, last)
		}
		last = end
	}
	if last < rows {
		return fmt.Errorf("runs end at %d, but there are %d rows", last, rows)
	}
	return nil
}

// viewData is a data buffer of a view column. A buffer that is UTF-8 as a whole
// needs to be read once only, however many views lead into it.
type viewData struct {
	bytes         []byte
	checked, text bool
}

func (d *viewData) isText() bool {
	if !d.checked {
		d.checked, d.text = true, utf8.Valid(d.bytes)
	}
	return d.text
}

// checkViews checks the views of the rows that are not null. Text outside of
// buffers that are text as a whole is read view by view, budget bytes at most.
func checkViews(views []byte, c *column, data []viewData, text bool, budget *int64) error {
	for i := range c.length {
		if !c.isValid(i) {
			continue
		}
		if err := checkView(views[16*i:16*i+16], data, text, budget); err != nil {
			return fmt.Errorf("view of row %d: %w", i, err)
		}
	}
	return nil
}

func checkView(view []byte, data []viewData, text bool, budget *int64) error {
	n := at(view, 0, 4)
	if n < 0 {
		return fmt.Errorf("length is %d", n)
	}
	if n <= 12 {
		for _, b := range view[4+n:] {
			if b != 0 {
				return errors.New("padding is not zero")
			}
		}
		if text && !utf8.Valid(view[4:4+n]) {
			return errors.New("string is not valid UTF-8")
		}
		return nil
	}
	k, off := at(view, 2, 4), at(view, 3, 4)
	if k < 0 || k >= int64(len(data)) {
		return fmt.Errorf("data buffer %d does not exist", k)
	}
	d := &data[k]
	size := min(int64(len(d.bytes)), math.MaxInt32) // offsets and their ends are of 32 bits
	if off < 0 || off > size || n > size-off {
		return fmt.Errorf("%d bytes at %d leave the data buffer of %d bytes", n, off, size)
	}
	if value := d.bytes[off : off+n]; !bytes.Equal(view[4:8], value[:4]) {
		return errors.New("prefix is not that of the value")
	}
	if !text {
		return nil
	}
	return d.checkText(off, off+n, budget)
}

func (d *viewData) checkText(from, to int64, budget *int64) error {
	if d.isText() {
		if !utf8.RuneStart(d.bytes[from]) || to < int64(len(d.bytes)) && !utf8.RuneStart(d.bytes[to]) {
			return errors.New("string splits a character")
		}
		return nil
	}
	if *budget -= to - from; *budget < 0 {
		return errors.New("strings share a data buffer that is not UTF-8 too often")
	}
	if !utf8.Valid(d.bytes[from:to]) {
		return errors.New("string is not valid UTF-8")
	}
	return nil
}
