package rgoipc

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// typed registers a function and returns it.
func typed(t *testing.T, fn any, opts ...FuncOption) *Function {
	t.Helper()
	registry := NewRegistry()
	if err := registry.Func("f", fn, opts...); err != nil {
		t.Fatal(err)
	}
	f, _ := registry.Get("f")
	return f
}

// fromJSON makes an array that the end of the test releases.
func fromJSON(t *testing.T, mem memory.Allocator, dataType arrow.DataType, text string) arrow.Array {
	t.Helper()
	values, _, err := array.FromJSON(mem, dataType, strings.NewReader(text))
	if err != nil {
		t.Fatalf("%s of %s: %v", dataType, text, err)
	}
	return values
}

// arg is an argument of a call: values as JSON.
type arg struct {
	dataType arrow.DataType
	text     string
	class    string // r.class of the values
	attrs    string // r.attributes of the values
}

func (a arg) metadata() arrow.Metadata {
	meta := map[string]string{}
	if a.class != "" {
		meta[metaClass] = a.class
	}
	if a.attrs != "" {
		meta[metaAttributes] = a.attrs
	}
	return arrow.MetadataFrom(meta)
}

// columns makes a record of the arguments x, y, z as columns. It is checked at
// the end of the test that all its memory is given back.
func columns(t *testing.T, args ...arg) arrow.RecordBatch {
	t.Helper()
	return newRecord(t, args, func(a arg, values arrow.Array) (arrow.Field, arrow.Array) {
		values.Retain()
		return arrow.Field{Type: values.DataType(), Nullable: true, Metadata: a.metadata()}, values
	})
}

// lists makes a record of one row, in which each argument is a list.
func lists(t *testing.T, args ...arg) arrow.RecordBatch {
	t.Helper()
	return newRecord(t, args, func(a arg, values arrow.Array) (arrow.Field, arrow.Array) {
		list := boxed(values, a.metadata())
		return arrow.Field{Type: list.DataType(), Nullable: true}, list
	})
}

func newRecord(t *testing.T, args []arg, wrap func(arg, arrow.Array) (arrow.Field, arrow.Array)) arrow.RecordBatch {
	t.Helper()
	var fields []arrow.Field
	var columns []arrow.Array
	rows := 0
	for i, a := range args {
		values := fromJSON(t, memory.DefaultAllocator, a.dataType, a.text)
		field, column := wrap(a, values)
		values.Release()
		field.Name = argName(i, len(args))
		fields, columns, rows = append(fields, field), append(columns, column), column.Len()
	}
	rec := array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, int64(rows))
	for _, column := range columns {
		column.Release()
	}
	return rec
}

// resultOf calls a function and returns its result as JSON, and the column.
func resultOf(t *testing.T, f *Function, rec arrow.RecordBatch) (string, arrow.RecordBatch, error) {
	t.Helper()
	got, err := f.Handler(rec)
	if err != nil {
		return "", nil, err
	}
	t.Cleanup(got.Release)
	if got.NumCols() != 1 || got.ColumnName(0) != "result" {
		t.Fatalf("the result has the schema %v", got.Schema())
	}
	// What travels is what counts.
	stream, err := WriteArrowRecord(got)
	if err != nil {
		t.Fatal(err)
	}
	back, err := readRecord(nil, stream)
	if err != nil {
		t.Fatalf("the result cannot be read: %v", err)
	}
	t.Cleanup(back.Release)
	text, err := json.Marshal(back.Column(0))
	if err != nil {
		t.Fatal(err)
	}
	return string(text), got, nil
}

var (
	float64s = arrow.PrimitiveTypes.Float64
	int32s   = arrow.PrimitiveTypes.Int32
	int64s   = arrow.PrimitiveTypes.Int64
	uint8s   = arrow.PrimitiveTypes.Uint8
	texts    = arrow.BinaryTypes.String
	bools    = arrow.FixedWidthTypes.Boolean
	nulls    = arrow.Null
	seconds  = arrow.FixedWidthTypes.Timestamp_s
	people   = arrow.StructOf(
		arrow.Field{Name: "name", Type: texts, Nullable: true},
		arrow.Field{Name: "age", Type: int32s, Nullable: true},
	)
)

