package arrowipc

import (
	"errors"
	"fmt"
)

// unbacked bounds the rows of a column that may have no bytes for them.
func (c *column) unbacked() error {
	if c.length > maxUnbacked {
		return fmt.Errorf("column claims %d rows without bytes for them", c.length)
	}
	return nil
}

func (b *batch) binary(f *field, c *column) (err error) {
	if c.values, err = b.buffer(); err != nil {
		return err
	}
	if c.data, err = b.buffer(); err != nil {
		return err
	}
	first, last, err := checkOffsets(c.values, c.length, f.width, int64(len(c.data)))
	if err == nil && f.isText() {
		err = checkText(c.data[:last], first, c.values, c.length, f.width)
	}
	return err
}

func (b *batch) viewColumn(f *field, c *column) error {
	if b.view >= b.views.n {
		return fmt.Errorf("batch has only %d variadic counts", b.views.n)
	}
	n := b.views.i64(b.view, 0)
	b.view++
	views, err := b.sized(c.length, 16)
	if err != nil {
		return err
	}
	if n < 0 || n > int64(b.bufs.n-b.buf) {
		return fmt.Errorf("view column claims %d data buffers", n)
	}
	data := make([]viewData, n)
	for i := range data {
		if data[i].bytes, err = b.buffer(); err != nil {
			return err
		}
	}
	return checkViews(views, c, data, f.isText(), &b.text)
}

func (b *batch) indices(f *field, c *column) error {
	values, err := b.sized(c.length, f.width)
	if err != nil {
		return err
	}
	return checkIndices(values, c, f, b.schema.dicts[f.dict].length)
}

// readChildren verifies the children, which follow the buffers of a column.
func (b *batch) readChildren(f *field, c *column) error {
	c.children = make([]column, len(f.children))
	for i, g := range f.children {
		var err error
		if c.children[i], err = b.column(g); err != nil {
			return fmt.Errorf("child %d: %w", i, err)
		}
	}
	return nil
}

func (b *batch) list(f *field, c *column) (err error) {
	if c.values, err = b.buffer(); err != nil {
		return err
	}
	if err := b.readChildren(f, c); err != nil {
		return err
	}
	child := c.children[0]
	if _, _, err := checkOffsets(c.values, c.length, f.width, child.length); err != nil {
		return err
	}
	if f.layout == layoutMap && (child.nulls != 0 || child.children[0].nulls != 0) {
		return errors.New("map entries and keys cannot be null")
	}
	return nil
}

func (b *batch) listView(f *field, c *column) error {
	offsets, err := b.sized(c.length, f.width)
	if err != nil {
		return err
	}
	sizes, err := b.sized(c.length, f.width)
	if err != nil {
		return err
	}
	if err := b.readChildren(f, c); err != nil {
		return err
	}
	return checkListViews(offsets, sizes, c.length, f.width, c.children[0].length)
}

func (b *batch) fixedList(f *field, c *column) error {
	if err := b.readChildren(f, c); err != nil {
		return err
	}
	if n := c.children[0].length; c.length > n/f.width {
		return fmt.Errorf("child of %d rows is too short for %d lists of %d", n, c.length, f.width)
	}
	return nil
}

func (b *batch) structColumn(f *field, c *column) error {
	if err := b.readChildren(f, c); err != nil {
		return err
	}
	if len(f.children) == 0 {
		return c.unbacked()
	}
	return c.covered()
}

// covered checks that each child has a row for each row of the column.
func (c *column) covered() error {
	for i := range c.children {
		if n := c.children[i].length; n < c.length {
			return fmt.Errorf("child %d has %d rows, its parent %d", i, n, c.length)
		}
	}
	return nil
}

func (b *batch) union(f *field, c *column) error {
	ids, err := b.sized(c.length, 1)
	if err != nil {
		return err
	}
	var offsets []byte // of a dense union
	if f.layout == layoutDense {
		if offsets, err = b.sized(c.length, 4); err != nil {
			return err
		}
	}
	if err := b.readChildren(f, c); err != nil {
		return err
	}
	if f.layout == layoutSparse {
		if err := c.covered(); err != nil {
			return err
		}
	}
	return checkUnion(ids, offsets, c, f.codes)
}

func (b *batch) runEnds(f *field, c *column) error {
	if err := c.unbacked(); err != nil {
		return err
	}
	if err := b.readChildren(f, c); err != nil {
		return err
	}
	ends, values := c.children[0], c.children[1]
	if ends.nulls != 0 {
		return errors.New("run ends cannot be null")
	}
	if ends.length > values.length {
		return fmt.Errorf("%d run ends have only %d values", ends.length, values.length)
	}
	return checkRunEnds(ends, f.children[0].width, c.length)
}
