package gen

import (
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"iter"
	"math/big"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"mangoro.local/internal/codec"
	"mangoro.local/pkg/rgoipc"
)

// declarations are those of the types below.
const declarations = `
type celsius float64
type word string
type letter byte
type id uint32
type grid [2][3]float64
type digest [4]byte
type ring [2]*ring
type whatever any
type node struct{ Next *node }
type tree []tree
type knot map[string]knot
type secret struct{ a int }
type twins struct { A int; B int "r:\"A\"" }
type hidden struct { A int; B chan int "r:\"-\"" }
type outer struct { hidden; A []rgoipc.Null[word] }
type wrapped struct { rgoipc.Null[int] }
type numbers = []float64
type plot struct { Grid rgoipc.Matrix[int] }
type board struct { rgoipc.Frame; X []float64; Y rgoipc.Nulls[word] }
type blank struct { _ rgoipc.Frame; X []float64 }
type uneven struct { rgoipc.Frame; X []float64; Y int }
type bare struct { rgoipc.Frame }
type kept struct { Frame rgoipc.Frame; X []float64 }
type marked struct { blank; Z []int }
type Pointed struct { rgoipc.Frame; X []float64 }
type pointing struct { *Pointed; Z []int }
type level int
func (level) MarshalText() ([]byte, error) { return nil, nil }
func (*level) UnmarshalText([]byte) error { return nil }
type written struct{ A int }
func (*written) MarshalText() (text []byte, err error) { return nil, nil }
type parsed string
func (*parsed) UnmarshalText(text []byte) error { return nil }
type unlike string
func (unlike) MarshalText() string { return "" }
type base struct { ID int "json:\"id\""; Note string "json:\",omitempty\"" }
type Other struct { ID int "r:\"id\""; C chan int "json:\"-\"" }
type derived struct { base; *Other; ID string }
type hiding struct { base; Other }
type stamped struct { time.Time; A int }
type objects []map[string]any
type objective func(x, y float64) (float64, error)
type rows func(yield func(base) bool)
type self struct { *self; A int }
`

type (
	celsius  float64
	word     string
	letter   byte
	id       uint32
	grid     [2][3]float64
	digest   [4]byte
	ring     [2]*ring
	whatever any
	node     struct{ Next *node }
	tree     []tree
	knot     map[string]knot
	secret   struct{ a int } //lint:ignore U1000 it is not exported
	twins    struct {
		A int
		B int `r:"A"`
	}
	hidden struct {
		A int
		B chan int `r:"-"`
	}
	outer struct {
		hidden
		A []rgoipc.Null[word]
	}
	wrapped struct{ rgoipc.Null[int] }
	numbers = []float64
	plot    struct{ Grid rgoipc.Matrix[int] }
	board   struct {
		rgoipc.Frame
		X []float64
		Y rgoipc.Nulls[word]
	}
	blank struct {
		_ rgoipc.Frame
		X []float64
	}
	uneven struct {
		rgoipc.Frame
		X []float64
		Y int
	}
	bare struct{ rgoipc.Frame }
	kept struct {
		Frame rgoipc.Frame
		X     []float64
	}
	marked struct {
		blank
		Z []int
	}
	Pointed struct {
		rgoipc.Frame
		X []float64
	}
	pointing struct {
		*Pointed
		Z []int
	}
	level   int
	written struct{ A int }
	parsed  string
	unlike  string
	base    struct {
		ID   int    `json:"id"`
		Note string `json:",omitempty"`
	}
	Other struct {
		ID int      `r:"id"`
		C  chan int `json:"-"`
	}
	derived struct {
		base
		*Other
		ID string
	}
	hiding struct {
		base
		Other
	}
	stamped struct {
		time.Time
		A int
	}
	objects   []map[string]any
	objective func(x, y float64) (float64, error)
	rows      func(yield func(base) bool)
	self      struct {
		*self //lint:ignore U1000 it is not exported
		A     int
	}
)

func (level) MarshalText() ([]byte, error) { return nil, nil }

func (*level) UnmarshalText([]byte) error { return nil }

func (*written) MarshalText() (text []byte, err error) { return nil, nil }

func (*parsed) UnmarshalText(text []byte) error { return nil }

func (unlike) MarshalText() string { return "" }

// goType is a type by its name and as reflection has it.
type goType struct {
	text string
	t    reflect.Type
}

func named[T any](text string) goType { return goType{text, reflect.TypeFor[T]()} }

