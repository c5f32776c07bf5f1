package rgoipc

import (
	"slices"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

func TestMatrix(t *testing.T) {
	m := NewMatrix[float64](2, 3)
	for i := range m.Rows {
		for j := range m.Cols {
			m.Set(i, j, float64(10*i+j))
		}
	}
	if want := []float64{0, 10, 1, 11, 2, 12}; !slices.Equal(m.Data, want) {
		t.Errorf("Data is %v, want %v", m.Data, want)
	}
	if m.At(1, 2) != 12 || !slices.Equal(m.Row(1), []float64{10, 11, 12}) || !slices.Equal(m.Col(1), []float64{1, 11}) {
		t.Errorf("At, Row and Col return %v, %v, %v", m.At(1, 2), m.Row(1), m.Col(1))
	}
	if rows, cols := m.Dims(); rows != 2 || cols != 3 {
		t.Errorf("Dims() = %d, %d", rows, cols)
	}
	if col := NewMatrix[int](0, 2).Col(1); len(col) != 0 {
		t.Errorf("a column without rows is %v", col)
	}
}

func TestMatrixOutside(t *testing.T) {
	m := NewMatrix[int](2, 3)
	for _, f := range []func(){
		func() { m.At(2, 0) }, func() { m.At(0, 3) }, func() { m.At(-1, 1) }, func() { m.Set(0, -1, 1) }, func() { m.Row(2) }, func() { NewMatrix[int](-1, 1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("an element outside of the matrix does not panic")
				}
			}()
			f()
		}()
	}
}

// A result has the dimensions that R knows, and its elements are not copied.
func TestResultMatrix(t *testing.T) {
	m := Matrix[float64]{Rows: 1, Cols: 2, Data: []float64{1, 2}, ColNames: []string{"a\"b", "\u00e9"}}
	_, got, err := resultOf(t, typed(t, func() Matrix[float64] { return m }), columns(t))
	if err != nil {
		t.Fatal(err)
	}
	if text, want := attributesOfItem(got), `{"dim":[1,2],"dimnames":[null,["a\"b","é"]]}`; text != want {
		t.Errorf("got %s, want %s", text, want)
	}
	if values := got.Column(0).(*array.List).ListValues().(*array.Float64).Float64Values(); &values[0] != &m.Data[0] {
		t.Error("the elements are copied")
	}
}

// Other attributes of the elements are kept beside the dimensions.
func TestResultMatrixOfTimes(t *testing.T) {
	m := Matrix[time.Time]{Rows: 1, Cols: 1, Data: []time.Time{time.Unix(0, 0).In(time.Local)}}
	_, got, err := resultOf(t, typed(t, func() Matrix[time.Time] { return m }), columns(t))
	if err != nil {
		t.Fatal(err)
	}
	if text := attributesOfItem(got); text != `{"dim":[1,1],"tzone":[]}` {
		t.Errorf("got %s", text)
	}
}

func attributesOfItem(result arrow.RecordBatch) string {
	text, _ := result.Column(0).DataType().(*arrow.ListType).ElemField().Metadata.GetValue(metaAttributes)
	return text
}

// What R sends comes back with its names, but without those of dimnames.
func TestMatrixNames(t *testing.T) {
	f := typed(t, func(x Matrix[string]) Matrix[string] { return x })
	attributes := `{"dim": [1, 2], "dimnames": [["x"], ["y", "z"]], "dimnames_names": ["r", ""]}`
	got, rec, err := resultOf(t, f, lists(t, arg{texts, `["a", "b"]`, "", attributes}))
	if err != nil || got != `[["a","b"]]` {
		t.Fatalf("got %s, %v", got, err)
	}
	if text, want := attributesOfItem(rec), `{"dim":[1,2],"dimnames":[["x"],["y","z"]]}`; text != want {
		t.Errorf("got %s, want %s", text, want)
	}
}
