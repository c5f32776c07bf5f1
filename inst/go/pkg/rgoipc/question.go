package rgoipc

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"mangoro.local/internal/codec"
)

// Ask is for kinds, see [codec.Caller].
func (c *caller) Ask(target int, _ []string, question []codec.Column) (arrow.RecordBatch, error) {
	if len(question) > 0 {
		return nil, errorf(CodeHandler, "R functions cannot be asked yet")
	}
	answer, err := c.exchange.ask(target, nil)
	if err != nil {
		return nil, err
	}
	if f := answer.failure; f != nil {
		return nil, fmt.Errorf("%s", f.Message)
	}
	if len(answer.payload) == 0 {
		return nil, nil
	}
	rec, err := readRecord(nil, answer.payload)
	if err != nil {
		return nil, &Error{Code: CodeProtocol, Err: err}
	}
	return rec, nil
}