// goTypes are types of all sorts, and those that are made of them, two levels deep.
func goTypes() []goType {
	simple := []goType{
		named[bool]("bool"), named[int]("int"), named[int8]("int8"), named[int16]("int16"), named[int32]("int32"), named[int64]("int64"),
		named[uint]("uint"), named[uint8]("uint8"), named[uint16]("uint16"), named[uint32]("uint32"), named[uint64]("uint64"), named[uintptr]("uintptr"),
		named[float32]("float32"), named[float64]("float64"), named[complex64]("complex64"), named[complex128]("complex128"), named[string]("string"),
		named[any]("any"), named[error]("error"), named[fmt.Stringer]("interface{ String() string }"),
		named[chan int]("chan int"), named[func()]("func()"), named[[2]int]("[2]int"), named[struct{}]("struct{}"), named[context.Context]("context.Context"),
		named[time.Time]("time.Time"), named[time.Duration]("time.Duration"), named[time.Month]("time.Month"), named[time.Weekday]("time.Weekday"),
		named[arrow.Array]("arrow.Array"), named[arrow.RecordBatch]("arrow.RecordBatch"), named[array.RecordReader]("array.RecordReader"),
		named[celsius]("celsius"), named[word]("word"), named[letter]("letter"), named[id]("id"), named[grid]("grid"), named[digest]("digest"), named[ring]("ring"), named[whatever]("whatever"), named[node]("node"), named[tree]("tree"), named[knot]("knot"),
		named[secret]("secret"), named[twins]("twins"), named[hidden]("hidden"), named[outer]("outer"), named[wrapped]("wrapped"), named[numbers]("numbers"),
		named[rgoipc.Null[float64]]("rgoipc.Null[float64]"), named[rgoipc.Null[word]]("rgoipc.Null[word]"), named[rgoipc.Null[[]int]]("rgoipc.Null[[]int]"),
		named[rgoipc.Null[*int]]("rgoipc.Null[*int]"), named[rgoipc.Null[chan int]]("rgoipc.Null[chan int]"), named[rgoipc.Null[rgoipc.Null[int]]]("rgoipc.Null[rgoipc.Null[int]]"),
		named[rgoipc.Nulls[string]]("rgoipc.Nulls[string]"), named[rgoipc.Nulls[*int]]("rgoipc.Nulls[*int]"), named[rgoipc.Nulls[[]byte]]("rgoipc.Nulls[[]byte]"),
		named[rgoipc.Nulls[rgoipc.Null[int]]]("rgoipc.Nulls[rgoipc.Null[int]]"), named[rgoipc.Null[rgoipc.Nulls[int]]]("rgoipc.Null[rgoipc.Nulls[int]]"),
		named[rgoipc.Nulls[hidden]]("rgoipc.Nulls[hidden]"), named[rgoipc.Null[hidden]]("rgoipc.Null[hidden]"), named[map[[2]int]int]("map[[2]int]int"),
		named[rgoipc.Date]("rgoipc.Date"), named[rgoipc.Null[rgoipc.Date]]("rgoipc.Null[rgoipc.Date]"), named[rgoipc.Matrix[rgoipc.Date]]("rgoipc.Matrix[rgoipc.Date]"),
		named[rgoipc.Matrix[float64]]("rgoipc.Matrix[float64]"), named[rgoipc.Matrix[*word]]("rgoipc.Matrix[*word]"), named[rgoipc.Matrix[[]int]]("rgoipc.Matrix[[]int]"),
		named[rgoipc.Matrix[chan int]]("rgoipc.Matrix[chan int]"), named[rgoipc.Matrix[rgoipc.Null[int]]]("rgoipc.Matrix[rgoipc.Null[int]]"),
		named[rgoipc.Null[plot]]("rgoipc.Null[plot]"), named[rgoipc.Nulls[rgoipc.Matrix[bool]]]("rgoipc.Nulls[rgoipc.Matrix[bool]]"),
		named[plot]("plot"), named[board]("board"), named[blank]("blank"), named[uneven]("uneven"), named[bare]("bare"), named[kept]("kept"), named[marked]("marked"), named[Pointed]("Pointed"), named[pointing]("pointing"), named[rgoipc.Frame]("rgoipc.Frame"),
		named[level]("level"), named[written]("written"), named[parsed]("parsed"), named[unlike]("unlike"), named[base]("base"), named[derived]("derived"),
		named[hiding]("hiding"), named[stamped]("stamped"), named[objects]("objects"), named[self]("self"), named[map[level]int]("map[level]int"),
		named[map[written]int]("map[written]int"), named[map[parsed]any]("map[parsed]any"), named[map[uint8]string]("map[uint8]string"), named[map[word]any]("map[word]any"),
		named[big.Int]("big.Int"), named[big.Rat]("big.Rat"), named[json.RawMessage]("json.RawMessage"), named[json.Number]("json.Number"), named[netip.Addr]("netip.Addr"),
		named[map[netip.Addr]int]("map[netip.Addr]int"), named[map[int8]any]("map[int8]any"), named[map[written][]any]("map[written][]any"),
		named[[]map[parsed]map[int]any]("[]map[parsed]map[int]any"), named[map[float64]any]("map[float64]any"),
		named[iter.Seq[float64]]("iter.Seq[float64]"), named[iter.Seq[base]]("iter.Seq[base]"), named[iter.Seq[*word]]("iter.Seq[*word]"), named[iter.Seq[any]]("iter.Seq[any]"),
		named[iter.Seq[chan int]]("iter.Seq[chan int]"), named[iter.Seq[plot]]("iter.Seq[plot]"), named[iter.Seq[written]]("iter.Seq[written]"), named[iter.Seq[iter.Seq[int]]]("iter.Seq[iter.Seq[int]]"),
		named[iter.Seq2[base, error]]("iter.Seq2[base, error]"), named[iter.Seq2[int, string]]("iter.Seq2[int, string]"), named[rows]("rows"), named[<-chan base]("<-chan base"),
		named[chan<- int]("chan<- int"), named[func(func() bool)]("func(func() bool)"), named[func(func(int))]("func(func(int))"), named[func(func(int, int, int) bool)]("func(func(int, int, int) bool)"),
		named[map[any]int]("map[any]int"), named[map[word]celsius]("map[word]celsius"), named[map[celsius]int]("map[celsius]int"),
		named[func(float64) float64]("func(float64) float64"), named[func([]float64, string) ([]float64, error)]("func([]float64, string) ([]float64, error)"),
		named[func(context.Context, ...int) error]("func(context.Context, ...int) error"), named[func(plot) board]("func(plot) board"),
		named[func(any) any]("func(any) any"), named[func(arrow.RecordBatch) arrow.Array]("func(arrow.RecordBatch) arrow.Array"), named[objective]("objective"),
		named[func(chan int)]("func(chan int)"), named[func() (int, int)]("func() (int, int)"), named[func() func()]("func() func()"), named[func(func())]("func(func())"),
		named[func(array.RecordReader)]("func(array.RecordReader)"), named[func() array.RecordReader]("func() array.RecordReader"),
		named[func(written) written]("func(written) written"), named[func(parsed)]("func(parsed)"), named[func(error) int]("func(error) int"), named[func() secret]("func() secret"),
	}
	once := composed(simple)
	return append(append(simple, once...), composed(once)...)
}

