package rgoipc

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// The types of Arrow that a Go type is made from, column by column.
func TestInvokeWidens(t *testing.T) {
	asFloat := func(x float64) float64 { return x }
	asInt32 := func(x int32) int32 { return x }
	asInt64 := func(x int64) int64 { return x }
	asString := func(x string) string { return x }
	asTime := func(x time.Time) string { return x.Format(time.RFC3339Nano) + " " + x.Location().String() }
	asSpan := func(x time.Duration) string { return x.String() }
	asDate := func(x Date) string { return x.String() }
	asBytes := func(x []byte) string { return fmt.Sprintf("%x", x) }
	p := &arrow.PrimitiveTypes
	dictionary := &arrow.DictionaryType{IndexType: p.Int8, ValueType: texts, Ordered: true}
	paris := &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "Europe/Paris"}
	tests := []struct {
		name string
		fn   any
		arg  arg
		want string
	}{
		{"int32 to float64", asFloat, arg{p.Int32, `[1, null]`, "", ""}, `[1,null]`},
		{"int64 to float64", asFloat, arg{p.Int64, `[9007199254740992, null]`, "", ""}, `[9007199254740992,null]`},
		{"int16 to float64", asFloat, arg{p.Int16, `[-1]`, "", ""}, `[-1]`},
		{"int8 to float64", asFloat, arg{p.Int8, `[-1]`, "", ""}, `[-1]`},
		{"uint8 to float64", asFloat, arg{p.Uint8, `[255]`, "", ""}, `[255]`},
		{"uint16 to float64", asFloat, arg{p.Uint16, `[65535]`, "", ""}, `[65535]`},
		{"uint32 to float64", asFloat, arg{p.Uint32, `[4294967295]`, "", ""}, `[4294967295]`},
		{"uint64 to float64", asFloat, arg{p.Uint64, `[1]`, "", ""}, `[1]`},
		{"float32 to float64", asFloat, arg{p.Float32, `[0.5]`, "", ""}, `[0.5]`},
		{"float16 to float64", asFloat, arg{arrow.FixedWidthTypes.Float16, `[0.5]`, "", ""}, `[0.5]`},
		{"null to float64", asFloat, arg{nulls, `[null, null]`, "", ""}, `[null,null]`},
		{"logical NA to float64", asFloat, arg{bools, `[null, null]`, "", ""}, `[null,null]`},
		{"float64 to int32", asInt32, arg{p.Float64, `[-2147483648, 2147483647, null]`, "", ""}, `[-2147483648,2147483647,null]`},
		{"float32 to int32", asInt32, arg{p.Float32, `[3]`, "", ""}, `[3]`},
		{"int64 to int32", asInt32, arg{p.Int64, `[2147483647, null]`, "", ""}, `[2147483647,null]`},
		{"uint32 to int32", asInt32, arg{p.Uint32, `[2147483647]`, "", ""}, `[2147483647]`},
		{"uint64 to int32", asInt32, arg{p.Uint64, `[2147483647]`, "", ""}, `[2147483647]`},
		{"uint16 to int32", asInt32, arg{p.Uint16, `[65535]`, "", ""}, `[65535]`},
		{"int16 to int32", asInt32, arg{p.Int16, `[-5]`, "", ""}, `[-5]`},
		{"int8 to int32", asInt32, arg{p.Int8, `[-5]`, "", ""}, `[-5]`},
		{"uint8 to int32", asInt32, arg{p.Uint8, `[5]`, "", ""}, `[5]`},
		{"logical NA to int32", asInt32, arg{bools, `[null]`, "", ""}, `[null]`},
		{"int32 to int64", asInt64, arg{p.Int32, `[1, null]`, "", ""}, `[1,null]`},
		{"uint32 to int64", asInt64, arg{p.Uint32, `[4294967295]`, "", ""}, `[4294967295]`},
		{"float64 to int64", asInt64, arg{p.Float64, `[9007199254740994]`, "", ""}, `[9007199254740994]`},
		{"int32 to *float64", func(x *float64) bool { return x == nil }, arg{p.Int32, `[1, null]`, "", ""}, `[false,true]`},
		{"null to *float64", func(x *float64) bool { return x == nil }, arg{nulls, `[null]`, "", ""}, `[true]`},
		{"dictionary to string", asString, arg{dictionary, `["b", "a", null, "b"]`, "", ""}, `["b","a",null,"b"]`},
		{"large string", asString, arg{arrow.BinaryTypes.LargeString, `["a", null]`, "", ""}, `["a",null]`},
		{"string view", asString, arg{arrow.BinaryTypes.StringView, `["a", null, "longer than twelve"]`, "", ""}, `["a",null,"longer than twelve"]`},
		{"logical NA to string", asString, arg{bools, `[null]`, "", ""}, `[null]`},
		{"no rows", asString, arg{texts, `[]`, "", ""}, `[]`},
		{"timestamp with a zone", asTime, arg{paris, `["2024-07-01T10:00:00.123Z", null]`, "", ""}, `["2024-07-01T12:00:00.123+02:00 Europe/Paris",null]`},
		{"timestamp without a zone", asTime, arg{&arrow.TimestampType{Unit: arrow.Nanosecond}, `["2024-07-01T10:00:00"]`, "", ""}, `["2024-07-01T10:00:00Z UTC"]`},
		{"date32", asTime, arg{p.Date32, `["1969-12-31", null]`, "", ""}, `["1969-12-31T00:00:00Z UTC",null]`},
		{"date64", asTime, arg{p.Date64, `["2024-02-29"]`, "", ""}, `["2024-02-29T00:00:00Z UTC"]`},
		{"POSIXct", asTime, arg{p.Float64, `[-0.25, null]`, "POSIXct", `{"tzone":["Europe/Paris"]}`}, `["1970-01-01T00:59:59.75+01:00 Europe/Paris",null]`},
		{"POSIXct of integers", asTime, arg{p.Int32, `[86400]`, "POSIXct", `{"tzone":[""]}`}, `["1970-01-02T00:00:00Z UTC"]`},
		{"POSIXct with bad attributes", asTime, arg{p.Int32, `[0]`, "POSIXct", `{"tzone":7`}, `["1970-01-01T00:00:00Z UTC"]`},
		{"Date", asTime, arg{p.Float64, `[0.5, -1]`, "Date", ""}, `["1970-01-01T12:00:00Z UTC","1969-12-31T00:00:00Z UTC"]`},
		{"date32 to Date", asDate, arg{p.Date32, `["2024-02-29", null]`, "", ""}, `["2024-02-29",null]`},
		{"date64 to Date", asDate, arg{p.Date64, `["1969-12-31"]`, "", ""}, `["1969-12-31"]`},
		{"numbers to Date", asDate, arg{p.Float64, `[-1, null, 2147483647]`, "Date", ""}, `["1969-12-31",null,"5881580-07-11"]`},
		{"integers to Date", asDate, arg{p.Int32, `[1]`, "Date", ""}, `["1970-01-02"]`},
		{"logical NA to Date", asDate, arg{bools, `[null]`, "", ""}, `[null]`},
		{"duration[s]", asSpan, arg{arrow.FixedWidthTypes.Duration_s, `["90s", null]`, "", ""}, `["1m30s",null]`},
		{"time32", asSpan, arg{arrow.FixedWidthTypes.Time32ms, `["01:00:00"]`, "", ""}, `["1h0m0s"]`},
		{"time64", asSpan, arg{arrow.FixedWidthTypes.Time64us, `["00:00:01"]`, "", ""}, `["1s"]`},
		{"difftime", asSpan, arg{p.Float64, `[1.5, null]`, "difftime", `{"units":"hours"}`}, `["1h30m0s",null]`},
		{"difftime of integers", asSpan, arg{p.Int32, `[2]`, "difftime", `{"units":"weeks"}`}, `["336h0m0s"]`},
		{"difftime without units", asSpan, arg{p.Float64, `[2]`, "difftime", ""}, `["2s"]`},
		{"hms", asSpan, arg{p.Float64, `[61]`, "hms", `{"units":"days"}`}, `["1m1s"]`},
		{"large binary", asBytes, arg{arrow.BinaryTypes.LargeBinary, `["AAEC", null]`, "", ""}, `["000102",null]`},
		{"fixed binary", asBytes, arg{&arrow.FixedSizeBinaryType{ByteWidth: 2}, `["AAE="]`, "", ""}, `["0001"]`},
		{"raw vectors", asBytes, arg{arrow.ListOf(uint8s), `[[0, 1], null, []]`, "raw", ""}, `["0001",null,""]`},
		{"raw vector", asBytes, arg{uint8s, `[0, 1, 2]`, "raw", ""}, `["000102"]`},
		{"complex of numbers", func(x complex128) float64 { return imag(x) }, arg{p.Int32, `[1, null]`, "", ""}, `[0,null]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, _, err := resultOf(t, typed(t, tt.fn), columns(t, tt.arg))
			if err != nil || got != tt.want {
				t.Errorf("as a column: %s, %v; want %s", got, err, tt.want)
			}
			got, _, err = resultOf(t, typed(t, tt.fn), sliced(t, columns(t, tt.arg)))
			if err != nil || got != tt.want {
				t.Errorf("as a part of a column: %s, %v; want %s", got, err, tt.want)
			}
			if tt.arg.dataType.ID() == arrow.LIST {
				return // a list of lists: not what R sends
			}
			got, _, err = resultOf(t, typed(t, tt.fn), lists(t, tt.arg))
			if err != nil || got != tt.want {
				t.Errorf("as a row: %s, %v; want %s", got, err, tt.want)
			}
		})
	}
}

// sliced returns the record as the rows behind another one of its kind, so that
// its columns begin somewhere inside of their buffers.
func sliced(t *testing.T, rec arrow.RecordBatch) arrow.RecordBatch {
	t.Helper()
	var columns []arrow.Array
	for _, column := range rec.Columns() {
		twice, err := array.Concatenate([]arrow.Array{column, column, column}, memory.DefaultAllocator)
		if err != nil {
			t.Fatal(err)
		}
		defer twice.Release()
		columns = append(columns, twice)
	}
	n := rec.NumRows()
	whole := array.NewRecordBatch(rec.Schema(), columns, 3*n)
	defer whole.Release()
	part := whole.NewSlice(n, 2*n)
	t.Cleanup(part.Release)
	return part
}

// The types that hold others, as part of a column: see sliced.
func TestInvokeSlices(t *testing.T) {
	pairs := arrow.FixedSizeListOfNonNullable(2, float64s)
	tests := []struct {
		name string
		fn   any
		arg  arg
		want string
	}{
		{"lists", func(x [][]int) [][]int { return x }, arg{arrow.ListOf(int32s), `[[1], [], [2, 3]]`, "", ""}, `[[[1],[],[2,3]]]`},
		{"large lists", func(x [][]*int) [][]*int { return x }, arg{arrow.LargeListOf(int32s), `[[1], [], [null, 3]]`, "", ""}, `[[[1],[],[null,3]]]`},
		{"fixed lists", func(x []Nulls[int]) []Nulls[int] { return x }, arg{arrow.FixedSizeListOf(2, int32s), `[[1, null], [2, 3]]`, "", ""}, `[[[1,null],[2,3]]]`},
		{"lists of NULL", func(x []*[]int) []*[]int { return x }, arg{arrow.ListOf(int32s), `[[1], null, [2, 3]]`, "", ""}, `[[[1],null,[2,3]]]`},
		{"complex", func(x []complex128) []complex128 { return x }, arg{pairs, `[[1, 2], [3, 4]]`, "", ""}, `[[[1,2],[3,4]]]`},
		{"structs", func(x []person) []person { return x }, arg{people, `[{"name": "a", "age": 1}, {"name": "b", "age": 2}]`, "", ""}, `[[{"age":1,"name":"a"},{"age":2,"name":"b"}]]`},
		{"structs without a pointer and a Null", func(x []struct {
			Name string `r:"name"`
			Shoe *float64
			Size Null[int]
		},
		) []bool {
			return []bool{x[0].Name == "a", x[0].Shoe == nil, !x[0].Size.Valid}
		}, arg{people, `[{"name": "a", "age": 1}]`, "", ""}, `[[true,true,true]]`},
		{"structs or NULL", func(x []*person) []*person { return x }, arg{people, `[{"name": "a", "age": 1}, null]`, "", ""}, `[[{"age":1,"name":"a"},null]]`},
		{
			"maps", func(x []map[string]int) []map[string]int { return x },
			arg{arrow.MapOf(texts, int32s), `[[{"key": "a", "value": 1}], null, [{"key": "b", "value": 2}]]`, "", ""},
			`[[[{"key":"a","value":1}],null,[{"key":"b","value":2}]]]`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for place, rec := range map[string]arrow.RecordBatch{
				"column": columns(t, tt.arg), "part of a column": sliced(t, columns(t, tt.arg)), "row": lists(t, tt.arg),
			} {
				got, _, err := resultOf(t, typed(t, tt.fn), rec)
				if err != nil || got != tt.want {
					t.Errorf("as a %s: %s, %v; want %s", place, got, err, tt.want)
				}
			}
		})
	}
}

func TestInvokeRefuses(t *testing.T) {
	p := &arrow.PrimitiveTypes
	frame := func(text string) arg { return arg{people, text, "", ""} }
	tests := []struct {
		name string
		fn   any
		rec  arrow.RecordBatch
		want string
	}{
		{"text for a number", func(x float64) {}, columns(t, arg{texts, `["a"]`, "", ""}), "argument `x` must be numeric, not utf8"},
		{"bool for a number", func(x float64) {}, columns(t, arg{bools, `[true, null]`, "", ""}), "argument `x` must be numeric, not bool"},
		{"bool for an int32", func(x int32) {}, columns(t, arg{bools, `[true]`, "", ""}), "argument `x` must be numeric, not bool"},
		{"number for a text", func(x string) {}, columns(t, arg{p.Int32, `[1]`, "", ""}), "argument `x` must be character, not int32"},
		{"number for a bool", func(x bool) {}, columns(t, arg{p.Int32, `[1]`, "", ""}), "argument `x` must be logical, not int32"},
		{"number for a time", func(x time.Time) {}, columns(t, arg{p.Float64, `[1]`, "", ""}), "argument `x` must be times, not float64"},
		{"number for a span", func(x time.Duration) {}, columns(t, arg{p.Float64, `[1]`, "", ""}), "argument `x` must be time differences, not float64"},
		{"text for bytes", func(x []byte) {}, columns(t, arg{texts, `["a"]`, "", ""}), "argument `x` must be raw, not utf8"},
		{"text for a complex", func(x complex128) {}, columns(t, arg{texts, `["a"]`, "", ""}), "argument `x` must be complex or numeric, not utf8"},
		{"three for a complex", func(x complex128) {}, columns(t, arg{arrow.FixedSizeListOf(3, p.Float64), `[[1, 2, 3]]`, "", ""}), "argument `x` must be complex, not"},
		{"dictionary of numbers", func(x string) {}, columns(t, arg{&arrow.DictionaryType{IndexType: p.Int8, ValueType: p.Int32}, `[1]`, "", ""}), "argument `x` must be character, not dictionary"},
		{"struct for a number", func(x float64) {}, columns(t, frame(`[{}]`)), "argument `x` must be numeric, not struct"},
		{"1.5", func(x int32) {}, columns(t, arg{p.Float64, `[1, 1.5]`, "", ""}), "argument `x` must be whole numbers from -2147483648 to 2147483647, but row 2 is 1.5"},
		{"too large for int32", func(x int32) {}, columns(t, arg{p.Float64, `[2147483648]`, "", ""}), "it is 2.147483648e+09"},
		{"too large for int64", func(x int64) {}, columns(t, arg{p.Float64, `[9223372036854775808]`, "", ""}), "must be whole numbers from -9223372036854775808 to 9223372036854775807, but it is 9.223372036854776e+18"},
		{"uint64", func(x int64) {}, columns(t, arg{p.Uint64, `[9223372036854775808]`, "", ""}), "it is 9223372036854775808"},
		{"uint32", func(x int32) {}, columns(t, arg{p.Uint32, `[2147483648]`, "", ""}), "it is 2147483648"},
		{"int64 that float64 has not", func(x float64) {}, columns(t, arg{p.Int64, `[9007199254740993]`, "", ""}), "argument `x` must be numbers that a float64 holds exactly, but it is 9007199254740993"},
		{"too small for int8", func(x int8) {}, columns(t, arg{p.Int32, `[1, -129]`, "", ""}), "argument `x` must be whole numbers from -128 to 127, but row 2 is -129"},
		{"too large for int16", func(x int16) {}, columns(t, arg{p.Uint16, `[32768]`, "", ""}), "must be whole numbers from -32768 to 32767, but it is 32768"},
		{"too large for uint8", func(x uint8) {}, columns(t, arg{p.Float64, `[256]`, "", ""}), "must be whole numbers from 0 to 255, but it is 256"},
		{"too large for uint16", func(x uint16) {}, columns(t, arg{p.Int32, `[65536]`, "", ""}), "must be whole numbers from 0 to 65535, but it is 65536"},
		{"too large for uint32", func(x uint32) {}, columns(t, arg{p.Float64, `[4294967296]`, "", ""}), "must be whole numbers from 0 to 4294967295, but it is 4.294967296e+09"},
		{"negative for uint", func(x uint) {}, columns(t, arg{p.Int64, `[null, -1]`, "", ""}), "must be whole numbers from 0 to 18446744073709551615, but row 2 is -1"},
		{"too large for uint64", func(x uint64) {}, columns(t, arg{p.Float64, `[18446744073709551616]`, "", ""}), "must be whole numbers from 0 to 18446744073709551615, but it is 1.8446744073709552e+19"},
		{"too large for float32", func(x float32) {}, columns(t, arg{p.Float64, `[1, null, -1e39]`, "", ""}), "argument `x` must be numbers from -3.4028234663852886e+38 to 3.4028234663852886e+38, but row 3 is -1e+39"},
		{"too large for complex64", func(x complex64) {}, columns(t, arg{arrow.FixedSizeListOf(2, p.Float64), `[[1, 2], [3, 1e39]]`, "", ""}), "but row 2 is 1e+39"},
		{"text for an uint8", func(x uint8) {}, columns(t, arg{texts, `["a"]`, "", ""}), "argument `x` must be numeric, not utf8"},
		{"too large in []uint8", func(x []id) {}, lists(t, arg{p.Float64, `[1, 4294967296]`, "", ""}), "from 0 to 4294967295, but row 2 is 4.294967296e+09"},
		{"two for three", func(x [3]int) {}, lists(t, arg{p.Int32, `[1, 2]`, "", ""}), "argument `x` must have length 3, not 2"},
		{"two bytes for three", func(x [3]byte) {}, lists(t, arg{p.Uint8, `[1, 2]`, "raw", ""}), "argument `x` must have length 3, but row 1 is of length 2"},
		{"two for three in an array", func(x [2][3]int) {}, lists(t, arg{arrow.ListOf(p.Int32), `[[1, 2, 3], [1, 2]]`, "", ""}), "argument `x` must have length 3, but row 2 is of length 2"},
		{"NA in an array", func(x [2]int) {}, lists(t, arg{p.Int32, `[1, null]`, "", ""}), "argument `x` takes no missing values, but row 2 is missing"},
		{"NULL for an array", func(x [2]int) {}, columns(t, arg{nulls, `[null]`, "", ""}), "argument `x` must not be NULL"},
		{"span too long", func(x time.Duration) {}, columns(t, arg{arrow.FixedWidthTypes.Duration_s, `["9223372037s"]`, "", ""}), "must be time differences of less than 292 years, but it is 9223372037"},
		{"difftime too long", func(x time.Duration) {}, columns(t, arg{p.Float64, `[1e300]`, "difftime", ""}), "less than 292 years, but it is 1e+300"},
		{"POSIXct too late", func(x time.Time) {}, columns(t, arg{p.Float64, `[0, 1e300]`, "POSIXct", ""}), "argument `x` must be times, but row 2 is 1e+300"},
		{"half a day", func(x Date) {}, columns(t, arg{p.Float64, `[0, 0.5]`, "Date", ""}), "argument `x` must be whole days that an int32 holds, but row 2 is 0.5"},
		{"day too late", func(x Date) {}, columns(t, arg{p.Float64, `[2147483648]`, "Date", ""}), "it is 2.147483648e+09"},
		{"time for a date", func(x Date) {}, columns(t, arg{seconds, `["2024-02-29T00:00:00Z"]`, "", ""}), "argument `x` must be dates, not timestamp"},
		{"number for a date", func(x Date) {}, columns(t, arg{p.Float64, `[1]`, "", ""}), "argument `x` must be dates, not float64"},
		{"text for a date", func(x Date) {}, columns(t, arg{texts, `["a"]`, "Date", ""}), "argument `x` must be dates, not utf8"},
		{"lengths", func(x, y float64) {}, lists(t, arg{p.Float64, `[1, 2, 3]`, "", ""}, arg{p.Float64, `[1, 2]`, "", ""}), "the lengths of the arguments do not divide the longest: `x` has length 3, `y` has length 2"},

		{"missing", func(x, y float64) {}, columns(t), "it takes the columns `x`, `y`; missing: `x`, `y`"},
		{"unknown", func(x, y, z float64) {}, columns(t, arg{nulls, `[]`, "", ""}, arg{nulls, `[]`, "", ""}, arg{nulls, `[]`, "", ""}, arg{nulls, `[]`, "", ""}), "unknown: `x1`, `x2`, `x3`, `x4`"},
		{"unknown where none are", func() {}, columns(t, arg{nulls, `[]`, "", ""}), "it takes no columns; unknown: `x`"},
		{"NULL", func(x []float64) {}, columns(t, arg{nulls, `[null]`, "", ""}), "argument `x` must not be NULL"},
		{"NULL in a list", func(x []float64) {}, columns(t, arg{arrow.ListOf(p.Float64), `[null]`, "", ""}), "argument `x` must not be NULL"},

		{"NA in []int32", func(x []int32) {}, lists(t, arg{p.Int32, `[1, null]`, "", ""}), "argument `x` takes no missing values, but row 2 is missing"},
		{"NA in []string", func(x []string) {}, lists(t, arg{texts, `[null]`, "", ""}), "argument `x` must not be NA"},
		{"only NA in []string", func(x []string) {}, lists(t, arg{bools, `[null]`, "", ""}), "argument `x` must not be NA"},
		{"1.5 in []int", func(x []int) {}, lists(t, arg{p.Float64, `[1, 1.5]`, "", ""}), "argument `x` must be whole numbers from -9223372036854775808 to 9223372036854775807, but row 2 is 1.5"},
		{"NA in [][]int", func(x [][]int) {}, lists(t, arg{arrow.ListOf(p.Int32), `[[1], [], [2, null]]`, "", ""}), "argument `x` takes no missing values, but element 2 of row 3 is missing"},
		{"NULL in [][]int", func(x [][]int) {}, lists(t, arg{arrow.ListOf(p.Int32), `[[1], null]`, "", ""}), "argument `x` takes no missing values, but row 2 is missing"},
		{"numbers for [][]int", func(x [][]int) {}, lists(t, arg{p.Int32, `[1]`, "", ""}), "argument `x` must be a list, not int32"},
		{"map for [][]int", func(x [][]int) {}, lists(t, arg{arrow.MapOf(texts, p.Int32), `[[]]`, "", ""}), "argument `x` must be a list, not map"},
		{"length 2", func(x []int, y float64) {}, lists(t, arg{p.Int32, `[1]`, "", ""}, arg{p.Float64, `[1, 2]`, "", ""}), "argument `y` must have length 1, not 2"},
		{"length 0", func(x []int, y float64) {}, lists(t, arg{p.Int32, `[1]`, "", ""}, arg{p.Float64, `[]`, "", ""}), "argument `y` must have length 1, not 0"},
		{"NA beside a vector", func(x []int, y int) {}, lists(t, arg{p.Int32, `[1]`, "", ""}, arg{p.Float64, `[null]`, "", ""}), "argument `y` must not be NA"},

		{"number for a struct", func(x person) {}, lists(t, arg{p.Int32, `[1]`, "", ""}), "argument `x` must be a data frame or a named list, not int32"},
		{"no such field", func(x struct{ Nope int }) {}, columns(t, frame(`[{}]`)), "argument `x` must have one field `Nope`, not 0"},
		{"two such fields", func(x struct{ A int }) {}, columns(t, arg{arrow.StructOf(arrow.Field{Name: "A", Type: p.Int32}, arrow.Field{Name: "A", Type: p.Int32}), `[{"A": 1}]`, "", ""}), "argument `x` must have one field `A`, not 2"},
		{"NA in a field", func(x []person) {}, lists(t, frame(`[{"name": "a", "age": 1}, {"age": 1}]`)), "field `name` of argument `x` takes no missing values, but row 2 is missing"},
		{"bad type in a field", func(x []struct {
			Name int `r:"name"`
		}) {
		}, lists(t, frame(`[{"name": "a"}]`)), "field `name` of argument `x` must be numeric, not utf8"},
		{"two rows for a struct", func(x struct{ A []int }) {}, lists(t, arg{arrow.StructOf(arrow.Field{Name: "A", Type: arrow.ListOf(p.Int32)}), `[{"A": [1]}, {"A": [2]}]`, "", ""}), "argument `x` must have length 1, not 2"},
		{"two values", func(x float64) []float64 { return nil }, lists(t, arg{float64s, `[1, 2]`, "", ""}), "argument `x` must have length 1, not 2"},
		{"two values for a field", func(x struct{ A int }) {}, columns(t, arg{arrow.StructOf(arrow.Field{Name: "A", Type: arrow.ListOf(p.Int32)}), `[{"A": [1, 2]}]`, "", ""}), "field `A` of argument `x` must have one value in each row, but it is of length 2"},
		{
			"deep", func(x struct{ A struct{ B [][]int } }) {}, columns(t, arg{arrow.StructOf(arrow.Field{Name: "A", Type: arrow.StructOf(arrow.Field{Name: "B", Type: arrow.ListOf(arrow.ListOf(p.Float64))})}), `[{"A": {"B": [[1], [2, 2.5]]}}]`, "", ""}),
			"field `B` of field `A` of argument `x` must be whole numbers from -9223372036854775808 to 9223372036854775807, but element 2 of element 2 is 2.5",
		},
		{"text for a matrix", func(x Matrix[int]) {}, lists(t, arg{texts, `["a"]`, "", ""}), "argument `x` must be numeric, not utf8"},
		{"array for a matrix", func(x Matrix[int]) {}, lists(t, arg{p.Int32, `[1]`, "", `{"dim": [1, 1, 1]}`}), "argument `x` must be a matrix, not an array of 3 dimensions"},
		{"dimensions that are too many", func(x Matrix[int]) {}, lists(t, arg{p.Int32, `[1, 2]`, "", `{"dim": [2, 2]}`}), "argument `x` must have 2 x 2 elements to be a matrix, but has 2"},
		{"dimensions that overflow", func(x Matrix[int]) {}, lists(t, arg{p.Int32, `[]`, "", `{"dim": [4294967296, 4294967296]}`}), "must have 4294967296 x 4294967296 elements"},
		{"dimensions below 0", func(x Matrix[int]) {}, lists(t, arg{p.Int32, `[1]`, "", `{"dim": [-1, -1]}`}), "must have -1 x -1 elements"},
		{"names of rows that are not there", func(x Matrix[int]) {}, lists(t, arg{p.Int32, `[1]`, "", `{"dim": [1, 1], "dimnames": [["a", "b"], null]}`}), "must have a name for each of its 1 rows, or none, but has 2"},
		{"names of columns that are not there", func(x Matrix[int]) {}, lists(t, arg{p.Int32, `[1]`, "", `{"dim": [1, 1], "dimnames": [null, ["a", "b"]]}`}), "must have a name for each of its 1 columns, or none, but has 2"},
		{"missing name", func(x Matrix[int]) {}, lists(t, arg{p.Int32, `[1]`, "", `{"dim": [1, 1], "dimnames": [[null], null]}`}), "must have no missing names of rows or columns"},
		{"names of three dimensions", func(x Matrix[int]) {}, lists(t, arg{p.Int32, `[1]`, "", `{"dim": [1, 1], "dimnames": [null, null, null]}`}), "must have names of its rows and columns, not of 3 dimensions"},
		{"NA in a matrix", func(x Matrix[int]) {}, lists(t, arg{p.Int32, `[1, null]`, "", `{"dim": [1, 2]}`}), "argument `x` takes no missing values, but row 2 is missing"},
		{"NA in a matrix of a field", func(x struct{ M Matrix[int] }) {}, columns(t, arg{arrow.StructOf(arrow.Field{Name: "M", Type: arrow.ListOf(p.Int32)}), `[{"M": [1, null]}]`, "", ""}), "field `M` of argument `x` takes no missing values, but element 2 is missing"},
		{"number for a matrix of a field", func(x struct{ M Matrix[int] }) {}, columns(t, arg{arrow.StructOf(arrow.Field{Name: "M", Type: p.Int32}), `[{"M": 1}]`, "", ""}), "field `M` of argument `x` must be a matrix, not int32"},

		{"number for a frame", func(x table) {}, lists(t, arg{p.Int32, `[1]`, "", ""}), "argument `x` must be a data frame, not int32"},
		{"number for a frame of a field", func(x struct{ T table }) {}, columns(t, arg{arrow.StructOf(arrow.Field{Name: "T", Type: p.Int32}), `[{"T": 1}]`, "", ""}), "field `T` of argument `x` must be a data frame, not int32"},
		{"no such column", func(x table) {}, lists(t, frame(`[{}]`)), "argument `x` must have one field `x`, not 0"},
		{"frame with null rows", func(x table) {}, lists(t, arg{tables, `[null]`, "", ""}), "argument `x` must not be NA"},
		{"NA in a column", func(x struct {
			Frame
			Y []string
		}) {
		}, lists(t, arg{tables, `[{"Y": "a"}, {}]`, "", ""}), "field `Y` of argument `x` takes no missing values, but row 2 is missing"},
		{"NA in a column of a frame in a list", func(x []struct {
			Frame
			Y []string
		}) {
		}, lists(t, arg{arrow.ListOf(tables), `[[], [{"Y": "a"}, {}]]`, "", ""}), "field `Y` of argument `x` takes no missing values, but element 2 of row 2 is missing"},
		{"bytes for a record", func(x arrow.RecordBatch) {}, lists(t, arg{arrow.BinaryTypes.Binary, `["AAEC"]`, "", ""}), "argument `x` must be a stream of data frames"},
		{"number for a map", func(x map[string]int) {}, lists(t, arg{p.Int32, `[1]`, "", ""}), "argument `x` must be a named vector or a named list, not int32"},
		{"one name twice", func(x map[string]int) {}, columns(t, arg{arrow.MapOf(texts, p.Int32), `[[{"key": "a", "value": 1}, {"key": "a", "value": 2}]]`, "", ""}), "argument `x` must have each name once, but row 1 is one with two `a`"},
		{"NA in a map", func(x map[string]int) {}, columns(t, arg{arrow.MapOf(texts, p.Int32), `[[{"key": "a", "value": null}]]`, "", ""}), "argument `x` must not be NA"},
		{"number for a record", func(x arrow.RecordBatch) {}, lists(t, arg{p.Int32, `[1]`, "", ""}), "argument `x` must be a data frame, not int32"},
		{"record with null rows", func(x arrow.RecordBatch) {}, lists(t, frame(`[null]`)), "argument `x` must not be NA"},
		{"number for a stream", func(x array.RecordReader) {}, columns(t, arg{p.Int32, `[1]`, "", ""}), "argument `x` must be a stream of data frames, not int32"},
		{"numbers for a stream", func(x array.RecordReader) {}, lists(t, arg{p.Int32, `[1]`, "", ""}), "argument `x` must be a stream of data frames, not list"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := resultOf(t, typed(t, tt.fn), tt.rec)
			if err == nil || !strings.Contains(err.Error(), tt.want) || CodeOf(err) != CodeInvalidArgument {
				t.Errorf("got %v (%s), want %q in it", err, CodeOf(err), tt.want)
			}
		})
	}
}

// A null column is as long as it claims to be, in no bytes at all.
func TestInvokeLimitsNulls(t *testing.T) {
	rec := columns(t, arg{nulls, `[]`, "", ""})
	long := array.NewNull(1<<24 + 1)
	rec = array.NewRecordBatch(rec.Schema(), []arrow.Array{long}, int64(long.Len()))
	_, err := typed(t, func(x float64) {}).Handler(rec)
	if CodeOf(err) != CodeResourceExhausted {
		t.Errorf("got %v", err)
	}
}

func TestInvokeUnknownTimeZones(t *testing.T) {
	for _, zone := range []string{"No/Where", "Local", "../UTC", "/etc/passwd", "\x00", "+5", "+24:00", "+0a:00", "Foo/Bar+5", "<x>"} {
		values := fixedWidth(&arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: zone}, []int64{1}, nil)
		schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: values.DataType()}}, nil)
		rec := array.NewRecordBatch(schema, []arrow.Array{values}, 1)
		_, _, err := resultOf(t, typed(t, func(x time.Time) string { return x.Format(time.RFC3339Nano) }), rec)
		if CodeOf(err) != CodeInvalidArgument || !strings.Contains(err.Error(), "must be in a time zone that Go knows") {
			t.Errorf("zone %q: %v", zone, err)
		}
	}
}

// label is text with a name of its own.
type label struct{ arrow.ExtensionBase }

func (label) ArrayType() reflect.Type                  { return reflect.TypeFor[labels]() }
func (label) ExtensionName() string                    { return "label" }
func (label) Serialize() string                        { return "" }
func (label) ExtensionEquals(arrow.ExtensionType) bool { return true }
func (label) Deserialize(arrow.DataType, string) (arrow.ExtensionType, error) {
	return nil, errors.ErrUnsupported
}

type labels struct{ array.ExtensionArrayBase }

func TestInvokeExtension(t *testing.T) {
	storage := fromJSON(t, memory.DefaultAllocator, texts, `["{}", null]`)
	values := array.NewExtensionArrayWithStorage(&label{arrow.ExtensionBase{Storage: texts}}, storage)
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: values.DataType(), Nullable: true}}, nil)
	rec := array.NewRecordBatch(schema, []arrow.Array{values}, 2)
	if got, _, err := resultOf(t, typed(t, func(x string) int { return len(x) }), rec); err != nil || got != `[2,null]` {
		t.Errorf("got %s, %v", got, err)
	}
}

// What a function keeps never changes, though the request's memory does.
func TestInvokeCopies(t *testing.T) {
	data := []byte("abcdef")
	buffers := []*memory.Buffer{nil, memory.NewBufferBytes(arrow.GetBytes([]int32{0, 3, 6})), memory.NewBufferBytes(data)}
	strs := array.MakeFromData(array.NewData(texts, 2, buffers, nil, 0, 0))
	floats := []float64{1, 2}
	numbers := fixedWidth(float64s, floats, nil)
	var keptStrings []string
	var keptNumbers []float64
	var keptPointers []*float64
	call := func(fn any, values arrow.Array) {
		t.Helper()
		if _, err := typed(t, fn).Handler(columnX(boxed(values, arrow.Metadata{}))); err != nil {
			t.Fatal(err)
		}
	}
	call(func(x string) { keptStrings = append(keptStrings, x) }, strs)
	call(func(x []string) { keptStrings = append(keptStrings, x...) }, strs)
	call(func(x []float64) { keptNumbers = x }, numbers)
	call(func(x *float64) { keptPointers = append(keptPointers, x) }, numbers)
	clear(data)
	clear(floats)
	if got := strings.Join(keptStrings, " "); got != "abc def abc def" {
		t.Errorf("strings have become %q", got)
	}
	if keptNumbers[1] != 2 || *keptPointers[1] != 2 {
		t.Errorf("numbers have become %v, %v", keptNumbers, *keptPointers[1])
	}
}

// NA and NaN are two things, on the way in and on the way out.
func TestFuncTellsNAFromNaN(t *testing.T) {
	values := []float64{1, na, math.NaN()}
	bits := func(x float64) uint64 { return math.Float64bits(x) }
	rec := columnX(boxed(fixedWidth(float64s, values, []bool{true, false, true}), arrow.Metadata{}))
	check := func(what string, fn any) {
		t.Helper()
		_, got, err := resultOf(t, typed(t, fn), rec)
		if err != nil {
			t.Fatal(err)
		}
		column := got.Column(0)
		if list, ok := column.(*array.List); ok {
			column = list.ListValues()
		}
		out := column.(*array.Float64)
		if out.NullN() != 1 || !out.IsNull(1) || bits(out.Value(1)) != bits(na) || bits(out.Value(2)) != bits(math.NaN()) {
			t.Errorf("%s: %v with the bits %x, %x", what, out, bits(out.Value(1)), bits(out.Value(2)))
		}
	}
	check("scalar", func(x float64) float64 { return x })
	check("pointer", func(x *float64) *float64 { return x })
	check("Null", func(x Null[float64]) Null[float64] { return x })
	check("slice", func(x []float64) []float64 { return x })
	check("Nulls", func(x Nulls[float64]) Nulls[float64] { return x })
	check("made in Go", func(x []float64) []float64 { return []float64{1, na, math.NaN()} })

	// From a peer that leaves something else under its nulls.
	values[1] = 42
	check("slice of a stranger", func(x []float64) []float64 { return x })
}

// clumsy panics when it is read, outside of package main.
type clumsy struct{}

func (*clumsy) UnmarshalText([]byte) error { panic("dropped") }

func TestPanicOfMethod(t *testing.T) {
	rows := columnX(fromJSON(t, memory.DefaultAllocator, texts, `["a"]`))
	for name, tt := range map[string]struct {
		fn  any
		rec arrow.RecordBatch
	}{
		"rows":  {func(clumsy) int { return 0 }, rows},
		"whole": {func([]clumsy) int { return 0 }, columnX(boxed(rows.Column(0), arrow.Metadata{}))},
	} {
		_, err := typed(t, tt.fn).Handler(tt.rec)
		var e *Error
		if !errors.As(err, &e) || e.Code != CodePanic || e.Error() != "dropped" || !strings.Contains(e.Stack, "clumsy") {
			t.Errorf("%s: got %v (%s)", name, err, CodeOf(err))
		}
	}
}

// Shared memory may change after it was verified.
func TestChangedArguments(t *testing.T) {
	offsets := make([]int32, 2)
	buffers := []*memory.Buffer{nil, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(offsets)), memory.NewBufferBytes([]byte("abc"))}
	values := array.NewStringData(array.NewData(texts, 1, buffers, nil, 0, 0))
	rows, whole := columnX(values), columnX(boxed(values, arrow.Metadata{}))
	offsets[1] = 100
	for name, tt := range map[string]struct {
		fn  any
		rec arrow.RecordBatch
	}{
		"rows":  {func(x string) int { return len(x) }, rows},
		"whole": {func(x []string) int { return len(x) }, whole},
	} {
		_, err := typed(t, tt.fn).Handler(tt.rec)
		if err == nil || CodeOf(err) != CodeProtocol || !strings.Contains(err.Error(), "have changed while they were read") {
			t.Errorf("%s: got %v (%s)", name, err, CodeOf(err))
		}
	}
}
