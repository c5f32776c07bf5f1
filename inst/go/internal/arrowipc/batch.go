package arrowipc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow/bitutil"
)

const (
	// maxUnbacked limits the rows of columns that have no bytes for them.
	maxUnbacked = math.MaxInt32
	// shareFactor limits how often the bytes of a body may be used: by its buffers and,
	// view by view, by strings that have to be read one by one.
	shareFactor = 16
	// nodeCost is roughly the size of a node and its buffers, in bytes.
	nodeCost = 16
)

// batch walks the nodes and buffers of one record batch in the order of the type
// tree, which is the order of the format.
type batch struct {
	schema *schema
	meta   []byte
	body   content
	nodes  vector // of length, null count
	bufs   vector // of offset, length
	views  vector // the number of data buffers of each view column

	node, buf, view int
	rows            int64 // of all nodes
	shared          int64 // bytes the buffers may still claim
	text            int64 // bytes of single views that may still be read
	uncounted       []nullCount
}

// nullCount is a null count that the peer has not counted: n belongs at pos of the metadata.
type nullCount struct {
	pos int
	n   int64
}

// column is a verified node, with its buffers if its layout is plain.
type column struct {
	length   int64
	nulls    int64
	at       int    // where the null count lies in the metadata
	valid    []byte // nil without nulls
	values   []byte // bits, values or offsets
	data     []byte // of layoutBinary
	children []column
}

// newBatch verifies those parts of a RecordBatch table that do not depend on its types.
func newBatch(t table, s *schema, body content) (*batch, error) {
	limit := shareFactor * body.size
	b := &batch{
		schema: s,
		meta:   t.f.data,
		body:   body,
		nodes:  t.vector(1, 16),
		bufs:   t.vector(2, 16),
		views:  t.vector(4, 8),
		shared: limit,
		text:   limit,
	}
	if _, compressed := t.child(3); compressed {
		return nil, errors.New("compressed bodies are not supported")
	}
	return b, t.f.err
}

// columns verifies the batch against its types. Each column must have rows rows.
func (b *batch) columns(fields []*field, rows int64) ([]column, error) {
	if rows < 0 || rows > maxUnbacked && len(fields) == 0 {
		return nil, fmt.Errorf("batch claims %d rows", rows)
	}
	columns := make([]column, len(fields))
	for i, f := range fields {
		var err error
		if columns[i], err = b.column(f); err != nil {
			return nil, fmt.Errorf("column %d: %w", i, err)
		}
		if n := columns[i].length; n != rows {
			return nil, fmt.Errorf("column %d has %d rows, the batch %d", i, n, rows)
		}
	}
	if b.node != b.nodes.n || b.buf != b.bufs.n || b.view != b.views.n {
		return nil, fmt.Errorf("schema needs %d nodes, %d buffers and %d variadic counts, the batch has %d, %d and %d",
			b.node, b.buf, b.view, b.nodes.n, b.bufs.n, b.views.n)
	}
	return columns, nil
}

// counted returns the metadata with all null counts filled in, in a copy if any is missing.
// A missing count is -1, all bits set. Lengths, offsets, ids, enums and flags of that value
// have been refused, so that nothing but the count changes, even if a hostile writer has
// placed other fields over the same bytes.
func (b *batch) counted() []byte {
	if len(b.uncounted) == 0 {
		return b.meta
	}
	meta := append([]byte(nil), b.meta...)
	for _, c := range b.uncounted {
		binary.LittleEndian.PutUint64(meta[c.pos:], uint64(c.n))
	}
	return meta
}

// cost is what it takes to copy the batch, in bytes.
func (b *batch) cost() int64 {
	claimed := shareFactor*b.body.size - b.shared
	return claimed + b.rows + nodeCost*int64(b.node+b.buf)
}

// next reads the next node.
func (b *batch) next() (column, error) {
	if b.node >= b.nodes.n {
		return column{}, fmt.Errorf("batch has only %d nodes", b.nodes.n)
	}
	c := column{
		length: b.nodes.i64(b.node, 0),
		nulls:  b.nodes.i64(b.node, 8),
		at:     b.nodes.pos + 16*b.node + 8,
	}
	b.node++
	if c.length < 0 || c.length > math.MaxInt || c.nulls < -1 || c.nulls > c.length {
		return column{}, fmt.Errorf("node claims %d rows and %d nulls", c.length, c.nulls)
	}
	b.rows += c.length
	return c, nil
}

