package rgoipc

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

type node struct{ Next *node }

type twice struct {
	A int `r:"a"`
	B int `r:"a"`
}

func TestFuncRefuses(t *testing.T) {
	add := func(x, y float64) float64 { return x + y }
	one := func(x float64) float64 { return x }
	tests := []struct {
		name string
		fn   any
		opts []FuncOption
		want string
	}{
		{"nil", nil, nil, "<nil> is not a function"},
		{"nil function", (func())(nil), nil, "func() is not a function"},
		{"no function", 1, nil, "int is not a function"},
		{"variadic of channels", func(x ...chan int) {}, nil, "parameter 1 `x`: type chan int is not supported"},
		{"channel", func(x float64, y chan int) {}, nil, "parameter 2 `y`: type chan int is not supported: R cannot send to a channel; use iter.Seq"},
		{"uintptr", func(x uintptr) {}, nil, "parameter 1 `x`: type uintptr is not supported: an address is nothing outside"},
		{"array of channels", func(ctx context.Context, x [2]chan int) {}, nil, "parameter 2 `x`: type chan int is not supported"},
		{"default that is too large", func(x uint8) {}, []FuncOption{Default("x", 256)}, "parameter `x` of type uint8 cannot have the default 256"},
		{"default below 0", func(x uint) {}, []FuncOption{Default("x", -1)}, "parameter `x` of type uint cannot have the default -1"},
		{"default beyond float32", func(x float32) {}, []FuncOption{Default("x", 1e39)}, "parameter `x` of type float32 cannot have the default 1e+39"},
		{"context that is not first", func(x float64, ctx context.Context) {}, nil, "parameter 2 `y`: type context.Context is not supported"},
		{"interface", func(x io.Reader) {}, nil, "type io.Reader is not supported: nothing says which type its values have; use that type, or any"},
		{"function", func() func() { return nil }, nil, "type func() is not supported: R has no Go functions; use what they return"},
		{"address", func(x unsafe.Pointer) {}, nil, "type unsafe.Pointer is not supported: an address is nothing outside of its process; use the value that is there"},
		{"slice of channels", func(x []chan int) {}, nil, "parameter 1 `x`: type chan int is not supported"},
		{"map with other keys", func(x map[float64]int) {}, nil, "type map[float64]int is not supported: its keys must be strings, whole numbers or text"},
		{"text that cannot be read", func(x []written) {}, nil, "type []rgoipc.written is not supported: it is text, but has no method UnmarshalText"},
		{"text that cannot be written", func() map[parsed]int { return nil }, nil, "type map[rgoipc.parsed]int is not supported: it is text, but has no method MarshalText"},
		{"NA twice in any", func(x *any) {}, nil, "has NA twice"},
		{"struct without fields", func(x struct{ a int }) {}, nil, "it has no exported fields"},
		{"struct with a bad field", func(x struct{ C chan int }) {}, nil, "field C of struct { C chan int }: type chan int is not supported"},
		{"two fields of one name", func(x twice) {}, nil, "two fields `a`"},
		{"type in itself", func(x node) {}, nil, "contains itself: R needs to know how deep it is; use any"},
		{"NA twice", func(x **float64) {}, nil, "type **float64 has NA twice"},
		{"NA twice in Null", func(x Null[*int]) {}, nil, "has NA twice"},
		{"NA twice in Nulls", func(x Nulls[Null[int]]) {}, nil, "has NA twice"},
		{"bad result", func() (int, func()) { return 0, nil }, nil, "result 2 `result2`: type func() is not supported"},
		//lint:ignore ST1008 that is what is refused
		{"error that is not last", func() (error, int) { return nil, 0 }, nil, "result 1 `result1`: type error is not supported"},
		{"stream among results", func() (int, array.RecordReader) { return 0, nil }, nil, "a stream must be the only result"},
		{"too few names", add, []FuncOption{Args("x")}, `it has 2 parameters, but 1 names for them: ["x"]`},
		{"one name twice", add, []FuncOption{Args("x", "x")}, "a unique name"},
		{"empty name", add, []FuncOption{Args("x", "")}, "a unique name"},
		{"result names", one, []FuncOption{Results("a", "b")}, `it has 1 results, but 2 names for them: ["a" "b"]`},
		{"optional that is not there", one, []FuncOption{Optional("z")}, "it has no parameter `z`"},
		{"optional that cannot be", one, []FuncOption{Optional("x")}, "parameter `x` of type float64 cannot be absent: use Default, or type *float64"},
		{"default that is not there", one, []FuncOption{Default("z", 1)}, "it has no parameter `z`"},
		{"default of another type", one, []FuncOption{Default("x", "a")}, "parameter `x` of type float64 cannot have the default \"a\""},
		{"default that does not fit", func(x int32) {}, []FuncOption{Default("x", 1.5)}, "parameter `x` of type int32 cannot have the default 1.5"},
		{"default of another sign", func(x int64) {}, []FuncOption{Default("x", uint64(1<<63))}, "cannot have the default"},
		{"default nil", func(x *int) {}, []FuncOption{Default("x", nil)}, "cannot have the default <nil>"},
		{"default of Arrow", func(x arrow.Array) {}, []FuncOption{Default("x", 1)}, "cannot have a default"},
		{"default that is not UTF-8", func(x string) {}, []FuncOption{Default("x", "\xff")}, "the default of parameter `x` must be UTF-8"},
		{"parallel vectors", func(x []float64) {}, []FuncOption{Parallel()}, "only an elementwise function can be Parallel"},
		{"parallel with a vector back", func(x float64) []float64 { return nil }, []FuncOption{Parallel()}, "only an elementwise function can be Parallel"},
		{"parallel variadic", func(x ...byte) {}, []FuncOption{Parallel()}, "only an elementwise function can be Parallel"},
		{"each once", one, []FuncOption{Each(), Once()}, "it cannot be called for Each and Once"},
		{"each of columns", one, []FuncOption{Each(), Columns()}, "it cannot be called for Each and Once"},
		{"each of nothing", func() []int { return nil }, []FuncOption{Each()}, "without parameters it cannot be called for Each element of them"},
		{"each of vectors", func(x float64, y []float64) {}, []FuncOption{Each()}, "it cannot be called for Each element: parameter `y` is of type []float64, which is not a single value"},
		{"each of variadics", func(x ...byte) {}, []FuncOption{Each()}, "parameter `x` is of type []uint8, which is not a single value"},
		{"each of structs of vectors", func(x struct{ A []int }) {}, []FuncOption{Each()}, "which is not a single value"},
		{"each stream", func(x float64) array.RecordReader { return nil }, []FuncOption{Each()}, "it cannot be called for Each element: the result is a stream"},
		{"each with a loop", one, []FuncOption{Each(), Loop(func(n int, x, out []float64) {})}, "can have a Loop"},
		{"path that is not there", one, []FuncOption{Paths("file")}, "it has no parameter `file`"},
		{"path of numbers", func(x []float64) {}, []FuncOption{Paths("x")}, "parameter `x` of type []float64 cannot be a path: it is no string"},
		{"columns of a vector", one, []FuncOption{Columns()}, "with Columns it must return a struct, or several results"},
		{"columns of nothing", func() {}, []FuncOption{Columns()}, "with Columns it must return a struct"},
		{"columns of what may be missing", func() *struct{ A int } { return nil }, []FuncOption{Columns()}, "with Columns it must return a struct"},
		{"parallel once", one, []FuncOption{Parallel(), Once()}, "only an elementwise function can be Parallel"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			registry := NewRegistry()
			err := registry.Func("f", tt.fn, tt.opts...)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), `function "f"`) {
				t.Errorf("Func() = %v, want %q in it", err, tt.want)
			}
			if len(registry.List()) > 0 {
				t.Error("what is refused is registered")
			}
		})
	}
}

