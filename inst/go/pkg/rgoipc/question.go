package rgoipc

import (
	"github.com/apache/arrow-go/v18/arrow"

	"mangoro.local/internal/codec"
)

// Ask is for kinds, see [codec.Caller].
func (*caller) Ask(int, []string, []codec.Column) (arrow.RecordBatch, error) {
	return nil, errorf(CodeHandler, "R functions and sources cannot be asked yet")
}
