package arrowipc

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// assembled reads the batches of a verified stream of plain columns: verification has
// found the buffers, and the arrays are views of them. It counts no references, since all
// of its memory belongs to the stream.
type assembled struct {
	schema *parsed
	left   []message
	batch  arrow.RecordBatch
	err    error
}

func (*assembled) Retain() {}

func (*assembled) Release() {}

func (a *assembled) Schema() *arrow.Schema { return a.schema.arrow }

func (a *assembled) RecordBatch() arrow.RecordBatch { return a.batch }

func (a *assembled) Record() arrow.RecordBatch { return a.batch }

func (a *assembled) Err() error { return a.err }

// Next reads the next batch. Like arrow-go's reader it does not panic.
func (a *assembled) Next() (ok bool) {
	defer func() {
		if p := recover(); p != nil {
			ok, a.err = false, fmt.Errorf("cannot assemble the columns: %v", p)
		}
	}()
	if a.batch != nil {
		a.batch.Release()
		a.batch = nil
	}
	if len(a.left) == 0 || a.err != nil {
		return false
	}
	m := &a.left[0]
	a.left = a.left[1:]
	a.batch = a.schema.record(m)
	return true
}

// record returns the record of a message.
func (p *parsed) record(m *message) arrow.RecordBatch {
	columns := make([]arrow.Array, len(m.columns))
	for i := range m.columns {
		data := newData(p.verified.fields[i], p.arrow.Field(i).Type, &m.columns[i])
		columns[i] = array.MakeFromData(data)
		data.Release()
	}
	record := array.NewRecordBatch(p.arrow, columns, m.rows)
	for _, c := range columns {
		c.Release()
	}
	return record
}

// newData returns a verified column as arrow-go represents it.
func newData(f *field, dataType arrow.DataType, c *column) *array.Data {
	var buffers []*memory.Buffer
	switch f.layout {
	case layoutNull:
	case layoutStruct, layoutFixedList:
		buffers = []*memory.Buffer{validity(c)}
	case layoutBinary:
		buffers = []*memory.Buffer{validity(c), memory.NewBufferBytes(c.values), memory.NewBufferBytes(c.data)}
	default:
		buffers = []*memory.Buffer{validity(c), memory.NewBufferBytes(c.values)}
	}
	var children []arrow.ArrayData
	for i := range c.children {
		child := newData(f.children[i], childType(dataType, i), &c.children[i])
		defer child.Release()
		children = append(children, child)
	}
	return array.NewData(dataType, int(c.length), buffers, children, int(c.nulls), 0)
}

func validity(c *column) *memory.Buffer {
	if c.valid == nil {
		return nil
	}
	return memory.NewBufferBytes(c.valid)
}

var _ array.RecordReader = (*assembled)(nil)
