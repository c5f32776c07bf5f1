package codec

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"mangoro.local/internal/segment"
)

// readStrings copies the text of a column once, and cuts the strings from it.
func readStrings(col Column) ([]string, Bitmap, error) {
	valid := validRows(col.Array)
	switch column := col.Array.(type) {
	case *array.String:
		return cutStrings[int32](column), valid, nil
	case *array.LargeString:
		return cutStrings[int64](column), valid, nil
	case *array.StringView:
		values := make([]string, column.Len())
		for i := range values {
			if valid.Has(i) {
				values[i] = strings.Clone(column.Value(i))
			}
		}
		return values, valid, nil
	case *array.Dictionary:
		return readDictionary(col, column)
	default:
		return nil, valid, col.mustBe("character")
	}
}

// offsetColumn is a column of strings or bytes that lie one after the other.
type offsetColumn[O int32 | int64] interface {
	Len() int
	ValueBytes() []byte
	ValueOffsets() []O
}

// cutStrings returns the strings of a column.
func cutStrings[O int32 | int64](column offsetColumn[O]) []string {
	if column.Len() == 0 {
		return []string{}
	}
	text, offsets := string(column.ValueBytes()), column.ValueOffsets()
	values := make([]string, len(offsets)-1)
	from := offsets[0]
	for i := range values {
		values[i] = text[offsets[i]-from : offsets[i+1]-from]
	}
	return values
}

// readDictionary returns the values that a dictionary of strings stands for.
func readDictionary(col Column, column *array.Dictionary) ([]string, Bitmap, error) {
	if id := column.Dictionary().DataType().ID(); id == arrow.DICTIONARY {
		return nil, Bitmap{}, col.mustBe("character")
	}
	levels, known, err := readStrings(Column{Field: col.Field, Array: column.Dictionary()})
	if err != nil {
		return nil, Bitmap{}, col.mustBe("character")
	}
	valid := validRows(column)
	if !known.Full() {
		valid = valid.copy(column.Len())
	}
	values := make([]string, column.Len())
	for i := range values {
		if !valid.Has(i) {
			continue
		}
		at := column.GetValueIndex(i)
		switch {
		case at < 0 || at >= len(levels):
			return nil, Bitmap{}, badValue("must have indices of its dictionary", i, at)
		case known.Has(at):
			values[i] = levels[at]
		default:
			valid.clear(i)
		}
	}
	return values, valid, nil
}

// readBytes reads raw vectors: it copies the bytes of a column once, and cuts the values
// from it. One that is NULL is nil.
func readBytes(col Column) ([][]byte, Bitmap, error) {
	valid := validRows(col.Array)
	switch column := col.Array.(type) {
	case *array.Binary:
		return cutColumn[int32](column, valid), valid, nil
	case *array.LargeBinary:
		return cutColumn[int64](column, valid), valid, nil
	case *array.FixedSizeBinary:
		values := make([][]byte, column.Len())
		for i := range values {
			if valid.Has(i) {
				values[i] = bytes.Clone(column.Value(i))
			}
		}
		return values, valid, nil
	case *array.List:
		return readRaws(col, column, valid)
	case *array.LargeList:
		return readRaws(col, column, valid)
	default:
		return nil, valid, col.mustBe("raw")
	}
}

// readRaws reads lists of bytes, which readColumn has seen to.
func readRaws(col Column, list array.ListLike, valid Bitmap) ([][]byte, Bitmap, error) {
	column, ok := list.ListValues().(*array.Uint8)
	if !ok {
		return nil, valid, col.mustBe("raw")
	}
	from, to := extent(list)
	offsets := make([]int64, list.Len()+1)
	for i := range list.Len() {
		offsets[i], offsets[i+1] = list.ValueOffsets(i)
	}
	return cutBytes(column.Uint8Values()[from:to], offsets, valid), valid, nil
}

func cutColumn[O int32 | int64](column offsetColumn[O], valid Bitmap) [][]byte {
	if column.Len() == 0 {
		return [][]byte{}
	}
	return cutBytes(column.ValueBytes(), column.ValueOffsets(), valid)
}

// cutBytes returns the bytes between offsets, which data begins at, as copies, and nil
// where a row is NA.
func cutBytes[O int32 | int64](data []byte, offsets []O, valid Bitmap) [][]byte {
	data = bytes.Clone(data)
	values := make([][]byte, len(offsets)-1)
	first := offsets[0]
	for i := range values {
		from, to := offsets[i]-first, offsets[i+1]-first
		values[i] = data[from:to:to]
	}
	fill(values, valid, nil)
	return values
}

// writeStrings refuses what is not UTF-8: Arrow has no such strings, nor does R.
func writeStrings(values []string, valid Bitmap, args *Arguments) (Column, error) {
	column, text := joined(arrow.BinaryTypes.String, arrow.BinaryTypes.LargeString, values, valid, math.MaxInt32, args.memory)
	if validText(text, values, valid) {
		return newColumn(column), nil
	}
	for i, v := range values {
		if valid.Has(i) && !utf8.ValidString(v) {
			return Column{}, badValue("must be UTF-8", i, strconv.Quote(v))
		}
	}
	return newColumn(column), nil
}

// validText tells whether all values are UTF-8, given that text is all of them
// one after the other: it is, and none begins inside of a character. A million short
// texts go and come in 50 ms, and in 59 ms if each is looked at alone.
func validText(text []byte, values []string, valid Bitmap) bool {
	if !utf8.Valid(text) {
		return false
	}
	for i, v := range values {
		if valid.Has(i) && v != "" && !utf8.RuneStart(v[0]) {
			return false
		}
	}
	return true
}

// writeBinaries writes nil as NULL.
func writeBinaries(values [][]byte, valid Bitmap, args *Arguments) (Column, error) {
	rows := clearable{Bitmap: valid, n: len(values)}
	for i, v := range values {
		if v == nil {
			rows.clear(i)
		}
	}
	column, _ := joined(arrow.BinaryTypes.Binary, arrow.BinaryTypes.LargeBinary, values, rows.Bitmap, math.MaxInt32, args.memory)
	return newColumn(column), nil
}

// joined returns a column of strings or bytes, and its data. It is large if the
// data has more bytes than limit. They lie in r if there is room for them.
func joined[T string | []byte](small, large arrow.DataType, values []T, valid Bitmap, limit int, r *segment.Result) (arrow.Array, []byte) {
	size := 0
	for i, v := range values {
		if valid.Has(i) {
			size += len(v)
		}
	}
	if size > limit {
		offsets, data := join[int64](values, valid, size, r)
		return newArray(large, len(values), valid, offsets, memory.NewBufferBytes(data)), data
	}
	offsets, data := join[int32](values, valid, size, r)
	return newArray(small, len(values), valid, offsets, memory.NewBufferBytes(data)), data
}

func join[O int32 | int64, T string | []byte](values []T, valid Bitmap, size int, r *segment.Result) (*memory.Buffer, []byte) {
	offsets := segment.Make[O](r, len(values)+1)
	data := segment.Make[byte](r, size)[:0]
	offsets[0] = 0
	for i, v := range values {
		if valid.Has(i) {
			data = append(data, v...)
		}
		offsets[i+1] = O(len(data))
	}
	return memory.NewBufferBytes(cast[byte](offsets)), data
}