func TestFuncNameTaken(t *testing.T) {
	registry := NewRegistry()
	if err := registry.Func("f", func() {}); err != nil {
		t.Fatal(err)
	}
	if err := registry.Func("f", func() {}); err == nil || !strings.Contains(err.Error(), "registered already") {
		t.Errorf("Func() = %v", err)
	}
}

func TestFuncManifest(t *testing.T) {
	const (
		number  = `{"Type":"float64","Nullable":true,"StructDef":null,"ListSchema":null}`
		strict  = `{"Type":"int32","Nullable":false,"StructDef":null,"ListSchema":null}`
		integer = `{"Type":"int32","Nullable":true,"StructDef":null,"ListSchema":null}`
		text    = `{"Type":"string","Nullable":false,"StructDef":null,"ListSchema":null}`
		null    = `{"Type":"null","Nullable":true,"StructDef":null,"ListSchema":null}`
	)
	list := func(of string) string {
		return `{"Type":"list","Nullable":false,"StructDef":null,"ListSchema":` + of + `}`
	}
	// The type is the first thing that is described.
	nullable := func(of string) string {
		return strings.Replace(of, `"Nullable":false`, `"Nullable":true`, 1)
	}
	args := func(pairs ...string) string {
		var all []string
		for i := 0; i < len(pairs); i += 2 {
			all = append(all, `{"Name":"`+pairs[i]+`","Type":`+pairs[i+1]+`,"Optional":false,"Default":null}`)
		}
		return "[" + strings.Join(all, ",") + "]"
	}
	structOf := func(pairs ...string) string {
		var all []string
		for i := 0; i < len(pairs); i += 2 {
			all = append(all, `{"Name":"`+pairs[i]+`","Type":`+pairs[i+1]+`,"Metadata":null}`)
		}
		return `{"Type":"struct","Nullable":false,"StructDef":{"Fields":[` + strings.Join(all, ",") + `]},"ListSchema":null}`
	}
	tests := []struct {
		name string
		fn   any
		opts []FuncOption
		want string
	}{
		{
			"elementwise", func(x, y float64) float64 { return 0 },
			[]FuncOption{Describe("Adds")},
			`{"Args":` + args("x", number, "y", number) + `,"ReturnType":` + number + `,"Vectorized":true,"Recycles":true,"Metadata":{"description":"Adds"}}`,
		},
		{
			"names", func(ctx context.Context, x *int32) Null[int32] { return Null[int32]{} },
			[]FuncOption{Args("n")},
			`{"Args":` + args("n", integer) + `,"ReturnType":` + integer + `,"Vectorized":true,"Recycles":true,"Lives":true,"Metadata":null}`,
		},
		{
			"four", func(a, b, c, d float64) {}, nil,
			`{"Args":` + args("x1", number, "x2", number, "x3", number, "x4", number) + `,"ReturnType":` + null + `,"Vectorized":true,"Recycles":true,"Metadata":null}`,
		},
		{
			"vectors", func(x []float64, y []int32, z []*int32) []Null[int32] { return nil }, nil,
			`{"Args":` + args("x", list(number), "y", list(strict), "z", list(integer)) + `,"ReturnType":` + list(integer) + `,"Vectorized":false,"Boxed":true,"Metadata":null}`,
		},
		{"Nulls", func(x Nulls[int32]) {}, nil, `{"Args":` + args("x", list(integer)) + `,"ReturnType":` + null + `,"Vectorized":false,"Boxed":true,"Metadata":null}`},
		{
			"data frame", func(x []person) person { return person{} }, nil,
			`{"Args":` + args("x", list(structOf("name", text, "age", strict))) + `,"ReturnType":` + structOf("name", text, "age", strict) + `,"Vectorized":false,"Boxed":true,"Metadata":null}`,
		},
		{
			"results", func(x []float64) (float64, int32, error) { return 0, 0, nil },
			[]FuncOption{Results("mean", "n")},
			`{"Args":` + args("x", list(number)) + `,"ReturnType":` + structOf("mean", number, "n", strict) + `,"Vectorized":false,"Boxed":true,"Metadata":null}`,
		},
		{
			"one result in a list", func() float64 { return 0 },
			[]FuncOption{Results("mean")},
			`{"Args":[],"ReturnType":` + structOf("mean", number) + `,"Vectorized":false,"Boxed":true,"Metadata":null}`,
		},
		{
			"once", func(x float64) int32 { return 0 },
			[]FuncOption{Once()},
			`{"Args":` + args("x", number) + `,"ReturnType":` + strict + `,"Vectorized":false,"Boxed":true,"Metadata":null}`,
		},
		{
			"map", func(x map[string]int32) {}, nil,
			`{"Args":` + args("x", `{"Type":"map","Nullable":true,"StructDef":null,"ListSchema":`+strict+`}`) + `,"ReturnType":` + null + `,"Vectorized":false,"Boxed":true,"Metadata":null}`,
		},
		{
			"raw", func(x arrow.Array, y array.RecordReader) arrow.RecordBatch { return nil }, nil,
			`{"Args":` + args("x", `{"Type":"any","Nullable":true,"StructDef":null,"ListSchema":null}`, "y", `{"Type":"stream","Nullable":true,"StructDef":null,"ListSchema":null}`) +
				`,"ReturnType":{"Type":"record","Nullable":true,"StructDef":null,"ListSchema":null},"Vectorized":false,"Boxed":true,"Lives":true,"Metadata":null}`,
		},
		{
			"matrix", func(x Matrix[int32]) *Matrix[float64] { return nil }, nil,
			`{"Args":` + args("x", `{"Type":"matrix","Nullable":false,"StructDef":null,"ListSchema":`+strict+`}`) +
				`,"ReturnType":{"Type":"matrix","Nullable":true,"StructDef":null,"ListSchema":` + number + `},"Vectorized":false,"Boxed":true,"Metadata":null}`,
		},
		{
			"any", func(x float64) any { return x }, nil,
			`{"Args":` + args("x", `{"Type":"float64","Nullable":true,"StructDef":null,"ListSchema":null}`) +
				`,"ReturnType":{"Type":"any","Nullable":true,"StructDef":null,"ListSchema":null},"Vectorized":false,"Boxed":true,"Metadata":null}`,
		},
		{
			"optional", func(x *int32, y float64) {},
			[]FuncOption{Optional("x"), Default("y", 10)},
			`{"Args":[{"Name":"x","Type":` + integer + `,"Optional":true,"Default":null},{"Name":"y","Type":` + number + `,"Optional":true,"Default":10}],` +
				`"ReturnType":` + null + `,"Vectorized":true,"Recycles":true,"Metadata":null}`,
		},
		{
			"structs", func(x person) person { return x }, nil,
			`{"Args":` + args("x", nullable(structOf("name", nullable(text), "age", integer))) + `,"ReturnType":` + nullable(structOf("name", nullable(text), "age", integer)) + `,"Vectorized":true,"Recycles":true,"Metadata":null}`,
		},
		{
			"each", func(x float64) []int32 { return nil },
			[]FuncOption{Each()},
			`{"Args":` + args("x", number) + `,"ReturnType":` + list(nullable(list(strict))) + `,"Vectorized":true,"Recycles":true,"Each":true,"Metadata":null}`,
		},
		{
			"each of nothing", func(x float64) error { return nil },
			[]FuncOption{Each()},
			`{"Args":` + args("x", number) + `,"ReturnType":` + null + `,"Vectorized":true,"Recycles":true,"Metadata":null}`,
		},
		{
			"paths and variadics", func(x string, y ...string) {},
			[]FuncOption{Paths("x", "y")},
			`{"Args":[{"Name":"x","Type":` + text + `,"Optional":false,"Default":null,"Path":true},{"Name":"y","Type":` + list(text) + `,"Optional":true,"Default":null,"Variadic":true,"Path":true}],` +
				`"ReturnType":` + null + `,"Vectorized":false,"Boxed":true,"Metadata":null}`,
		},
		{
			"paths with NA", func(a *string, b Null[string], c []*string, d Nulls[string]) {},
			[]FuncOption{Paths("x1", "x2", "x3", "x4"), Optional("x1")},
			`{"Args":[{"Name":"x1","Type":` + nullable(text) + `,"Optional":true,"Default":null,"Path":true},{"Name":"x2","Type":` + nullable(text) + `,"Optional":false,"Default":null,"Path":true},` +
				`{"Name":"x3","Type":` + list(nullable(text)) + `,"Optional":false,"Default":null,"Path":true},{"Name":"x4","Type":` + list(nullable(text)) + `,"Optional":false,"Default":null,"Path":true}],` +
				`"ReturnType":` + null + `,"Vectorized":false,"Boxed":true,"Metadata":null}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := json.Marshal(typed(t, tt.fn, tt.opts...).Signature)
			if err != nil || string(got) != tt.want {
				t.Errorf("signature %v\n%s\nwant\n%s", err, got, tt.want)
			}
		})
	}
}

func TestFuncOptionalArguments(t *testing.T) {
	one := arg{float64s, `[1, 2]`, "", ""}
	missing := arg{nulls, `[null]`, "", ""}
	rows := func(x float64, y *float64, z float64) float64 {
		if y == nil {
			return x + z
		}
		return x + *y + z
	}
	whole := func(x []float64, y map[string]int, z []string) int { return len(x) + len(y) + len(z) }
	tests := []struct {
		name string
		fn   any
		opts []FuncOption
		rec  arrow.RecordBatch
		want string
	}{
		{"rows", rows, []FuncOption{Optional("y"), Default("z", 10)}, columns(t, one), `[11,12]`},
		{"vectors", whole, []FuncOption{Optional("y"), Default("z", []string{"a", "b"})}, lists(t, one), `[4]`},
		{"NULL", whole, []FuncOption{Optional("y"), Default("z", []string{"a", "b"})}, columns(t, arg{arrow.ListOf(float64s), `[[1, 2]]`, "", ""}, missing, missing), `[4]`},
		{"pointer with a default", func(x *int32) int32 { return *x }, []FuncOption{Default("x", 7)}, columns(t), `[7]`},
		{"Null with a default", func(x Null[int32]) int32 { return x.V }, []FuncOption{Default("x", int32(7))}, columns(t), `[7]`},
		{"time", func(x time.Duration) time.Duration { return x }, []FuncOption{Default("x", time.Second)}, columns(t), `["1000000000ns"]`},
		{"struct", func(x struct{ Name string }) string { return x.Name }, []FuncOption{Default("x", struct{ Name string }{"Ann"})}, columns(t), `["Ann"]`},
		{"slice", func(x []float64) bool { return x == nil }, []FuncOption{Optional("x")}, columns(t), `[true]`},
		{"Nulls", func(x Nulls[float64]) int { return x.Len() }, []FuncOption{Optional("x")}, columns(t), `[0]`},
		{"Array", func(x arrow.Array) bool { return x == nil }, []FuncOption{Optional("x")}, columns(t), `[true]`},
		{"NULL for a map", func(x map[string]int) bool { return x == nil }, nil, columns(t, missing), `[true]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, _, err := resultOf(t, typed(t, tt.fn, tt.opts...), tt.rec)
			if err != nil || got != tt.want {
				t.Errorf("got %s, %v; want %s", got, err, tt.want)
			}
		})
	}
}

