package rgoipc

import (
	"errors"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"mangoro.local/internal/arrowipc"
)

func TestArguments(t *testing.T) {
	number := TypeSpec{Type: TypeFloat64, Nullable: true}
	xy := []ArgSpec{{Name: "x", Type: number}, {Name: "y", Type: number}}
	x := column{name: "x", values: []float64{1, 2}}
	y := column{name: "y", values: []float64{3, 4}}
	person := func(name, age arrow.Array) column {
		fields, err := array.NewStructArray([]arrow.Array{name, age}, []string{"name", "age"})
		if err != nil {
			t.Fatal(err)
		}
		return column{name: "p", values: fields}
	}
	numbers := arrowArray(t, column{values: []float64{1, 2}})
	texts := arrowArray(t, column{values: []string{"a", "b"}})
	hasNull := arrowArray(t, column{values: []string{"a", "b"}, nulls: []bool{false, true}})
	people := []ArgSpec{{Name: "p", Type: TypeSpec{Type: TypeStruct, StructDef: &StructDef{Fields: []FieldDef{
		{Name: "name", Type: TypeSpec{Type: TypeString}},
		{Name: "age", Type: TypeSpec{Type: TypeFloat64}},
		{Name: "shoe", Type: TypeSpec{Type: TypeFloat64}, Optional: true},
	}}}}}
	lists := array.NewListBuilder(memory.DefaultAllocator, texts.DataType())
	lists.Append(true)
	lists.ValueBuilder().(*array.StringBuilder).Append("a")
	listOf := func(name string) []ArgSpec {
		return []ArgSpec{{Name: "l", Type: TypeSpec{Type: TypeList, ListSchema: &TypeSpec{Type: name}}}}
	}
	list := column{name: "l", values: lists.NewArray()}

	tests := []struct {
		name    string
		args    []ArgSpec
		columns []column
		want    string // the error, or "" for none
	}{
		{"any columns", nil, []column{y, x, x}, ""},
		{"as they are", xy, []column{x, y}, ""},
		{"in another order", xy, []column{y, x}, ""},
		{"one missing", xy, []column{x}, "it takes the columns `x`, `y`; missing: `y`"},
		{"one unknown", xy, []column{x, y, {name: "z", values: []bool{true, false}}}, "it takes the columns `x`, `y`; unknown: `z`"},
		{"one twice", xy, []column{x, y, y}, "it takes the columns `x`, `y`; given twice: `y`"},
		{"another name", xy, []column{x, {name: "Y", values: []float64{1, 2}}}, "it takes the columns `x`, `y`; missing: `y`; unknown: `Y`"},
		{"another type", xy, []column{x, {name: "y", values: []string{"a", "b"}}}, "argument `y` must be float64, not utf8"},
		{"null where none may be", []ArgSpec{{Name: "s", Type: TypeSpec{Type: TypeString}}}, []column{{name: "s", values: hasNull}}, "argument `s` takes no missing values, but row 2 is missing"},
		{"optional left out", append(xy, ArgSpec{Name: "o", Type: number, Optional: true}), []column{x, y}, ""},
		{"struct", people, []column{person(texts, numbers)}, ""},
		{"struct with another field type", people, []column{person(texts, texts)}, "field `age` of argument `p` must be float64, not utf8"},
		{"struct with a null in a field", people, []column{person(hasNull, numbers)}, "field `name` of argument `p` takes no missing values, but row 2 is missing"},
		{"list", listOf(TypeString), []column{list}, ""},
		{"list of another type", listOf(TypeBool), []column{list}, "an element of argument `l` must be bool, not utf8"},
		{"type that only R knows", []ArgSpec{{Name: "x", Type: TypeSpec{Type: "colour"}}}, []column{x}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := FunctionSignature{Args: tt.args}.arguments(record(t, tt.columns...))
			if tt.want != "" {
				if err == nil || err.Error() != tt.want || CodeOf(err) != CodeInvalidArgument {
					t.Fatalf("arguments() = %v (%s), want %s", err, CodeOf(err), tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer got.Release()
			for i, arg := range tt.args {
				if got.ColumnName(i) != arg.Name || got.Column(i).Len() != int(got.NumRows()) {
					t.Errorf("column %d is %q with %d of %d rows, want %q", i, got.ColumnName(i), got.Column(i).Len(), got.NumRows(), arg.Name)
				}
			}
		})
	}
}

func TestArgumentsKeepValues(t *testing.T) {
	signature := FunctionSignature{Args: []ArgSpec{
		{Name: "x", Type: TypeSpec{Type: TypeFloat64}},
		{Name: "o", Type: TypeSpec{Type: TypeString, Nullable: true}, Optional: true},
		{Name: "y", Type: TypeSpec{Type: TypeFloat64}},
	}}
	got, err := signature.arguments(record(t,
		column{name: "y", values: []float64{3, 4}}, column{name: "x", values: []float64{1, 2}}))
	if err != nil {
		t.Fatal(err)
	}
	defer got.Release()
	if x, y := got.Column(0).(*array.Float64), got.Column(2).(*array.Float64); x.Value(1) != 2 || y.Value(0) != 3 {
		t.Errorf("x = %v, y = %v", x, y)
	}
	if o, ok := got.Column(1).(*array.String); !ok || o.NullN() != 2 {
		t.Errorf("the optional argument is %v", got.Column(1))
	}
}

func TestReadRecordOfNothing(t *testing.T) {
	rec, err := readRecord(nil, nil)
	if err != nil || rec.NumCols() != 0 || rec.NumRows() != 0 {
		t.Errorf("readRecord(nil, nil) = %v, %v", rec, err)
	}
	if _, err := readRecord(nil, []byte("no stream")); !errors.Is(err, arrowipc.ErrInvalidStream) {
		t.Errorf("readRecord(garbage) = %v, want ErrInvalidStream", err)
	}
}
