package rgoipc

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
)

type (
	grade   int
	written struct{ A int }
	parsed  string
	holder  struct{ Any any }
)

func (g grade) MarshalText() ([]byte, error) {
	if g > 1 {
		return nil, fmt.Errorf("there is no grade %d", int(g))
	}
	return []byte([]string{"good", "bad"}[g]), nil
}

func (g *grade) UnmarshalText(text []byte) error {
	at := slices.Index([]string{"good", "bad"}, string(text))
	if at < 0 {
		return errors.New("it is not a grade")
	}
	*g = grade(at)
	return nil
}

func (*written) MarshalText() ([]byte, error) { return []byte("w"), nil }

func (*parsed) UnmarshalText([]byte) error { return nil }

// tree is an argument of any, as R writes it, one for each row.
func tree(rows ...string) arg {
	var texts []string
	for _, row := range rows {
		texts = append(texts, `"`+base64.StdEncoding.EncodeToString([]byte(row))+`"`)
	}
	return arg{arrow.BinaryTypes.Binary, "[" + strings.Join(texts, ",") + "]", "dynamic", ""}
}

const (
	one   = "\xfb\x3f\xf0\x00\x00\x00\x00\x00\x00" // 1.0
	paris = "\x6cEurope/Paris"
)

func TestInvokeAny(t *testing.T) {
	at := time.Date(2024, 7, 1, 14, 0, 0, 5, mustZone(t, "Europe/Paris"))
	for _, tt := range []struct {
		tree string
		want any
	}{
		{"\xf6", nil},
		{"\xf7", nil},
		{"\xf5", true},
		{one, 1.0},
		{"\x20", -1.0},
		{"\x61a", "a"},
		{"\x42\x00\x01", []byte{0, 1}},
		{"\x80", []any{}},
		{"\x82" + one + "\x81\xf6", []any{1.0, []any{nil}}},
		{"\xa2\x61a" + one + "\x61b\x80", map[string]any{"a": 1.0, "b": []any{}}},
		{"\xd9\xea\x63\x1a\x3b\x9a\xca\x00", time.Second},
		{"\xd9\xea\x62\x84\x1a\x66\x82\x9a\x40\x05" + paris + "\xf4", at},
	} {
		var got any
		f := typed(t, func(x any) { got = x })
		if _, err := f.Handler(lists(t, tree(tt.tree))); err != nil {
			t.Errorf("%q: %v", tt.tree, err)
		}
		same := reflect.DeepEqual(got, tt.want)
		if when, ok := tt.want.(time.Time); ok {
			read, ok := got.(time.Time)
			same = ok && read.Equal(when) && read.Location().String() == "Europe/Paris"
		}
		if !same {
			t.Errorf("%q: got %#v, want %#v", tt.tree, got, tt.want)
		}
	}
}

// Slices and maps of any, whatever R has sent for them.
func TestInvokeDynamic(t *testing.T) {
	for _, tt := range []struct {
		fn   any
		tree string
		want string
	}{
		{func(x []any) string { return fmt.Sprint(x) }, one, `["[1]"]`},
		{func(x []any) bool { return x == nil }, "\xf6", `[true]`},
		{func(x [][]any) string { return fmt.Sprint(x) }, "\x82\x81" + one + "\x80", `["[[1] []]"]`},
		{func(x map[string]any) string { return fmt.Sprint(x) }, "\xa1\x61a" + one, `["map[a:1]"]`},
		{func(x map[string]any) bool { return x != nil && len(x) == 0 }, "\x80", `[true]`},
		{func(x []map[string]any) string { return fmt.Sprint(x) }, "\x81\xa1\x61a" + one, `["[map[a:1]]"]`},
		{func(x map[parsedWord][2]any) string { return fmt.Sprint(x) }, "\xa1\x61a\x82" + one + one, `["map[a:[1 1]]"]`},
	} {
		if got, _, err := resultOf(t, typed(t, tt.fn), lists(t, tree(tt.tree))); err != nil || got != tt.want {
			t.Errorf("%T: got %s, %v; want %s", tt.fn, got, err, tt.want)
		}
	}
	rows := typed(t, func(x []holder) string { return fmt.Sprint(x) })
	boxed := arg{arrow.StructOf(arrow.Field{Name: "Any", Type: arrow.BinaryTypes.Binary, Nullable: true, Metadata: tree().metadata()}), `[{"Any": "gPY="}]`, "", ""}
	if _, err := rows.Handler(lists(t, boxed)); err == nil || !strings.Contains(err.Error(), "something comes after it") {
		t.Errorf("got %v", err)
	}
	boxed.text = `[{"Any": "gA=="}, {"Any": null}, {"Any": "9Q=="}]`
	if got, _, err := resultOf(t, rows, lists(t, boxed)); err != nil || got != `["[{[]} {\u003cnil\u003e} {true}]"]` {
		t.Errorf("got %s, %v", got, err)
	}
}

