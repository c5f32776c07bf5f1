package rgoipc

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// The metadata of a field that says what its Arrow type does not.
const (
	metaClass      = "r.class"
	metaAttributes = "r.attributes"
)

// source is a column to be read.
type source struct {
	field  arrow.Field
	column arrow.Array
	// borrow: nobody keeps or changes the values, so they may lie in the
	// column's own memory, and what is under a null does not matter.
	borrow bool
}

// with returns the source of a column below this one. It always copies.
func (s source) with(field arrow.Field, column arrow.Array) source {
	return source{field: field, column: column}
}

// class returns the R class that the field names, or "". Whether it is wrapped in
// I() is nothing to Go.
func (s source) class() string {
	class, _ := s.field.Metadata.GetValue(metaClass)
	return strings.TrimPrefix(class, "AsIs ")
}

// attributes reads the R attributes of the field into to, which keeps what it
// has where the attributes are not there or not what they should be.
func (s source) attributes(to any) {
	if text, ok := s.field.Metadata.GetValue(metaAttributes); ok {
		_ = json.Unmarshal([]byte(text), to) // hints from a peer, and bad ones are none
	}
}

// mustBe returns the error of a column of the wrong type.
func (s source) mustBe(what string) error {
	return &cellError{problem: "must be " + what + ", not " + s.column.DataType().String(), row: -1}
}

// child returns elements [from, to) of a list. The caller releases the column.
func (s source) child(list array.ListLike, from, to int64) source {
	field := list.DataType().(arrow.ListLikeType).ElemField()
	return source{field: field, column: array.NewSlice(list.ListValues(), from, to), borrow: s.borrow}
}

// cellError says what is wrong with a column, or with a value in it. Whoever
// reads it on the way up knows more of the place than whoever found it.
type cellError struct {
	arg     string // the argument, once that is known
	what    string // where inside of the argument: "field `age` of "
	problem string // "must be whole numbers"
	row     int    // 0-based; -1: the column as a whole
	within  string // where inside of the row: "element 3 of "
	value   string // what is in the row: "1.5"
}

func (e *cellError) Error() string { return e.text("the column") }

// text returns the sentence about a place: "argument `x`".
func (e *cellError) text(place string) string {
	text := e.what + place + " " + e.problem
	if e.row >= 0 {
		text += fmt.Sprintf(", and %srow %d is %s", e.within, e.row+1, e.value)
	}
	return text
}

// inField moves an error to where a field's values are.
func inField(err error, name string) error {
	if e, ok := err.(*cellError); ok {
		e.what += "field `" + name + "` of "
	}
	return err
}

// inElement moves an error of an element to the list that has it. The start of
// list i is offset(i).
func inElement(err error, lists int, offset func(i int) int) error {
	e, ok := err.(*cellError)
	if !ok || e.row < 0 {
		return err
	}
	for i := range lists {
		if e.row < offset(i+1) {
			e.within += fmt.Sprintf("element %d of ", e.row-offset(i)+1)
			e.row = i
			break
		}
	}
	return e
}

// badValue is the error of a value that does not fit.
func badValue(problem string, row int, value any) error {
	return &cellError{problem: problem, row: row, value: fmt.Sprint(value)}
}

// missingValue is the error of an NA where none may be.
func missingValue(row int) error {
	return &cellError{problem: "takes no missing values", row: row, value: "missing"}
}

// argumentError says which argument a cell's error is about.
func argumentError(name string, err error) error {
	if e, ok := err.(*cellError); ok {
		e.arg = name
	}
	return placed(CodeInvalidArgument, "argument `"+name+"`", err)
}

// placed turns a cell's error into one for the user, and leaves others as they
// are.
func placed(code Code, place string, err error) error {
	if e, ok := err.(*cellError); ok {
		return &Error{Code: code, Message: e.text(place), Err: e}
	}
	return err
}
