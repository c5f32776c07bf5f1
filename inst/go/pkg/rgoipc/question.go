package rgoipc

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"mangoro.local/internal/codec"
)

// Lives is for kinds, see [codec.Caller].
func (c *caller) Lives() bool { return c.exchange != nil }

// Ask is for kinds, see [codec.Caller].
func (c *caller) Ask(target int, names []string, question []codec.Column) (arrow.RecordBatch, error) {
	payload, err := questionPayload(names, question)
	if err != nil {
		return nil, err
	}
	answer, err := c.exchange.ask(target, payload)
	if err != nil {
		return nil, err
	}
	if answer.failure != nil {
		return nil, newRError(answer.failure)
	}
	if len(answer.payload) == 0 {
		return nil, nil
	}
	record, err := readRecord(&c.connection.schemas, answer.payload)
	if err != nil {
		return nil, &Error{Code: CodeProtocol, Err: err}
	}
	return record, nil
}

// questionPayload returns columns of one row as an Arrow stream. Without columns, of a
// source, it has no bytes; those of a function may be none.
func questionPayload(names []string, columns []codec.Column) ([]byte, error) {
	if columns == nil {
		return nil, nil
	}
	fields, arrays := make([]arrow.Field, len(columns)), make([]arrow.Array, len(columns))
	for i, column := range columns {
		fields[i], arrays[i] = column.Named(names[i]), column.Array
	}
	record := array.NewRecordBatch(arrow.NewSchema(fields, nil), arrays, 1)
	defer record.Release()
	return appendArrowRecord(nil, nil, record)
}
