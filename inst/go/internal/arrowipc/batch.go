package arrowipc

import (
	"errors"
	"fmt"
	"math"
)

// maxEmptyRows is how many rows a column may have whose values take no bytes:
// nothing else limits a number that costs its sender nothing.
const maxEmptyRows = 1 << 27

// batch is a record batch under verification: its nodes and buffers are used
// up in the order of the schema.
type batch struct {
	nodes   vector
	buffers vector
	node    int
	buffer  int
	body    int64 // length
}

// checkBatch compares the table RecordBatch with the shapes of its columns and
// with the length of its body.
func checkBatch(t table, columns []*shape, body int64) error {
	if _, compressed, err := t.child(3); err != nil {
		return err
	} else if compressed {
		return errors.New("compressed bodies are not supported")
	}
	rows, err := t.integer(0, 8, 0)
	if err != nil {
		return err
	}
	b := batch{body: body}
	if b.nodes, err = t.vector(1, 16); err != nil {
		return err
	}
	if b.buffers, err = t.vector(2, 16); err != nil {
		return err
	}
	if variadic, err := t.vector(4, 8); err != nil {
		return err
	} else if variadic.len > 0 {
		return errors.New("buffers of views, and there are no views")
	}
	if rows < 0 || len(columns) == 0 && rows > maxEmptyRows {
		return fmt.Errorf("a batch of %d rows", rows)
	}
	for _, column := range columns {
		if err := b.check(column, rows, rows); err != nil {
			return err
		}
	}
	if b.node != b.nodes.len || b.buffer != b.buffers.len {
		return fmt.Errorf("%d nodes and %d buffers, where the schema has %d and %d",
			b.nodes.len, b.buffers.len, b.node, b.buffer)
	}
	return nil
}

// check uses up the nodes and buffers of a column whose length must lie within
// the limits given.
func (b *batch) check(f *shape, least, most int64) error {
	if err := b.checkColumn(f, least, most); err != nil {
		return fmt.Errorf("column %q: %w", f.name, err)
	}
	return nil
}

func (b *batch) checkColumn(f *shape, least, most int64) error {
	if b.node >= b.nodes.len {
		return fmt.Errorf("only %d nodes", b.nodes.len)
	}
	length, nulls := b.nodes.int64(16*b.node), b.nodes.int64(16*b.node+8)
	b.node++
	if length < least || length > most {
		return fmt.Errorf("%d values, where there must be at least %d and at most %d", length, least, most)
	}
	if nulls < 0 || nulls > length {
		return fmt.Errorf("%d of %d values are null", nulls, length)
	}
	if f.layout == layoutNull {
		if length > maxEmptyRows {
			return fmt.Errorf("%d nulls", length)
		}
		return nil
	}
	if err := b.checkValidity(length, nulls); err != nil {
		return err
	}
	switch f.layout {
	case layoutFixed:
		return b.checkValues(length, f.bits)
	case layoutVariable:
		if err := b.checkOffsets(length, f.bits); err != nil {
			return err
		}
		_, err := b.next()
		return err
	case layoutList:
		if err := b.checkOffsets(length, f.bits); err != nil {
			return err
		}
		return b.check(f.children[0], 0, math.MaxInt64)
	case layoutFixedSizeList:
		if length > math.MaxInt64/f.listSize {
			return fmt.Errorf("%d lists of %d values", length, f.listSize)
		}
		return b.check(f.children[0], length*f.listSize, math.MaxInt64)
	default: // layoutStruct
		if len(f.children) == 0 && length > maxEmptyRows {
			return fmt.Errorf("%d structs without fields", length)
		}
		for _, child := range f.children {
			if err := b.check(child, length, math.MaxInt64); err != nil {
				return err
			}
		}
		return nil
	}
}

// next returns the length of the next buffer, which lies inside the body.
func (b *batch) next() (int64, error) {
	if b.buffer >= b.buffers.len {
		return 0, fmt.Errorf("only %d buffers", b.buffers.len)
	}
	offset, length := b.buffers.int64(16*b.buffer), b.buffers.int64(16*b.buffer+8)
	b.buffer++
	if offset < 0 || length < 0 || offset > b.body || length > b.body-offset {
		return 0, fmt.Errorf("a buffer of %d bytes at %d in a body of %d bytes", length, offset, b.body)
	}
	if offset%8 != 0 {
		return 0, fmt.Errorf("a buffer at %d, which is not a multiple of 8", offset)
	}
	return length, nil
}

// checkValidity: a bitmap is left out where there are no nulls.
func (b *batch) checkValidity(length, nulls int64) error {
	size, err := b.next()
	if err != nil {
		return err
	}
	if (nulls > 0 || size > 0) && size < bytesFor(length, 1) {
		return fmt.Errorf("a validity bitmap of %d bytes for %d values", size, length)
	}
	return nil
}

func (b *batch) checkValues(length, bits int64) error {
	size, err := b.next()
	if err != nil {
		return err
	}
	if length > (math.MaxInt64-7)/bits || size < bytesFor(length, bits) {
		return fmt.Errorf("%d bytes for %d values of %d bits", size, length, bits)
	}
	return nil
}

// checkOffsets: there is one more offset than values, but none for no values.
func (b *batch) checkOffsets(length, bits int64) error {
	size, err := b.next()
	if err != nil {
		return err
	}
	if length == 0 {
		return nil
	}
	if length > math.MaxInt64/64-1 || size < bytesFor(length+1, bits) {
		return fmt.Errorf("%d bytes for the offsets of %d values", size, length)
	}
	return nil
}

// bytesFor returns how many bytes so many values take. The product must have
// been checked not to overflow.
func bytesFor(length, bits int64) int64 { return (length*bits + 7) / 8 }
