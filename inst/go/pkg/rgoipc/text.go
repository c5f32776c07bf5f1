package rgoipc

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// readStrings copies the text of a column once, and cuts the strings from it.
func readStrings(src source) ([]string, bitmap, error) {
	valid := validRows(src.column)
	switch column := src.column.(type) {
	case *array.String:
		if column.Len() == 0 {
			return []string{}, valid, nil
		}
		return cutStrings(string(column.ValueBytes()), column.ValueOffsets()), valid, nil
	case *array.LargeString:
		if column.Len() == 0 {
			return []string{}, valid, nil
		}
		return cutStrings(string(column.ValueBytes()), column.ValueOffsets()), valid, nil
	case *array.StringView:
		values := make([]string, column.Len())
		for i := range values {
			if valid.has(i) {
				values[i] = strings.Clone(column.Value(i))
			}
		}
		return values, valid, nil
	case *array.Dictionary:
		return readDictionary(src, column)
	default:
		return nil, valid, src.mustBe("character")
	}
}

// cutStrings returns the strings between offsets, which text begins at.
func cutStrings[O int32 | int64](text string, offsets []O) []string {
	values := make([]string, len(offsets)-1)
	from := offsets[0]
	for i := range values {
		values[i] = text[offsets[i]-from : offsets[i+1]-from]
	}
	return values
}

// readDictionary returns the values that a dictionary of strings stands for.
func readDictionary(src source, column *array.Dictionary) ([]string, bitmap, error) {
	if id := column.Dictionary().DataType().ID(); id == arrow.DICTIONARY {
		return nil, bitmap{}, src.mustBe("character")
	}
	levels, known, err := readStrings(src.with(src.field, column.Dictionary()))
	if err != nil {
		return nil, bitmap{}, src.mustBe("character")
	}
	valid := validRows(column)
	if !known.full() {
		valid = valid.copy(column.Len())
	}
	values := make([]string, column.Len())
	for i := range values {
		if !valid.has(i) {
			continue
		}
		at := column.GetValueIndex(i)
		switch {
		case at < 0 || at >= len(levels):
			return nil, bitmap{}, badValue("must have indices of its dictionary", i, at)
		case known.has(at):
			values[i] = levels[at]
		default:
			valid.clear(i)
		}
	}
	return values, valid, nil
}

// readBytes reads raw vectors. One that is NULL is nil.
func readBytes(src source) ([][]byte, bitmap, error) {
	values, valid, err := readBinaries(src)
	fill(values, valid, nil)
	return values, valid, err
}

// readBinaries copies the bytes of a column once, and cuts the values from it.
func readBinaries(src source) ([][]byte, bitmap, error) {
	valid := validRows(src.column)
	switch column := src.column.(type) {
	case *array.Binary:
		if column.Len() == 0 {
			return [][]byte{}, valid, nil
		}
		return cutBytes(column.ValueBytes(), column.ValueOffsets()), valid, nil
	case *array.LargeBinary:
		if column.Len() == 0 {
			return [][]byte{}, valid, nil
		}
		return cutBytes(column.ValueBytes(), column.ValueOffsets()), valid, nil
	case *array.FixedSizeBinary:
		values := make([][]byte, column.Len())
		for i := range values {
			if valid.has(i) {
				values[i] = bytes.Clone(column.Value(i))
			}
		}
		return values, valid, nil
	case *array.List:
		return readRaws(src, column, valid)
	case *array.LargeList:
		return readRaws(src, column, valid)
	default:
		return nil, valid, src.mustBe("raw")
	}
}

// readRaws reads lists of bytes, which readColumn has seen to.
func readRaws(src source, list array.ListLike, valid bitmap) ([][]byte, bitmap, error) {
	column, ok := list.ListValues().(*array.Uint8)
	if !ok {
		return nil, valid, src.mustBe("raw")
	}
	from, to := extent(list)
	offsets := make([]int64, list.Len()+1)
	for i := range list.Len() {
		offsets[i], offsets[i+1] = list.ValueOffsets(i)
	}
	return cutBytes(column.Uint8Values()[from:to], offsets), valid, nil
}

// cutBytes is cutStrings for bytes, which it copies.
func cutBytes[O int32 | int64](data []byte, offsets []O) [][]byte {
	data = bytes.Clone(data)
	values := make([][]byte, len(offsets)-1)
	first := offsets[0]
	for i := range values {
		from, to := offsets[i]-first, offsets[i+1]-first
		values[i] = data[from:to:to]
	}
	return values
}

// writeStrings refuses what is not UTF-8: Arrow has no such strings, nor does R.
func writeStrings(values []string, valid bitmap) (vector, error) {
	column, text := joined(arrow.BinaryTypes.String, arrow.BinaryTypes.LargeString, values, valid, math.MaxInt32)
	if validText(text, values, valid) {
		return newVector(column), nil
	}
	for i, v := range values {
		if valid.has(i) && !utf8.ValidString(v) {
			return vector{}, badValue("must be UTF-8", i, strconv.Quote(v))
		}
	}
	return newVector(column), nil
}

// validText tells whether all values are UTF-8, given that text is all of them
// one after the other: it is, and none begins inside of a character.
func validText(text []byte, values []string, valid bitmap) bool {
	if !utf8.Valid(text) {
		return false
	}
	for i, v := range values {
		if valid.has(i) && v != "" && !utf8.RuneStart(v[0]) {
			return false
		}
	}
	return true
}

// writeBinaries writes nil as NULL.
func writeBinaries(values [][]byte, valid bitmap) (vector, error) {
	copied := false
	for i, v := range values {
		if v == nil && valid.has(i) {
			if !copied {
				valid, copied = valid.copy(len(values)), true
			}
			valid.clear(i)
		}
	}
	column, _ := joined(arrow.BinaryTypes.Binary, arrow.BinaryTypes.LargeBinary, values, valid, math.MaxInt32)
	return newVector(column), nil
}

// joined returns a column of strings or bytes, and its data. It is large if the
// data has more bytes than limit.
func joined[T string | []byte](small, large arrow.DataType, values []T, valid bitmap, limit int) (arrow.Array, []byte) {
	size := 0
	for i, v := range values {
		if valid.has(i) {
			size += len(v)
		}
	}
	if size > limit {
		offsets, data := join[int64](values, valid, size)
		return newArray(large, len(values), valid, offsets, memory.NewBufferBytes(data)), data
	}
	offsets, data := join[int32](values, valid, size)
	return newArray(small, len(values), valid, offsets, memory.NewBufferBytes(data)), data
}

func join[O int32 | int64, T string | []byte](values []T, valid bitmap, size int) (*memory.Buffer, []byte) {
	offsets := make([]O, len(values)+1)
	data := make([]byte, 0, size)
	for i, v := range values {
		if valid.has(i) {
			data = append(data, v...)
		}
		offsets[i+1] = O(len(data))
	}
	return memory.NewBufferBytes(cast[byte](offsets)), data
}
