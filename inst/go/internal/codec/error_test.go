package codec

import (
	"errors"
	"io"
	"testing"
)

func TestError(t *testing.T) {
	if err := inElement(io.EOF, 1, func(i int) int { return i }); !errors.Is(err, io.EOF) {
		t.Errorf("another error has become %v", err)
	}
	for want, err := range map[string]error{
		"the column must be even, but row 1 is 1":                           badValue("must be even", 0, 1),
		"the column must be even, but it is 1":                              &Error{problem: "must be even", Value: "1", Only: true},
		"the column must not be NA":                                         &Error{problem: noMissing, Value: "missing", Only: true},
		"the column must be even, but element 2 is 1":                       &Error{problem: "must be even", Value: "1", Only: true, element: "element 2 of "},
		"field `a` of the column must be even, but row 1 is 1":              inField(badValue("must be even", 0, 1), "a"),
		"the column must be even, but element 1 of row 2 is 1":              inElement(badValue("must be even", 2, 1), 2, func(i int) int { return 2 * i }),
		"the column must have length 1, not 2":                              wrong("must have length %d, not %d", 1, 2),
		"field `a` of field `b` of the column must have length 1, in row 3": inRow(inField(inField(wrong("must have length 1"), "a"), "b"), 2),
	} {
		if err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
