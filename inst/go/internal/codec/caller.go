package codec

import (
	"github.com/apache/arrow-go/v18/arrow"

	"mangoro.local/internal/object"
)

// Caller is what a kind may use of the call that it belongs to.
type Caller interface {
	// Ask asks R for what a target, a function or a source that R has given, says to
	// columns of one row, or without columns for the next part of a source. The answer is
	// a record, which the caller releases, or nil if it is empty.
	Ask(target int, names []string, question []Column) (answer arrow.RecordBatch, err error)
	// Fail ends the call with an error, which R gets at once.
	Fail(err error)
	// Objects returns those that the call uses.
	Objects() *object.Uses
}

// WithCaller says which call the arguments belong to.
func (a *Arguments) WithCaller(c Caller) *Arguments {
	a.caller = c
	return a
}
