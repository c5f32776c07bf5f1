package codec

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
)

// matrix is what rgoipc's Matrix is made of. Data is column by column, as in R.
type matrix[T any] = struct {
	Rows, Cols         int
	Data               []T
	RowNames, ColNames []string
}

// Matrix is the shape of rgoipc's Matrix.
type Matrix[T any, M ~matrix[T]] struct{}

func (s Matrix[T, M]) codec(within []reflect.Type) (codec, error) {
	elem, err := newCodec(reflect.TypeFor[T](), within...)
	if err != nil {
		return nil, err
	}
	if !elem.scalar() || elem.describe().Name == TypeStruct {
		return nil, fmt.Errorf("%w: its elements must be scalars", unsupported(s.own()))
	}
	t := reflect.TypeFor[[]T]()
	return matrixCodec{listCodec{t, elem, sliceShape{t}}, s}, nil
}

func (Matrix[T, M]) zeroIsAbsent() bool { return true }

func (Matrix[T, M]) own() reflect.Type { return reflect.TypeFor[M]() }

func (Matrix[T, M]) pack(d dimensions, data any) reflect.Value {
	return reflect.ValueOf(M(matrix[T]{d.rows, d.cols, data.([]T), d.rowNames, d.colNames}))
}

func (Matrix[T, M]) unpack(value reflect.Value) (dimensions, reflect.Value) {
	m := matrix[T](value.Interface().(M))
	return dimensions{m.Rows, m.Cols, m.RowNames, m.ColNames}, reflect.ValueOf(m.Data)
}

// matrixCodec is the codec of a matrix: a vector whose field has dimensions in its
// metadata, as R sends any matrix. So there can be only one in a column.
type matrixCodec struct {
	listCodec // of the elements
	matrix    matrixShape
}

// matrixShape is how a Go type holds a matrix.
type matrixShape interface {
	own() reflect.Type
	pack(d dimensions, data any) reflect.Value
	unpack(value reflect.Value) (d dimensions, data reflect.Value)
}

func (c matrixCodec) goType() reflect.Type { return c.matrix.own() }

func (c matrixCodec) describe() Type {
	t := c.listCodec.describe()
	t.Name = TypeMatrix
	return t
}

// whole reads all rows of a column as one matrix.
func (c matrixCodec) whole(col Column) (reflect.Value, error) {
	data, err := c.listCodec.whole(col)
	if err != nil {
		return reflect.Value{}, err
	}
	d, err := dimensionsOf(col.Field, data.Len())
	if err != nil {
		return reflect.Value{}, err
	}
	return c.matrix.pack(d, data.Interface()), nil
}

func (c matrixCodec) read(col Column) (any, Bitmap, error) {
	return readWholes(c, col, "a matrix")
}

func (c matrixCodec) write(values any, valid Bitmap, args *Arguments) (Column, error) {
	rows := reflect.ValueOf(values)
	if n := rows.Len(); n != 1 {
		return Column{}, wrong("must be one matrix, not %d", n)
	}
	d, data := dimensions{}, reflect.Zero(c.t)
	if valid.Has(0) {
		d, data = c.matrix.unpack(rows.Index(0))
	}
	if err := d.check(data.Len()); err != nil {
		return Column{}, err
	}
	items, err := c.elem.write(data.Interface(), Bitmap{}, args)
	if err != nil {
		return Column{}, inList(err, 0)
	}
	defer items.Array.Release()
	items.Field.Metadata = addAttributes(items.Field.Metadata, d.attributes())
	return newList(items, []int{0, data.Len()}, valid), nil
}

// dimensions are what a matrix has but for its elements.
type dimensions struct {
	rows, cols         int
	rowNames, colNames []string // nil: none
}

// dimensionsOf returns those of a column of n elements. A vector is one column.
func dimensionsOf(field arrow.Field, n int) (dimensions, error) {
	var attributes struct {
		Dim      []int       `json:"dim"`
		Dimnames [][]*string `json:"dimnames"`
	}
	text, _ := field.Metadata.GetValue(metaAttributes)
	_ = json.Unmarshal([]byte(text), &attributes) // what has another form is not there
	dim, names := attributes.Dim, attributes.Dimnames
	switch {
	case len(dim) == 0:
		return dimensions{rows: n, cols: 1}, nil
	case len(dim) != 2:
		return dimensions{}, wrong("must be a matrix, not an array of %d dimensions", len(dim))
	case len(names) != 0 && len(names) != 2:
		return dimensions{}, wrong("must have names of its rows and columns, not of %d dimensions", len(names))
	}
	d := dimensions{rows: dim[0], cols: dim[1]}
	for i, of := range names {
		for _, name := range of {
			if name == nil {
				return dimensions{}, wrong("must have no missing names of rows or columns")
			}
			if i == 0 {
				d.rowNames = append(d.rowNames, *name)
			} else {
				d.colNames = append(d.colNames, *name)
			}
		}
	}
	return d, d.check(n)
}

// check returns what is wrong with the dimensions of n elements.
func (d dimensions) check(n int) error {
	const most = math.MaxInt32
	switch {
	case d.rows < 0 || d.cols < 0 || d.rows > most || d.cols > most || int64(d.rows)*int64(d.cols) != int64(n):
		return wrong("must have %d x %d elements to be a matrix, but has %d", d.rows, d.cols, n)
	case d.rowNames != nil && len(d.rowNames) != d.rows:
		return wrong("must have a name for each of its %d rows, or none, but has %d", d.rows, len(d.rowNames))
	case d.colNames != nil && len(d.colNames) != d.cols:
		return wrong("must have a name for each of its %d columns, or none, but has %d", d.cols, len(d.colNames))
	}
	for _, name := range slices.Concat(d.rowNames, d.colNames) {
		if !utf8.ValidString(name) || strings.Contains(name, "\x00") {
			return wrong("must have names of rows and columns that are UTF-8, but one is %q", name)
		}
	}
	return nil
}

// attributes returns the dimensions as R has them.
func (d dimensions) attributes() map[string]any {
	attributes := map[string]any{"dim": []int{d.rows, d.cols}}
	if d.rowNames != nil || d.colNames != nil {
		attributes["dimnames"] = [][]string{d.rowNames, d.colNames}
	}
	return attributes
}

// addAttributes returns metadata with further attributes of R's.
func addAttributes(metadata arrow.Metadata, further map[string]any) arrow.Metadata {
	all := make(map[string]any)
	text, _ := metadata.GetValue(metaAttributes)
	_ = json.Unmarshal([]byte(text), &all) // our own, or none
	maps.Copy(all, further)
	joined, _ := json.Marshal(all) // numbers and texts
	entries := metadata.ToMap()
	entries[metaAttributes] = string(joined)
	return arrow.MetadataFrom(entries)
}