// Each call has a default of its own.
func TestFuncDefaultIsNotShared(t *testing.T) {
	f := typed(t, func(x []float64) float64 { x[0]++; return x[0] }, Default("x", []float64{1}))
	for range 2 {
		if got, _, err := resultOf(t, f, columns(t)); err != nil || got != `[2]` {
			t.Errorf("got %s, %v; want [2]", got, err)
		}
	}
}

// A function with the option Columns takes and returns records as a handler does.
func TestFuncColumns(t *testing.T) {
	type pair struct {
		A float64 `r:"a"`
		B string  `r:"b"`
	}
	x := column{name: "x", values: []float64{2}}
	for name, tt := range map[string]struct {
		fn      any
		opts    []FuncOption
		columns []column
		want    string // or the error
	}{
		"a struct":          {func(x float64) pair { return pair{x, "b"} }, nil, []column{x}, `[{"a":2,"b":"b"}]`},
		"several results":   {func(x float64) (float64, float64) { return x, -x }, nil, []column{x}, `[{"result1":2,"result2":-2}]`},
		"a named result":    {func(x float64) float64 { return x }, []FuncOption{Results("a")}, []column{x}, `[{"a":2}]`},
		"a vector in it":    {func(x float64) []float64 { return []float64{x, x} }, []FuncOption{Results("a")}, []column{x}, `[{"a":[2,2]}]`},
		"a default":         {func(x, y float64) pair { return pair{x + y, ""} }, []FuncOption{Default("y", 1.0)}, []column{x}, `[{"a":3,"b":""}]`},
		"no parameters":     {func() pair { return pair{} }, nil, []column{x}, `[{"a":0,"b":""}]`},
		"an error":          {func(x float64) (pair, error) { return pair{}, io.EOF }, nil, []column{x}, "EOF"},
		"two rows":          {func(x float64) pair { return pair{} }, nil, []column{{name: "x", values: []float64{1, 2}}}, "must have length 1, not 2"},
		"an unknown column": {func(y float64) pair { return pair{} }, []FuncOption{Args("y")}, []column{x}, "unknown: `x`"},
	} {
		t.Run(name, func(t *testing.T) {
			registry := NewRegistry()
			if err := registry.Func("f", tt.fn, append(tt.opts, Columns())...); err != nil {
				t.Fatal(err)
			}
			f, _ := registry.Get("f")
			if s := f.Signature; s.Boxed || s.Vectorized || s.Recycles || s.ReturnType.Type != TypeStruct {
				t.Errorf("the signature is %+v", s)
			}
			got, err := f.Handler(record(t, tt.columns...))
			if err != nil {
				if !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want %s", err, tt.want)
				}
				return
			}
			defer got.Release()
			text, err := got.MarshalJSON()
			if err != nil || strings.ReplaceAll(string(text), "\n", "") != tt.want {
				t.Errorf("got %s, %v, want %s", text, err, tt.want)
			}
		})
	}
}