// buffer returns the bytes of the next buffer.
func (b *batch) buffer() ([]byte, error) {
	if b.buf >= b.bufs.n {
		return nil, fmt.Errorf("batch has only %d buffers", b.bufs.n)
	}
	off, n := b.bufs.i64(b.buf, 0), b.bufs.i64(b.buf, 8)
	bytes, err := b.body.slice(off, n)
	if err != nil {
		return nil, fmt.Errorf("buffer %d of %d bytes at %d %w", b.buf, n, off, err)
	}
	if off%8 != 0 {
		return nil, fmt.Errorf("buffer %d is misaligned at %d", b.buf, off)
	}
	if b.shared -= n; b.shared < 0 {
		return nil, errors.New("buffers share the same bytes too often")
	}
	b.buf++
	return bytes, nil
}

// sized returns the next buffer, which must hold n values of width bytes.
func (b *batch) sized(n, width int64) ([]byte, error) {
	buf, err := b.buffer()
	if err == nil && n > int64(len(buf))/width {
		err = fmt.Errorf("buffer %d of %d bytes is too small for %d values of %d bytes", b.buf-1, len(buf), n, width)
	}
	return buf, err
}

// bitmap returns the next buffer, which must hold n bits.
func (b *batch) bitmap(n int64) ([]byte, error) {
	buf, err := b.buffer()
	if err == nil && n > 0 && (n-1)/8 >= int64(len(buf)) {
		err = fmt.Errorf("buffer %d of %d bytes is too small for %d bits", b.buf-1, len(buf), n)
	}
	return buf, err
}

// validity reads the bitmap of a column and holds its null count against it. An
// absent bitmap is an empty buffer.
func (b *batch) validity(c *column) error {
	absent := b.buf < b.bufs.n && b.bufs.i64(b.buf, 8) == 0
	if absent && c.nulls <= 0 {
		b.count(c, 0)
		_, err := b.buffer()
		return err
	}
	bits, err := b.bitmap(c.length)
	if err != nil {
		return fmt.Errorf("validity: %w", err)
	}
	nulls := c.length - int64(bitutil.CountSetBits(bits, 0, int(c.length)))
	if c.nulls >= 0 && c.nulls != nulls {
		return fmt.Errorf("null count is %d, but %d bits of the validity bitmap are unset", c.nulls, nulls)
	}
	if b.count(c, nulls); nulls > 0 {
		c.valid = bits
	}
	return nil
}

// count settles the null count of a column.
func (b *batch) count(c *column, n int64) {
	if c.nulls < 0 {
		b.uncounted = append(b.uncounted, nullCount{pos: c.at, n: n})
	}
	c.nulls = n
}

// column verifies the next node, its buffers and its children.
func (b *batch) column(f *field) (column, error) {
	c, err := b.next()
	if err != nil {
		return c, err
	}
	switch f.layout {
	case layoutNull:
		b.count(&c, c.length)
	case layoutSparse, layoutDense, layoutRunEnds:
		if c.nulls > 0 {
			return c, fmt.Errorf("%s with %d nulls of its own, it cannot have any", typeName(f.kind), c.nulls)
		}
		b.count(&c, 0)
	default:
		if err := b.validity(&c); err != nil {
			return c, err
		}
	}
	return c, b.content(f, &c)
}

// content verifies what a column has beside its validity.
func (b *batch) content(f *field, c *column) (err error) {
	switch f.layout {
	case layoutNull:
		return c.unbacked()
	case layoutBits:
		c.values, err = b.bitmap(c.length)
		return err
	case layoutFixed:
		c.values, err = b.sized(c.length, f.width)
		return err
	case layoutBinary:
		return b.binary(f, c)
	case layoutView:
		return b.viewColumn(f, c)
	case layoutDictionary:
		return b.indices(f, c)
	case layoutList, layoutMap:
		return b.list(f, c)
	case layoutListView:
		return b.listView(f, c)
	case layoutFixedList:
		return b.fixedList(f, c)
	case layoutStruct:
		return b.structColumn(f, c)
	case layoutSparse, layoutDense:
		return b.union(f, c)
	case layoutRunEnds:
		return b.runEnds(f, c)
	}
	return fmt.Errorf("layout %d is not known", f.layout)
}