type parsedWord string

func TestInvokeRefusesTrees(t *testing.T) {
	for _, tt := range []struct {
		fn   any
		arg  arg
		want string
	}{
		{func(any) {}, arg{float64s, `[1]`, "", ""}, "argument `x` must be a value that R has sent for any, not float64"},
		{func(any) {}, arg{arrow.BinaryTypes.Binary, `["gA=="]`, "", ""}, "argument `x` must be a value that R has sent for any, not binary"},
		{func(map[string]any) {}, tree(one), "argument `x` must be a named list or vector"},
		{func([]map[string]any) {}, tree("\x82\xa0" + one), "element 2 of argument `x` must be a named list or vector"},
		{func([2]any) {}, tree("\x81" + one), "argument `x` must have 2 elements, not 1"},
		{func(any) {}, tree(""), "it ends too early"},
		{func(any) {}, tree("\xfb\x00"), "it ends too early"},
		{func(any) {}, tree("\x63ab"), "it ends too early"},
		{func(any) {}, tree("\xf6\xf6"), "something comes after it"},
		{func(any) {}, tree("\x61\xff"), "a text is not UTF-8"},
		{func(any) {}, tree("\xa1\xf6\xf6"), "a name is not text"},
		{func(any) {}, tree("\xa2\x61a\xf6\x61a\xf6"), "argument `x` must have each name once"},
		{func(any) {}, tree("\x9f\xff"), "it has a byte 0x9f"},
		{func(any) {}, tree("\xf0"), "it has the simple value 16"},
		{func(any) {}, tree("\xf8\xff"), "it has a byte 0xf8"},
		{func(any) {}, tree("\xc1\x00"), "it has the tag 1"},
		{func(any) {}, tree("\xd9\xea\x61\x00"), "it has the tag 60001"},
		{func(any) {}, tree("\xd9\xea\x62\x83\x00\x00\x60"), "a time has not four parts"},
		{func(any) {}, tree("\xd9\xea\x62\x84\x00\x60\x60\xf4"), "a time is not a whole number"},
		{func(any) {}, tree("\xd9\xea\x62\x84\x00\x00\xf4\xf4"), "a time is not one of R's"},
		{func(any) {}, tree("\xd9\xea\x62\x84\x00\x00\x64Nope\xf4"), "in a time zone that Go knows, not in \"Nope\""},
		{func(any) {}, tree("\x1b\xff\xff\xff\xff\xff\xff\xff\xff"), "a whole number is not exact"},
		// Lengths for which there are no bytes.
		{func(any) {}, tree("\x9b\xff\xff\xff\xff\xff\xff\xff\xff\xf6"), "it has fewer values than it says"},
		{func(any) {}, tree("\xbb\x7f\xff\xff\xff\xff\xff\xff\xff\xf6"), "it has fewer values than it says"},
		{func(any) {}, tree(strings.Repeat("\x88", 20)), "it has fewer values than it says"},
		{func(any) {}, tree(strings.Repeat("\x81", 1002) + "\xf6"), "argument `x` is nested more than 1000 levels deep"},
	} {
		_, err := typed(t, tt.fn).Handler(lists(t, tt.arg))
		if err == nil || !strings.Contains(err.Error(), tt.want) || CodeOf(err) != CodeInvalidArgument {
			t.Errorf("%.60q: got %v, want %q in it", tt.arg.text, err, tt.want)
		}
	}
	deep := strings.Repeat("\x81", 1000) + "\xf6"
	if _, err := typed(t, func(any) {}).Handler(lists(t, tree(deep))); err != nil {
		t.Errorf("at the limit: %v", err)
	}
}

// What any holds comes back the same bytes, but for the order of names.
func TestResultTree(t *testing.T) {
	same := typed(t, func(x any) any { return x })
	for _, text := range []string{"\x82\xf6\xf5", "\x80", "\xa2\x61a" + one + "\x61b\x82\x61x\xf4", "\xa0"} {
		want := `["` + base64.StdEncoding.EncodeToString([]byte(text)) + `"]`
		got, rec, err := resultOf(t, same, lists(t, tree(text)))
		if err != nil || got != want || classOf(rec.Schema().Field(0)) != "dynamic" {
			t.Errorf("%q: got %s, %v; want %s", text, got, err, want)
		}
	}
}

