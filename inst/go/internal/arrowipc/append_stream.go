package arrowipc

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
)

// AppendStream appends the stream of all batches that a reader has left to buf. It calls
// before for each batch before it is written, and schema when all are written: the schema
// that it returns is written instead of the reader's, from which only its metadata may
// differ.
func AppendStream(buf []byte, r array.RecordReader, before func(arrow.RecordBatch) error, schema func() *arrow.Schema) ([]byte, error) {
	start := len(buf)
	out := bytes.NewBuffer(buf)
	w := ipc.NewWriter(out, ipc.WithSchema(r.Schema()))
	for n := 0; r.Next(); n++ {
		if err := before(r.RecordBatch()); err != nil {
			return nil, err
		}
		if err := w.Write(r.RecordBatch()); err != nil {
			return nil, fmt.Errorf("batch %d cannot be written: %w", n+1, err)
		}
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	// The schema is that of all streams that are written here.
	own, err := (*Writer)(nil).message(r.Schema())
	if err != nil {
		return nil, err
	}
	end, replacement := start+len(own), own
	if other := schema(); other != r.Schema() {
		if replacement, err = (*Writer)(nil).message(other); err != nil {
			return nil, err
		}
	}
	return slices.Replace(out.Bytes(), start, end, replacement...), nil
}
