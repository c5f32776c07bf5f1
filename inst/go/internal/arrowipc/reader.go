package arrowipc

import (
	"bytes"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Reader reads the records of a verified stream. It is an [array.RecordReader]:
// a record is valid until the next call of Next, unless it is retained.
type Reader struct {
	reader *ipc.Reader
	err    error
}

var _ array.RecordReader = (*Reader)(nil)

// NewReader verifies a stream and returns a reader of its records. They are
// copies in memory of mem: the stream is not needed after it was read.
func NewReader(stream []byte, mem memory.Allocator) (*Reader, error) {
	if err := Verify(stream); err != nil {
		return nil, err
	}
	size := int64(len(stream)) + 1 // limits of 0 would be none
	messages := ipc.NewMessageReader(bytes.NewReader(stream),
		ipc.WithAllocator(mem), ipc.WithMetadataSizeLimit(size), ipc.WithBodySizeLimit(size))
	reader, err := ipc.NewReaderFromMessageReader(messages, ipc.WithAllocator(mem))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalidStream, err)
	}
	return &Reader{reader: reader}, nil
}

// Retain adds a reference to the reader.
func (r *Reader) Retain() { r.reader.Retain() }

// Release drops a reference; with the last one goes the current record.
func (r *Reader) Release() { r.reader.Release() }

// Schema returns the schema of the stream.
func (r *Reader) Schema() *arrow.Schema { return r.reader.Schema() }

// RecordBatch returns the current record, nil before the first.
func (r *Reader) RecordBatch() arrow.RecordBatch { return r.reader.RecordBatch() }

// Record is what RecordBatch was called once.
func (r *Reader) Record() arrow.RecordBatch { return r.reader.RecordBatch() }

// Next reads the next record and checks its values. It is false at the end of
// the stream, and if the record is not valid: see Err.
func (r *Reader) Next() (ok bool) {
	if r.err != nil {
		return false
	}
	defer func() {
		if p := recover(); p != nil {
			r.err = fmt.Errorf("%w: %v", ErrInvalidStream, p)
			ok = false
		}
	}()
	if !r.reader.Next() {
		return false
	}
	if err := validate(r.RecordBatch()); err != nil {
		r.err = fmt.Errorf("%w: %w", ErrInvalidStream, err)
		return false
	}
	return true
}

// Err returns why Next was false, and nil at the end of the stream.
func (r *Reader) Err() error {
	if r.err != nil {
		return r.err
	}
	if err := r.reader.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalidStream, err)
	}
	return nil
}

// validate checks the values of a record: offsets, indices, UTF-8.
func validate(rec arrow.RecordBatch) error {
	for i, column := range rec.Columns() {
		data := column.Data()
		if hasNulls(data.DataType()) {
			data = withNullBuffers(data)
		}
		checked := array.MakeFromData(data)
		err := array.ValidateFull(checked)
		checked.Release()
		if err != nil {
			return fmt.Errorf("column %q: %w", rec.ColumnName(i), err)
		}
	}
	return nil
}

// hasNulls tells whether the null type is part of a type.
func hasNulls(dataType arrow.DataType) bool {
	if nested, ok := dataType.(arrow.NestedType); ok {
		for _, field := range nested.Fields() {
			if hasNulls(field.Type) {
				return true
			}
		}
	}
	return dataType.ID() == arrow.NULL
}

// withNullBuffers gives the arrays of the null type the buffer, of nothing,
// that arrow-go's check wants them to have and its reader does not give them.
func withNullBuffers(data arrow.ArrayData) arrow.ArrayData {
	buffers := data.Buffers()
	if data.DataType().ID() == arrow.NULL {
		buffers = []*memory.Buffer{nil}
	}
	children := make([]arrow.ArrayData, len(data.Children()))
	for i, child := range data.Children() {
		children[i] = withNullBuffers(child)
	}
	if data.DataType().ID() == arrow.DICTIONARY {
		return data // its values are checked where they lie
	}
	return array.NewData(data.DataType(), data.Len(), buffers, children, data.NullN(), data.Offset())
}
