package codec

import (
	"cmp"
	"fmt"
	"strings"
)

// Error says what is wrong with a column, or with a value in it. Each caller on the way up
// adds its part of the path to the value.
type Error struct {
	Arg    string // the argument, once that is known
	Result string // or the result
	Row    int    // 0-based; -1: the column as a whole
	Value  string // what is in the row: "1.5"; empty: there is nothing to show
	// Only: the column has no other row, so the text names none.
	Only bool
	// TooLarge: a limit was reached.
	TooLarge bool
	// endless: the path to it is too long to be shown.
	endless bool

	problem string // "must be whole numbers"
	field   string // the path to the column, outermost last: "field `age` of "
	element string // the path to the value within the row: "element 3 of "
}

func (e *Error) Error() string { return e.Text("the column") }

// Text returns the sentence about the column that is called what: "argument `x`".
func (e *Error) Text(what string) string {
	text := e.field + what + " " + e.problem
	switch element := strings.TrimSuffix(e.element, " of "); {
	case e.Row < 0 && e.Value == "", e.Only && e.Value == "" && element == "":
	case e.Row < 0:
		text += ", but one is " + e.Value
	case e.Only && e.Value == "":
		text += ", in " + element
	case e.Only && element == "" && e.problem == noMissing:
		return e.field + what + " must not be NA"
	case e.Only:
		text += fmt.Sprintf(", but %s is %s", cmp.Or(element, "it"), e.Value)
	case e.Value == "":
		text += fmt.Sprintf(", in %srow %d", e.element, e.Row+1)
	default:
		text += fmt.Sprintf(", but %srow %d is %s", e.element, e.Row+1, e.Value)
	}
	return text
}

// inField moves an error to where a field's values are.
func inField(err error, name string) error {
	if e, ok := err.(*Error); ok && !e.endless {
		e.field += "field `" + name + "` of "
	}
	return err
}

// inElement moves an error of an element to the list that has it. The start of
// list i is offset(i).
func inElement(err error, lists int, offset func(i int) int) error {
	e, ok := err.(*Error)
	if !ok || e.Row < 0 {
		return err
	}
	for i := range lists {
		if e.Row < offset(i+1) {
			e.Row -= offset(i)
			return inList(e, i)
		}
	}
	return e
}

// inList moves an error of an element of a list to the row that the list is.
func inList(err error, row int) error {
	if e, ok := err.(*Error); ok && e.Row >= 0 {
		e.element += fmt.Sprintf("element %d of ", e.Row+1)
		e.Row = row
	}
	return err
}

// inRow moves an error about a value as a whole to the row that it is in.
func inRow(err error, row int) error {
	if e, ok := err.(*Error); ok && e.Row < 0 {
		e.Row = row
	}
	return err
}

// wrong returns the error of a column as a whole.
func wrong(format string, args ...any) error {
	return &Error{problem: fmt.Sprintf(format, args...), Row: -1}
}

// tooDeep returns the error of a value that is nested too deeply.
func tooDeep(levels int) error {
	return &Error{problem: fmt.Sprintf("is nested more than %d levels deep, or contains itself", levels), Row: -1, endless: true}
}

// badValue returns the error of a value that does not fit.
func badValue(problem string, row int, value any) error {
	return &Error{problem: problem, Row: row, Value: fmt.Sprint(value)}
}

// missingValue returns the error of an NA where none may be.
func missingValue(row int) error { return badValue(noMissing, row, "missing") }

const noMissing = "takes no missing values"

// inItem moves an error to the list whose element i it is about.
func inItem(err error, i int) error {
	if e, ok := err.(*Error); ok && !e.endless {
		e.field += fmt.Sprintf("element %d of ", i+1)
	}
	return err
}
