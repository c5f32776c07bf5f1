package codec

import (
	"github.com/apache/arrow-go/v18/arrow"

	"mangoro.local/internal/object"
)

// Caller is what a kind may use of the call that it belongs to.
type Caller interface {
	// Lives tells whether R can be asked at all.
	Lives() bool
	// Ask asks R for what a target, a function or a source that R has given, says to
	// columns of one row, or without columns for the next part of a source. The answer is
	// a record, which the caller releases, or nil if it is empty.
	Ask(target int, names []string, question []Column) (answer arrow.RecordBatch, err error)
	// AskAgain asks as Ask last did for the target, but with other values, whose memory is
	// given. It returns the values of the answer, or a record if the answer differs from the
	// last in more than its values. Unless there is such a question, and the values of its
	// answer fit, nothing is asked.
	AskAgain(target int, values [][]byte, fit func(Memory) bool) (again Memory, answer arrow.RecordBatch, asked bool, err error)
	// Fail ends the call with an error, which R gets at once.
	Fail(err error)
	// HasFailed notes an error that a function may not look at. If it does not fail itself, its
	// call fails with that when it has ended.
	HasFailed(err error)
	// Objects returns those that the call uses.
	Objects() *object.Uses
}

// Memory has numbers as Arrow has them.
type Memory struct {
	Bytes []byte
	Type  arrow.Type // NULL: there are none
}

// WithCaller says which call the arguments belong to.
func (a *Arguments) WithCaller(c Caller) *Arguments {
	a.caller = c
	return a
}
