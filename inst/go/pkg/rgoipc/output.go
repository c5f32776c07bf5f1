package rgoipc

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"mangoro.local/internal/arrowipc"
)

// output takes the result of a call, as long as its arguments are there.
type output interface {
	record(rec arrow.RecordBatch) error
	// stream takes what a reader has left. Nil is no stream at all.
	stream(ctx context.Context, reader array.RecordReader) error
}

// reply is the reply of a server: a header, and then the Arrow stream of the result.
type reply struct {
	bytes  []byte
	writer *arrowipc.Writer
}

func (r *reply) record(rec arrow.RecordBatch) (err error) {
	r.bytes, err = appendArrowRecord(r.writer, r.bytes, rec)
	return err
}

// stream reads a batch, writes it, and only then reads the next one.
func (r *reply) stream(ctx context.Context, reader array.RecordReader) (err error) {
	if reader == nil {
		return nil
	}
	var rows int64
	before := func(batch arrow.RecordBatch) error {
		rows += batch.NumRows()
		return ctx.Err()
	}
	schema := func() *arrow.Schema { return fitted(reader.Schema(), rows) }
	r.bytes, err = arrowipc.AppendStream(r.bytes, reader, before, schema)
	return err
}

// onlyRecord keeps the result as one record.
type onlyRecord struct{ rec arrow.RecordBatch }

func (o *onlyRecord) record(rec arrow.RecordBatch) error {
	rec.Retain()
	o.rec = rec
	return nil
}

func (o *onlyRecord) stream(_ context.Context, reader array.RecordReader) (err error) {
	if reader == nil {
		o.rec, err = readRecord(nil, nil)
		return err
	}
	if o.rec, err = allBatches(reader); err != nil {
		return fmt.Errorf("the result: %w", err)
	}
	return nil
}

var (
	_ output = (*reply)(nil)
	_ output = (*onlyRecord)(nil)
)
