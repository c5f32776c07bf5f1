package rgoipc

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"mangoro.local/internal/arrowipc"
)

// NewArrowReader reads the Arrow IPC stream of a message. The stream is
// verified first, so that bytes of a stranger give an error and nothing worse.
// Its records share their memory with data.
func NewArrowReader(data []byte) (array.RecordReader, error) {
	return arrowipc.NewReader(data, memory.DefaultAllocator)
}

// WriteArrowRecord returns the record as an Arrow IPC stream.
func WriteArrowRecord(rec arrow.RecordBatch) ([]byte, error) {
	return appendArrowRecord(nil, nil, rec)
}

// appendArrowRecord appends the record's stream to buf. The writer may be nil.
func appendArrowRecord(w *arrowipc.Writer, buf []byte, rec arrow.RecordBatch) ([]byte, error) {
	out, err := w.Append(buf, rec)
	if err != nil {
		return nil, fmt.Errorf("rgoipc: cannot write the record: %w", err)
	}
	return out, nil
}

// readRecord returns all of a stream as one record; no bytes at all are a
// record without columns. The schemas may be nil. The caller releases the record.
func readRecord(schemas *arrowipc.Schemas, stream []byte) (arrow.RecordBatch, error) {
	if len(stream) == 0 {
		return array.NewRecordBatch(arrow.NewSchema(nil, nil), nil, 0), nil
	}
	return recordOf(schemas.NewReader(stream, memory.DefaultAllocator))
}

// readRecordOfParts is readRecord for a stream whose bodies lie in parts.
func readRecordOfParts(schemas *arrowipc.Schemas, stream []byte, parts [][]byte) (arrow.RecordBatch, error) {
	if len(stream) == 0 && len(parts) == 0 {
		return readRecord(nil, nil)
	}
	return recordOf(schemas.NewPartsReader(stream, parts, memory.DefaultAllocator))
}

// recordOf returns all that a reader has as one record.
func recordOf(reader *arrowipc.Reader, err error) (arrow.RecordBatch, error) {
	if err != nil {
		return nil, err
	}
	defer reader.Release()
	return allBatches(reader)
}

// allBatches returns what a reader has left as one record.
func allBatches(reader array.RecordReader) (arrow.RecordBatch, error) {
	var batches []arrow.RecordBatch
	defer func() {
		for _, batch := range batches {
			batch.Release()
		}
	}()
	for reader.Next() {
		batch := reader.RecordBatch()
		batch.Retain()
		batches = append(batches, batch)
	}
	if err := reader.Err(); err != nil {
		return nil, err
	}
	return concatenate(reader.Schema(), batches)
}

// concatenate returns the batches as one record.
func concatenate(schema *arrow.Schema, batches []arrow.RecordBatch) (arrow.RecordBatch, error) {
	if len(batches) == 1 {
		batches[0].Retain()
		return batches[0], nil
	}
	var rows int64
	for _, batch := range batches {
		rows += batch.NumRows()
	}
	columns := make([]arrow.Array, schema.NumFields())
	defer func() {
		for _, column := range columns {
			if column != nil {
				column.Release()
			}
		}
	}()
	for i := range columns {
		parts := make([]arrow.Array, 0, len(batches))
		for _, batch := range batches {
			parts = append(parts, batch.Column(i))
		}
		var err error
		if columns[i], err = concatenateColumn(schema.Field(i).Type, parts); err != nil {
			return nil, fmt.Errorf("rgoipc: cannot join the batches of column %q: %w", schema.Field(i).Name, err)
		}
	}
	return array.NewRecordBatch(schema, columns, rows), nil
}

func concatenateColumn(dataType arrow.DataType, parts []arrow.Array) (arrow.Array, error) {
	if len(parts) == 0 {
		return array.MakeArrayOfNull(memory.DefaultAllocator, dataType, 0), nil
	}
	return array.Concatenate(parts, memory.DefaultAllocator)
}
