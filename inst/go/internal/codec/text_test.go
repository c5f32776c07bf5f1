package codec

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
)

// Texts too long for 32-bit offsets have others.
func TestLargeText(t *testing.T) {
	small, large := arrow.BinaryTypes.String, arrow.BinaryTypes.LargeString
	column, text := joined(small, large, []string{"ab", "NA", "c"}, rowsWithout(3, 1), 2, nil)
	if column.DataType() != large || string(text) != "abc" || column.String() != `["ab" (null) "c"]` {
		t.Errorf("got %v of %s", column, column.DataType())
	}
	if column, _ := joined(small, large, []string{"ab"}, Bitmap{}, 2, nil); column.DataType() != small {
		t.Errorf("got %v of %s", column, column.DataType())
	}
}

func rowsWithout(n int, missing ...int) Bitmap {
	b := allRows(n)
	for _, i := range missing {
		b.clear(i)
	}
	return b
}