// Leaves are in columns of their own.
func TestResultLeaves(t *testing.T) {
	value := func() []holder {
		return []holder{{[]any{[]float64{1}, grade(1), 2, (*grade)(nil), uint8(3)}}, {nil}, {map[string]any{"b": []float64{2, 3}, "a": person{Name: "Ann"}}}}
	}
	got, rec, err := resultOf(t, typed(t, value), columns(t))
	if err != nil {
		t.Fatal(err)
	}
	field := rec.Schema().Field(0).Type.(*arrow.ListType).Elem().(*arrow.StructType).Field(0)
	if classOf(field) != "dynamic" {
		t.Errorf("got %v", field)
	}
	var rows [][]struct {
		Any struct {
			Value        []byte
			Leaf1, Leaf2 any
		}
	}
	if err := json.Unmarshal([]byte(got), &rows); err != nil {
		t.Fatal(err)
	}
	want := []string{"\x85\xd9\xea\x61\x00\x63bad\x02\xf7\x03 [[1]] []", "\xf6 [] []", "\xa2\x61a\xd9\xea\x61\x01\x61b\xd9\xea\x61\x00 [[2 3]] [map[age:0 name:Ann]]"}
	for i, row := range rows[0] {
		if got := fmt.Sprint(string(row.Any.Value), " ", row.Any.Leaf1, " ", row.Any.Leaf2); got != want[i] {
			t.Errorf("row %d: got %q, want %q", i, got, want[i])
		}
	}
}

