package rgoipc

import (
	"bytes"
	"errors"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"mangoro.local/internal/arrowipc"
	"mangoro.local/internal/codec"
)

// Lives is for kinds, see [codec.Caller].
func (c *caller) Lives() bool { return c.exchange != nil }

// Ask is for kinds, see [codec.Caller].
func (c *caller) Ask(target int, names []string, columns []codec.Column) (arrow.RecordBatch, error) {
	payload, err := questionPayload(names, columns)
	if err != nil {
		return nil, err
	}
	answer, err := c.exchange.answerTo(func(events []event) []byte {
		return questionMessage(c.exchange.call.name, target, events, payload)
	})
	if err != nil {
		return nil, err
	}
	if payload != nil {
		c.exchange.remember(target, payload, answer)
	}
	return c.record(answer)
}

// AskAgain is for kinds, see [codec.Caller].
func (c *caller) AskAgain(target int, values [][]byte, fit func(codec.Memory) bool) (again codec.Memory, answer arrow.RecordBatch, asked bool, err error) {
	l := c.exchange.lastQuestion(target)
	if l == nil || !l.takes(values) || !fit(l.numbers(l.answer)) {
		return again, nil, false, nil
	}
	payload, err := c.exchange.answerTo(func(events []event) []byte {
		if len(events) > 0 {
			return questionMessage(c.exchange.call.name, target, events, l.with(values)[l.header:])
		}
		return l.with(values)
	})
	switch {
	case err != nil:
		return again, nil, true, err
	case l.isAnsweredBy(payload):
		return l.numbers(payload), nil, true, nil
	case len(payload) == 0: // but the last answer was not empty
		return again, nil, true, errorf(CodeProtocol, "R has answered without the result of its function")
	}
	answer, err = c.record(payload)
	return again, answer, true, err
}

// record returns an answer as a record, or nil if it is empty.
func (c *caller) record(answer []byte) (arrow.RecordBatch, error) {
	if len(answer) == 0 {
		return nil, nil
	}
	record, err := readRecord(&c.connection.schemas, answer)
	if err != nil {
		return nil, &Error{Code: CodeProtocol, Err: err}
	}
	return record, nil
}

// answerTo asks R a question and returns the payload of its answer.
func (x *exchange) answerTo(question func(events []event) []byte) ([]byte, error) {
	answer, err := x.askBy(question)
	switch {
	case errors.Is(err, errEnded):
		return nil, errorf(CodeHandler, "the R function belongs to a call that has ended")
	case err != nil:
		return nil, err
	case answer.failure != nil:
		return nil, newRError(answer.failure)
	}
	return answer.payload, nil
}

// questionMessage returns the message by which a target is asked.
func questionMessage(name string, target int, events []event, payload []byte) []byte {
	metadata := jsonText(struct {
		Target int     `json:"target"`
		Events []event `json:"events,omitempty"`
	}{target, events})
	return (&RPCMessage{Type: MsgTypeQuestion, FuncName: name, ErrorMsg: metadata, ArrowData: payload}).Marshal()
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

// lastQuestion is the last question that a target was asked, and its answer, if both are
// numbers: the next ones mostly have the same bytes but for these. It does not change.
type lastQuestion struct {
	question []byte // the message
	header   int    // how many bytes come before its payload
	args     []arrowipc.Place
	answer   []byte // a payload
	result   arrowipc.Place
}

// maxTargets is of how many targets of a call the last questions are kept.
const maxTargets = 16

// remember keeps a question and its answer, if they can be such.
func (x *exchange) remember(target int, payload, answer []byte) {
	if target >= maxTargets || len(payload)+len(answer) > maxTemplate {
		return
	}
	question, ok := (*arrowipc.Schemas)(nil).Places(payload)
	if !ok {
		return
	}
	l := &lastQuestion{question: questionMessage(x.call.name, target, nil, payload), args: question.Values, answer: answer}
	l.header = len(l.question) - len(payload)
	if len(answer) > 0 {
		places, ok := (*arrowipc.Schemas)(nil).Places(answer)
		if !ok || len(places.Values) != 1 {
			return
		}
		l.result = places.Values[0]
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for len(x.questions) <= target {
		x.questions = append(x.questions, nil)
	}
	x.questions[target] = l
}

func (x *exchange) lastQuestion(target int) *lastQuestion {
	x.mu.Lock()
	defer x.mu.Unlock()
	if target < len(x.questions) {
		return x.questions[target]
	}
	return nil
}

// takes tells whether values have the place of those of the question.
func (l *lastQuestion) takes(values [][]byte) bool {
	if len(values) != len(l.args) {
		return false
	}
	for i, place := range l.args {
		if len(values[i]) != place.Size || place.Type == arrow.NULL {
			return false
		}
	}
	return true
}

// with returns the question with other values.
func (l *lastQuestion) with(values [][]byte) []byte {
	message := bytes.Clone(l.question)
	for i, place := range l.args {
		copy(message[l.header+place.At:], values[i])
	}
	return message
}

// isAnsweredBy tells whether an answer differs from the last in its values only.
func (l *lastQuestion) isAnsweredBy(answer []byte) bool {
	end := l.result.At + l.result.Size
	return len(answer) == len(l.answer) && bytes.Equal(answer[:l.result.At], l.answer[:l.result.At]) &&
		bytes.Equal(answer[end:], l.answer[end:])
}

// numbers returns the values of an answer.
func (l *lastQuestion) numbers(answer []byte) codec.Memory {
	if len(answer) == 0 {
		return codec.Memory{Type: arrow.NULL}
	}
	return codec.Memory{Bytes: answer[l.result.At:][:l.result.Size], Type: l.result.Type}
}

// hear notes the header of a request if it says nothing but the answer to a question: most
// have the same.
func (x *exchange) hear(s said, message, payload []byte) {
	if len(s.Offer) == 0 && s.Over == "" && s.Failed == 0 {
		x.heard = message[:len(message)-len(payload)]
	}
}

// isAnswer tells whether a message is that, and returns its payload.
func (x *exchange) isAnswer(message []byte) (payload []byte, ok bool) {
	if x.heard == nil || !bytes.HasPrefix(message, x.heard) {
		return nil, false
	}
	return message[len(x.heard):], true
}
