package arrowipc

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"mangoro.local/internal/segment"
)

// AppendStream appends the stream of all batches that a reader has left to buf. It calls
// before for each batch before it is written, and schema when all are written: the schema
// that it returns is written instead of the reader's, from which only its metadata may
// differ.
//
// If the stream is large and its bodies find room in a segment, they lie there, and it
// returns that stream instead. The segment may be nil.
func AppendStream(buf []byte, r array.RecordReader, to *segment.Result, before func(arrow.RecordBatch) error, schema func() *arrow.Schema) ([]byte, *Referred, error) {
	messages := pieces{to: to}
	w := ipc.NewWriterWithPayloadWriter(&messages, ipc.WithSchema(r.Schema()))
	for n := 0; r.Next(); n++ {
		if err := before(r.RecordBatch()); err != nil {
			return nil, nil, err
		}
		if err := w.Write(r.RecordBatch()); err != nil {
			return nil, nil, fmt.Errorf("batch %d cannot be written: %w", n+1, err)
		}
	}
	if err := r.Err(); err != nil {
		return nil, nil, err
	}
	if err := w.Close(); err != nil {
		return nil, nil, err
	}
	if other := schema(); other != r.Schema() {
		message, err := (*Writer)(nil).message(other)
		if err != nil {
			return nil, nil, err
		}
		messages.messages[0].metadata = message
	}
	if to != nil && messages.size >= segment.Floor {
		if referred := messages.referred(); referred != nil {
			return nil, referred, nil
		}
	}
	return messages.append(buf), nil, nil
}