type person struct {
	Name string   `r:"name"`
	Age  int32    `r:"age"`
	note string   //lint:ignore U1000 fields that are not exported are left out
	Skip chan int `r:"-"`
}

// The table of the types that a function may have, a row each at the least.
func TestFuncOfEveryType(t *testing.T) {
	day := time.Date(2024, 2, 29, 12, 0, 0, 5e8, time.UTC)
	tests := []struct {
		name string
		fn   any
		rec  arrow.RecordBatch
		want string
	}{
		{"float64", func(x, y float64) float64 { return x + y }, columns(t, arg{float64s, `[1, null, 3]`, "", ""}, arg{float64s, `[1, 1, 0.5]`, "", ""}), `[2,null,3.5]`},
		{"int32", func(x int32) int32 { return -x }, columns(t, arg{int32s, `[1, null]`, "", ""}), `[-1,null]`},
		{"int64", func(x int64) int64 { return x + 1 }, columns(t, arg{int64s, `[9007199254740993, null]`, "", ""}), `[9007199254740994,null]`},
		{"int", func(x int) int { return x + 1 }, columns(t, arg{int32s, `[1, null]`, "", ""}), `[2,null]`},
		{"int8", func(x int8) int8 { return x + 1 }, columns(t, arg{int32s, `[-128, null, 126]`, "", ""}), `[-127,null,127]`},
		{"int16", func(x int16) int16 { return x + 1 }, columns(t, arg{int32s, `[-32768, null]`, "", ""}), `[-32767,null]`},
		{"uint8", func(x uint8) uint8 { return x + 1 }, columns(t, arg{uint8s, `[0, null, 254]`, "", ""}), `[1,null,255]`},
		{"uint16", func(x uint16) uint16 { return x + 1 }, columns(t, arg{int32s, `[0, null, 65534]`, "", ""}), `[1,null,65535]`},
		{"uint32", func(x uint32) uint32 { return x + 1 }, columns(t, arg{float64s, `[4294967294, null]`, "", ""}), `[4294967295,null]`},
		{"uint64", func(x uint64) uint64 { return x + 1 }, columns(t, arg{int64s, `[9223372036854775807, null]`, "", ""}), `[9223372036854775808,null]`},
		{"uint", func(x uint) uint { return x + 1 }, columns(t, arg{int32s, `[1, null]`, "", ""}), `[2,null]`},
		{"float32", func(x float32) float32 { return x / 2 }, columns(t, arg{float64s, `[1, null, 16777217]`, "", ""}), `[0.5,null,8388608]`},
		{"complex64", func(x complex64) complex64 { return x * 1i }, columns(t, arg{arrow.FixedSizeListOfNonNullable(2, float64s), `[[1, 2], null]`, "", ""}), `[[-2,1],null]`},
		{"renamed uint32", func(x id) id { return x + 1 }, columns(t, arg{int32s, `[1, null]`, "", ""}), `[2,null]`},
		{"string", func(x string) string { return x + "!" }, columns(t, arg{texts, `["a", null, ""]`, "", ""}), `["a!",null,"!"]`},
		{"bool", func(x bool) bool { return !x }, columns(t, arg{bools, `[true, null, false]`, "", ""}), `[false,null,true]`},
		{"time", func(x time.Time) time.Time { return x.Add(time.Hour) }, columns(t, arg{seconds, `["2024-02-29T12:00:00Z", null]`, "", ""}), `["2024-02-29T13:00:00Z",null]`},
		{"duration", func(x time.Duration) time.Duration { return 2 * x }, columns(t, arg{arrow.FixedWidthTypes.Duration_ms, `["1ms", null]`, "", ""}), `["2000000ns",null]`},
		{"date", func(x Date) Date { return x + 1 }, columns(t, arg{arrow.FixedWidthTypes.Date32, `["2024-02-28", null]`, "", ""}), `["2024-02-29",null]`},
		{"binary", func(x []byte) int { return len(x) }, columns(t, arg{arrow.BinaryTypes.Binary, `["AAEC", null, ""]`, "", ""}), `[3,null,0]`},
		{"complex", func(x complex128) complex128 { return x * 1i }, columns(t, arg{arrow.FixedSizeListOfNonNullable(2, float64s), `[[1, 2], null]`, "", ""}), `[[-2,1],null]`},
		{"renamed", func(x time.Month) string { return x.String() }, columns(t, arg{int32s, `[1, null, 12]`, "", ""}), `["January",null,"December"]`},
		{"nothing back", func(x float64) {}, columns(t, arg{float64s, `[1, 2]`, "", ""}), `[null,null]`},

		{"pointer", func(x *float64) bool { return x == nil }, columns(t, arg{float64s, `[1, null]`, "", ""}), `[false,true]`},
		{"pointer back", func(x int32) *int32 {
			if x < 0 {
				return nil
			}
			return &x
		}, columns(t, arg{int32s, `[1, -1, null]`, "", ""}), `[1,null,null]`},
		{"Null", func(x Null[string]) Null[int] { return Null[int]{len(x.V), x.Valid} }, columns(t, arg{texts, `["abc", null]`, "", ""}), `[3,null]`},
		{"Null beside scalar", func(x Null[int], y float64) bool { return x.Valid }, columns(t, arg{int32s, `[1, null, 1]`, "", ""}, arg{float64s, `[1, 1, null]`, "", ""}), `[true,false,null]`},

		{"[]float64", func(x []float64) float64 { return float64(len(x)) }, lists(t, arg{float64s, `[1, null, 3]`, "", ""}), `[3]`},
		{"[]int32", func(x []int32) []int32 { slices.Sort(x); return x }, lists(t, arg{int32s, `[3, 1, 2]`, "", ""}), `[[1,2,3]]`},
		{"[]uint16", func(x []uint16) []uint16 { return append(x, 1) }, lists(t, arg{int32s, `[3, 65535]`, "", ""}), `[[3,65535,1]]`},
		{"[]float32", func(x []float32) []float32 { return append(x, 0.5) }, lists(t, arg{float64s, `[3, null]`, "", ""}), `[[3,null,0.5]]`},
		{"[]id", func(x []id) []id { return append(x, 1) }, lists(t, arg{float64s, `[3]`, "", ""}), `[[3,1]]`},
		{"Nulls of uint8", func(x Nulls[uint8]) Nulls[uint8] { return x }, lists(t, arg{int32s, `[3, null]`, "", ""}), `[[3,null]]`},
		{"array", func(x [2]float64) [2]float64 { x[0]++; return x }, lists(t, arg{float64s, `[1, 2]`, "", ""}), `[[2,2]]`},
		{"array of arrays", func(x [2][1]string) [1][2]string { return [1][2]string{{x[1][0], x[0][0]}} }, lists(t, arg{arrow.ListOf(texts), `[["a"], ["b"]]`, "", ""}), `[[["b","a"]]]`},
		{"array of bytes", func(x [3]byte) [2]byte { return [2]byte{x[2], x[0]} }, columns(t, arg{uint8s, `[0, 1, 2]`, "raw", ""}), `["AgA="]`},
		{"array of bytes from a row", func(x [3]byte) int { return int(x[2]) }, lists(t, arg{uint8s, `[0, 1, 2]`, "raw", ""}), `[2]`},
		{"arrays of bytes", func(x [][2]byte) [][2]byte { return x }, lists(t, arg{arrow.BinaryTypes.Binary, `["AAE=", "AgA="]`, "", ""}), `[["AAE=","AgA="]]`},
		{"array of Null", func(x [2]Null[int8]) bool { return x[0].Valid || !x[1].Valid }, lists(t, arg{int32s, `[null, 1]`, "", ""}), `[false]`},
		{"pointer to array", func(x *[1]int) *[1]int { return x }, lists(t, arg{int32s, `[1]`, "", ""}), `[[1]]`},
		{"nil pointer to array back", func() *[1]int { return nil }, columns(t), `[null]`},
		{"fixed-size lists", func(x [2][3]float64) float64 { return x[1][2] }, lists(t, arg{arrow.FixedSizeListOf(3, float64s), `[[1, 2, 3], [4, 5, 6]]`, "", ""}), `[6]`},
		{"[]string", func(x []string) string { return strings.Join(x, "-") }, lists(t, arg{texts, `["a", "b"]`, "", ""}), `["a-b"]`},
		{"[]bool", func(x []bool) []bool { return append(x, true) }, lists(t, arg{bools, `[false]`, "", ""}), `[[false,true]]`},
		{"[]time", func(x []time.Time) time.Time { return slices.MaxFunc(x, time.Time.Compare) }, lists(t, arg{seconds, `["2024-02-29T00:00:00Z", "2023-01-01T00:00:00Z"]`, "", ""}), `["2024-02-29T00:00:00Z"]`},
		{"[]Date", func(x []Date) []Date { slices.Sort(x); return x }, lists(t, arg{arrow.FixedWidthTypes.Date32, `["2024-02-29", "1969-12-31"]`, "", ""}), `[["1969-12-31","2024-02-29"]]`},
		{"[][]byte", func(x [][]byte) [][]byte { return x }, lists(t, arg{arrow.BinaryTypes.Binary, `["AAEC", ""]`, "", ""}), `[["AAEC",""]]`},
		{"[][]float64", func(x [][]float64) [][]float64 { return x[1:] }, lists(t, arg{arrow.ListOf(float64s), `[[1], [2, 3], []]`, "", ""}), `[[[2,3],[]]]`},
		{"vectors of two lengths", func(x []float64, y []string) int { return len(x) + len(y) }, lists(t, arg{float64s, `[1, 2, 3]`, "", ""}, arg{texts, `["a"]`, "", ""}), `[4]`},
		{"vector beside scalar", func(x []float64, i int) float64 { return x[i] }, lists(t, arg{float64s, `[1, 2, 3]`, "", ""}, arg{float64s, `[1]`, "", ""}), `[2]`},
		{"empty list", func(x []float64, y [][]string) int { return len(x) + len(y) }, lists(t, arg{nulls, `[]`, "", ""}, arg{nulls, `[]`, "", ""}), `[0]`},
		{"logical NA for a vector", func(x []float64) []float64 { return x }, lists(t, arg{bools, `[null]`, "", ""}), `[[null]]`},
		{"whole column", func(x []float64) float64 { return x[0] + x[1] }, columns(t, arg{int32s, `[1, 2]`, "", ""}), `[3]`},
		{"list back for a scalar", func(x string) []string { return strings.Fields(x) }, lists(t, arg{texts, `["a b"]`, "", ""}), `[["a","b"]]`},
		{"nil slice back", func(x []float64) []float64 { return nil }, lists(t, arg{float64s, `[1]`, "", ""}), `[[]]`},
		{"[]*float64", func(x []*float64) []*float64 { return append(x, nil) }, lists(t, arg{float64s, `[1, null]`, "", ""}), `[[1,null,null]]`},
		{"[]Null", func(x []Null[int32]) []Null[int32] { return append(x, NewNull(int32(7))) }, lists(t, arg{int32s, `[1, null]`, "", ""}), `[[1,null,7]]`},
		{"Nulls", func(x Nulls[string]) Nulls[string] { return x }, lists(t, arg{texts, `["a", null, "c"]`, "", ""}), `[["a",null,"c"]]`},
		{"Nulls without NA", func(x Nulls[string]) bool { return x.Valid == nil && x.Len() == 1 }, lists(t, arg{texts, `["a"]`, "", ""}), `[true]`},
		{"pointer to slice", func(x *[]float64) *[]float64 { return x }, lists(t, arg{float64s, `[1, 2]`, "", ""}), `[[1,2]]`},

		{"variadic", func(by float64, x ...float64) []float64 { return append(x, by) }, lists(t, arg{float64s, `[1]`, "", ""}, arg{float64s, `[2, 3]`, "", ""}), `[[2,3,1]]`},
		{"variadic of nothing", func(by float64, x ...string) int { return len(x) }, lists(t, arg{float64s, `[1]`, "", ""}), `[0]`},
		{"variadic of structs", func(x ...person) int { return len(x) }, lists(t, arg{people, `[{"name": "Ann", "age": 30}, {"name": "Bob", "age": 20}]`, "", ""}), `[2]`},
		{"variadic of bytes", func(x ...byte) int { return len(x) }, lists(t, arg{arrow.BinaryTypes.Binary, `["AAEC"]`, "", ""}), `[3]`},
		{"variadic with a context", func(ctx context.Context, x ...bool) bool { return ctx.Err() == nil && x[0] }, lists(t, arg{bools, `[true]`, "", ""}), `[true]`},

		{"struct", func(x person) person { x.Age++; return x }, columns(t, arg{people, `[{"name": "Ann", "age": 30}]`, "", ""}), `[{"age":31,"name":"Ann"}]`},
		{"rows of structs", func(x person) person { x.Age++; return x }, columns(t, arg{people, `[{"name": "Ann", "age": 30}, null, {"name": null, "age": 30}, {"name": "Bob", "age": null}]`, "", ""}), `[{"age":31,"name":"Ann"},null,null,null]`},
		{"struct beside scalars", func(x person, y float64) float64 { return float64(x.Age) * y }, lists(t, arg{people, `[{"name": "Ann", "age": 30}]`, "", ""}, arg{float64s, `[1, null, 3]`, "", ""}), `[30,null,90]`},
		{"structs that show NA", func(x struct {
			Name *string   `r:"name"`
			Age  Null[int] `r:"age"`
		},
		) bool {
			return x.Name == nil && !x.Age.Valid
		}, columns(t, arg{people, `[{"name": "Ann", "age": 30}, {"name": null, "age": null}, null]`, "", ""}), `[false,true,null]`},
		{"structs whose pointers are NA", func(x struct {
			Name *string   `r:"name"`
			Age  Null[int] `r:"age"`
		},
		) bool {
			return x.Name == nil && !x.Age.Valid
		}, columns(t, arg{arrow.StructOf(
			arrow.Field{Name: "name", Type: bools, Nullable: true}, arrow.Field{Name: "age", Type: nulls, Nullable: true},
		), `[{}, {}]`, "", ""}), `[true,true]`},
		{"pointers to structs", func(x *person) bool { return x == nil }, columns(t, arg{people, `[{"name": "Ann", "age": 30}, {"name": null, "age": 30}, null]`, "", ""}), `[false,true,true]`},
		{"structs of structs", func(x struct{ In person }) int32 { return x.In.Age }, columns(t, arg{
			arrow.StructOf(arrow.Field{Name: "In", Type: people, Nullable: true}),
			`[{"In": {"name": "Ann", "age": 30}}, {"In": {"name": "Bob"}}, {"In": null}]`, "", "",
		}), `[30,null,null]`},
		{"struct of a slice", func(x struct{ V []float64 }) int { return len(x.V) }, columns(t, arg{
			arrow.StructOf(arrow.Field{Name: "V", Type: arrow.ListOf(float64s)}), `[{"V": [1, 2]}]`, "", "",
		}), `[2]`},
		{"struct from lists", func(x person) string { return x.Name }, columns(t, arg{arrow.StructOf(
			arrow.Field{Name: "age", Type: arrow.ListOf(float64s)}, arrow.Field{Name: "name", Type: arrow.ListOf(texts)},
		), `[{"name": ["Ann"], "age": [30]}]`, "", ""}), `["Ann"]`},
		{"[]struct", func(x []person) []person { return x[1:] }, lists(t, arg{people, `[{"name": "Ann", "age": 30}, {"name": "Bob", "age": 20}]`, "", ""}), `[[{"age":20,"name":"Bob"}]]`},
		{"nested struct", func(x struct {
			In   struct{ V []float64 }
			Also *person
		},
		) any3 {
			return any3{V: x.In.V, None: x.Also}
		}, columns(t, arg{arrow.StructOf(
			arrow.Field{Name: "In", Type: arrow.StructOf(arrow.Field{Name: "V", Type: arrow.ListOf(float64s)})},
			arrow.Field{Name: "Also", Type: people, Nullable: true},
		), `[{"In": {"V": [1, 2]}, "Also": null}]`, "", ""}), `[{"V":[1,2],"none":null}]`},
		{"map", func(x map[string]float64) map[string]float64 { x["b"] = 2; return x }, columns(t, arg{arrow.MapOf(texts, float64s), `[[{"key": "c", "value": 1}]]`, "", ""}), `[[{"key":"b","value":2},{"key":"c","value":1}]]`},
		{"map of numbers", func(x map[string]uint16) map[string]uint16 { return x }, columns(t, arg{arrow.MapOf(texts, int32s), `[[{"key": "c", "value": 1}]]`, "", ""}), `[[{"key":"c","value":1}]]`},
		{"map of arrays", func(x map[string][1]int8) int { return int(x["c"][0]) }, columns(t, arg{arrow.MapOf(texts, arrow.ListOf(int32s)), `[[{"key": "c", "value": [1]}]]`, "", ""}), `[1]`},
		{"numbers and arrays in fields", func(x []cell) []cell { x[1].A++; return x }, lists(t, arg{arrow.StructOf(
			arrow.Field{Name: "A", Type: int32s}, arrow.Field{Name: "B", Type: float64s, Nullable: true}, arrow.Field{Name: "C", Type: arrow.ListOf(texts)},
		), `[{"A": 1, "B": null, "C": ["a", "b"]}, {"A": 2, "B": 0.5, "C": ["c", "d"]}]`, "", ""}), `[[{"A":1,"B":null,"C":["a","b"]},{"A":3,"B":0.5,"C":["c","d"]}]]`},
		{"map from a named list", func(x map[string]float64) float64 { return x["a"] + x["b"] }, columns(t, arg{arrow.StructOf(
			arrow.Field{Name: "a", Type: arrow.ListOf(float64s)}, arrow.Field{Name: "b", Type: arrow.ListOf(int32s)},
		), `[{"a": [1], "b": [2]}]`, "", ""}), `[3]`},
		{"map of vectors", func(x map[string][]float64) int { return len(x["a"]) }, columns(t, arg{arrow.MapOf(texts, arrow.ListOf(float64s)), `[[{"key": "a", "value": [1, 2]}]]`, "", ""}), `[2]`},
		{"map of dates", func(x map[string]Date) Date { return x["a"] }, columns(t, arg{arrow.MapOf(texts, arrow.FixedWidthTypes.Date32), `[[{"key": "a", "value": "2024-02-29"}]]`, "", ""}), `["2024-02-29"]`},
		{"matrix", func(x Matrix[float64]) float64 { return x.At(1, 2) }, lists(t, arg{float64s, `[1, 2, 3, 4, 5, 6]`, "", `{"dim": [2, 3]}`}), `[6]`},
		{"matrix back", func(x Matrix[int32]) Matrix[int32] { x.Set(0, 0, 7); return x }, lists(t, arg{int32s, `[1, 2]`, "", `{"dim": [2, 1]}`}), `[[7,2]]`},
		{"matrix or NULL", func(x, y *Matrix[bool]) *Matrix[bool] { return y }, lists(t, arg{bools, `[true]`, "", ""}, arg{bools, `[false]`, "", ""}), `[[false]]`},
		{"nil matrix back", func(x Matrix[bool]) *Matrix[bool] { return nil }, lists(t, arg{bools, `[true]`, "", ""}), `[null]`},
		{"vector for a matrix", func(x Matrix[string]) []int { return []int{x.Rows, x.Cols, len(x.RowNames)} }, lists(t, arg{texts, `["a", "b"]`, "", `{"names": ["c", "d"]}`}), `[[2,1,0]]`},
		{"names of a matrix", func(x Matrix[bool]) []string { return append(x.RowNames, x.ColNames...) }, lists(t, arg{bools, `[true, false]`, "", `{"dim": [1, 2], "dimnames": [null, ["a", "b"]]}`}), `[["a","b"]]`},
		{"matrix of NA", func(x Matrix[Null[int]]) bool { return x.At(1, 0).Valid }, lists(t, arg{int32s, `[1, null]`, "", `{"dim": [2, 1]}`}), `[false]`},
		{"frame", func(x table) table { x.X[0]++; return x }, lists(t, arg{tables, `[{"x": 1, "Y": "a"}, {"x": 2, "Y": null}]`, "", ""}), `[[{"Y":"a","x":2},{"Y":null,"x":2}]]`},
		{"frames", func(x []table) []table { return append(x, table{}) }, lists(t, arg{arrow.ListOf(tables), `[[{"x": 1, "Y": "a"}], [], [{"x": 2, "Y": null}]]`, "", ""}), `[[[{"Y":"a","x":1}],[],[{"Y":null,"x":2}],[]]]`},
		{"frame or NULL", func(x *table) *table { return x }, lists(t, arg{tables, `[{"x": 1, "Y": "a"}]`, "", ""}), `[[{"Y":"a","x":1}]]`},
		{"field that is a frame", func(x []float64) struct{ T table } {
			return struct{ T table }{table{X: x, Y: Nulls[string]{Values: []string{"a"}}}}
		}, lists(t, arg{float64s, `[1]`, "", ""}), `[{"T":[{"Y":"a","x":1}]}]`},
		{"nil map back", func() map[string]int { return nil }, columns(t), `[null]`},

		{"Array", func(x arrow.Array) arrow.Array { x.Retain(); return x }, lists(t, arg{texts, `["a", null]`, "", ""}), `[["a",null]]`},
		{"RecordBatch", func(x arrow.RecordBatch) int64 { return x.NumRows() * x.NumCols() }, lists(t, arg{people, `[{"name": "Ann"}, {}]`, "", ""}), `[4]`},
		{"RecordBatch back", func(x arrow.RecordBatch) arrow.RecordBatch { return x.NewSlice(1, 2) }, lists(t, arg{people, `[{"name": "Ann"}, {}]`, "", ""}), `[[{"age":null,"name":null}]]`},
		{"no RecordBatch back", func() arrow.RecordBatch { return nil }, columns(t), `[null]`},
		{"RecordReader", func(x array.RecordReader, y string) string { return y + rowsOf(x) }, columns(t,
			arg{arrow.ListOf(people), `[[{"name": "Ann"}, {}], null, [], [{}]]`, "", ""}, arg{arrow.ListOf(texts), `[["rows:"], null, null, null]`, "", ""}), `["rows: 2 0 1"]`},
		{"context", func(ctx context.Context, x float64) bool { return ctx.Err() == nil }, columns(t, arg{float64s, `[1]`, "", ""}), `[true]`},
		{"context and vector", func(ctx context.Context, x []float64) bool { return ctx.Err() == nil }, lists(t, arg{float64s, `[1]`, "", ""}), `[true]`},
		{"several results", func(x []float64) (float64, []float64) { return x[0], x }, lists(t, arg{float64s, `[1, 2]`, "", ""}), `[{"result1":1,"result2":[1,2]}]`},
		{
			"several results of rows", func(x, y int) (int, bool, error) { return x / y, x%y == 0, nil }, columns(t, arg{int32s, `[7, null, 8]`, "", ""}, arg{int32s, `[2, 2, 2]`, "", ""}),
			`[{"result1":3,"result2":false},{"result1":null,"result2":null},{"result1":4,"result2":true}]`,
		},
		{"error", func(x float64) (float64, error) { return x, nil }, columns(t, arg{float64s, `[1]`, "", ""}), `[1]`},
		{"only an error", func(x []float64) error { return nil }, lists(t, arg{float64s, `[1]`, "", ""}), `[null]`},
		{"nothing at all", func() {}, columns(t), `[null]`},
		{"constant", func() time.Time { return day }, columns(t), `["2024-02-29T12:00:00.5Z"]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, _, err := resultOf(t, typed(t, tt.fn), tt.rec)
			if err != nil || got != tt.want {
				t.Errorf("got %s, %v; want %s", got, err, tt.want)
			}
		})
	}
}

// table is a data frame, and tables the rows of one.
type table struct {
	Frame
	X []float64 `r:"x"`
	Y Nulls[string]
}

var tables = arrow.StructOf(
	arrow.Field{Name: "x", Type: float64s, Nullable: true},
	arrow.Field{Name: "more", Type: bools, Nullable: true},
	arrow.Field{Name: "Y", Type: texts, Nullable: true},
)

type id uint32

type cell struct {
	A uint8
	B float32
	C [2]string
}

type any3 struct {
	V    []float64
	None *person `r:"none"`
}

func rowsOf(reader array.RecordReader) string {
	var text strings.Builder
	for reader.Next() {
		text.WriteString(" " + string(rune('0'+reader.RecordBatch().NumRows())))
	}
	return text.String()
}