// composed returns the types that are made of others.
func composed(of []goType) []goType {
	var out []goType
	for _, e := range of {
		field := reflect.StructField{Name: "A", Type: e.t}
		out = append(out,
			goType{"*" + e.text, reflect.PointerTo(e.t)},
			goType{"[]" + e.text, reflect.SliceOf(e.t)},
			goType{"[3]" + e.text, reflect.ArrayOf(3, e.t)},
			goType{"map[string]" + e.text, reflect.MapOf(reflect.TypeFor[string](), e.t)},
			goType{"map[int]" + e.text, reflect.MapOf(reflect.TypeFor[int](), e.t)},
			goType{"struct { A " + e.text + " }", reflect.StructOf([]reflect.StructField{field})},
		)
	}
	return out
}

// What the generator says of types is what rgoipc makes of them.
func TestTypesAgree(t *testing.T) {
	all := goTypes()
	var source strings.Builder
	fmt.Fprintf(&source, "package main\nimport (\"context\"; \"encoding/json\"; \"iter\"; \"math/big\"; \"net/netip\"; \"time\"; %q; %q; %q)\n%s", arrowPath, arrowPath+"/array", rgoipcPath, declarations)
	for i, e := range all {
		fmt.Fprintf(&source, "var v%d %s\n", i, e.text)
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "types.go", source.String(), 0)
	if err != nil {
		t.Fatal(err)
	}
	pkg, err := (&types.Config{Importer: stubs{}}).Check("main", fset, []*ast.File{file}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range all {
		got := value{t: pkg.Scope().Lookup(fmt.Sprintf("v%d", i)).Type()}
		got.verdict = judge(got.t, false)
		if got.unknown {
			t.Errorf("%s is not known", e.text)
		}
		kind, err := codec.Parameter(e.t)
		if reason := got.unfitParameter(); (reason == "") != (err == nil) {
			t.Errorf("a parameter of type %s: %q, want %v", e.text, reason, err)
		}
		if values, ok := kind.(codec.Values); ok && err == nil {
			if got.scalar != values.Scalar() || got.na != values.HasNA() || got.arrow != "" {
				t.Errorf("%s is %+v, want scalar %v, NA %v", e.text, got.verdict, values.Scalar(), values.HasNA())
			}
		} else if _, ok := kind.(codec.Sequence); ok && err == nil {
			if !got.stream {
				t.Errorf("%s is %+v, want a stream", e.text, got.verdict)
			}
		} else if err == nil && got.arrow == "" && !got.fn {
			t.Errorf("%s is %+v, want a type of Arrow's", e.text, got.verdict)
		}
		_, err = codec.Result(e.t)
		got.verdict = judge(got.t, true)
		if reason := got.unfitResult(); (reason == "") != (err == nil) {
			t.Errorf("a result of type %s: %q, want %v", e.text, reason, err)
		}
	}
}