func TestFuncOfText(t *testing.T) {
	for _, tt := range []struct {
		name string
		fn   any
		rec  arrow.RecordBatch
		want string
	}{
		{"elementwise", func(x grade) grade { return 1 - x }, columns(t, arg{texts, `["good", null, "bad"]`, "", ""}), `["bad",null,"good"]`},
		{"pointer", func(x *big.Int) *big.Int {
			if x == nil {
				return nil
			}
			return x.Mul(x, x)
		}, columns(t, arg{texts, `["99999999999", null]`, "", ""}), `["9999999999800000000001",null]`},
		{"slice", func(x []netip.Addr) []netip.Addr { return x[1:] }, lists(t, arg{texts, `["::1", "10.0.0.1"]`, "", ""}), `[["10.0.0.1"]]`},
		{"Null", func(x Null[grade]) bool { return x.Valid }, columns(t, arg{texts, `["good", null]`, "", ""}), `[true,false]`},
		{"only a result", func(x float64) written { return written{} }, columns(t, arg{float64s, `[1, null]`, "", ""}), `["w",null]`},
		{"only an argument", func(x parsed) bool { return x == "" }, columns(t, arg{texts, `["a"]`, "", ""}), `[true]`},
		{"JSON", func(x json.RawMessage) json.RawMessage { return x }, columns(t, arg{texts, `["[1]", null]`, "", ""}), `["[1]",null]`},
		{"no JSON", func() json.RawMessage { return nil }, columns(t), `[null]`},
		{"keys", func(x map[grade]float64) map[grade]float64 { return x }, columns(t, arg{arrow.MapOf(texts, float64s), `[[{"key": "good", "value": 1}, {"key": "bad", "value": 2}]]`, "", ""}), `[[{"key":"bad","value":2},{"key":"good","value":1}]]`},
		{"numbers for keys", func(x map[time.Month]int) map[int8]int { return map[int8]int{10: 1, -2: x[2], 9: 3} }, columns(t, arg{arrow.MapOf(texts, float64s), `[[{"key": "2", "value": 7}]]`, "", ""}), `[[{"key":"-2","value":7},{"key":"9","value":3},{"key":"10","value":1}]]`},
		{"map of structs", func() map[uint]person { return map[uint]person{7: {Name: "Ann"}} }, columns(t), `[[{"key":"7","value":{"age":0,"name":"Ann"}}]]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, _, err := resultOf(t, typed(t, tt.fn), tt.rec); err != nil || got != tt.want {
				t.Errorf("got %s, %v; want %s", got, err, tt.want)
			}
		})
	}
	level := typed(t, func(x, y grade) bool { return x == y }, Default("y", "bad"))
	if got, _, err := resultOf(t, level, columns(t, arg{texts, `["bad"]`, "", ""})); err != nil || got != `[true]` {
		t.Errorf("got %s, %v", got, err)
	}
	if err := NewRegistry().Func("f", func(x grade) {}, Default("x", "worse")); err == nil || !strings.Contains(err.Error(), "it is not a grade") {
		t.Errorf("got %v", err)
	}
}

func TestInvokeRefusesText(t *testing.T) {
	keys := func(text string) arg { return arg{arrow.MapOf(texts, float64s), text, "", ""} }
	for _, tt := range []struct {
		fn   any
		arg  arg
		want string
	}{
		{func(grade) {}, arg{texts, `["good", "worse"]`, "", ""}, "argument `x` must be text that Go reads as rgoipc.grade (it is not a grade), but row 2 is \"worse\""},
		{func(grade) {}, arg{float64s, `[1]`, "", ""}, "argument `x` must be character, not float64"},
		{func(json.RawMessage) {}, arg{texts, `["{"]`, "", ""}, "argument `x` must be text that Go reads as JSON (unexpected end of JSON input), but it is \"{\""},
		{func(map[grade]float64) {}, keys(`[[{"key": "worse", "value": 1}]]`), "field `name` of argument `x` must be text that Go reads as rgoipc.grade (it is not a grade), but it is \"worse\""},
		{func(map[int8]float64) {}, keys(`[[{"key": "128", "value": 1}]]`), "field `name` of argument `x` must be whole numbers that Go reads as int8, but it is \"128\""},
		{func(map[uint]float64) {}, keys(`[[{"key": "-1", "value": 1}]]`), "must be whole numbers that Go reads as uint, but it is \"-1\""},
		{func(map[int]float64) {}, keys(`[[{"key": "1", "value": 1}, {"key": "01", "value": 2}]]`), "argument `x` must have each name once, but row 1 is one with two `01`"},
	} {
		_, err := typed(t, tt.fn).Handler(columns(t, tt.arg))
		if err == nil || !strings.Contains(err.Error(), tt.want) || CodeOf(err) != CodeInvalidArgument {
			t.Errorf("got %v, want %q in it", err, tt.want)
		}
	}
}

type (
	stamp struct {
		ID   int32  `json:"id"`
		Note string `json:"note,omitempty"`
	}
	Place struct {
		Lat float64 `json:"lat"`
		ID  int32   `r:"id"`
	}
	visit struct {
		stamp
		*Place
		Name   string `r:"name" json:"-"`
		Hidden int    `json:"-"`
	}
)

// Embedded structs are promoted, and hide what is deeper or there twice.
func TestFuncOfEmbedded(t *testing.T) {
	fields := arrow.StructOf(arrow.Field{Name: "note", Type: texts, Nullable: true}, arrow.Field{Name: "lat", Type: float64s, Nullable: true}, arrow.Field{Name: "name", Type: texts})
	same := typed(t, func(x []visit) []visit { return x })
	rec := lists(t, arg{fields, `[{"note": "a", "lat": 1, "name": "b"}, {"note": "", "lat": null, "name": "c"}]`, "", ""})
	want := `[[{"lat":1,"name":"b","note":"a"},{"lat":null,"name":"c","note":""}]]`
	if got, _, err := resultOf(t, same, rec); err != nil || got != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
	var got []visit
	keep := typed(t, func(x []visit) { got = x })
	name := arrow.StructOf(arrow.Field{Name: "name", Type: texts})
	if _, err := keep.Handler(lists(t, arg{name, `[{"name": "c"}]`, "", ""})); err != nil || got[0] != (visit{Name: "c"}) {
		t.Errorf("got %v, %v", got, err)
	}
	type pair struct {
		*Place
		ID *int32
	}
	pairs := typed(t, func(x []pair) bool { return x[0].Place == nil && *x[0].ID == 1 && x[1].Lat == 2 })
	if got, _, err := resultOf(t, pairs, lists(t, arg{arrow.StructOf(arrow.Field{Name: "lat", Type: float64s, Nullable: true}, arrow.Field{Name: "id", Type: int32s, Nullable: true}, arrow.Field{Name: "ID", Type: int32s, Nullable: true}), `[{"ID": 1}, {"lat": 2, "id": 3, "ID": 1}]`, "", ""})); err != nil || got != `[true]` {
		t.Errorf("got %s, %v", got, err)
	}
	_, err := pairs.Handler(lists(t, arg{arrow.StructOf(arrow.Field{Name: "lat", Type: float64s, Nullable: true}, arrow.Field{Name: "id", Type: int32s, Nullable: true}), `[{"lat": 1, "id": 2}, {"lat": 2, "id": null}]`, "", ""}))
	if err == nil || !strings.Contains(err.Error(), "field `id` of argument `x` takes no missing values, but row 2 is missing") {
		t.Errorf("got %v", err)
	}
}
