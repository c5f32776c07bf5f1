package rgoipc

import (
	"reflect"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// raw is a Go type that is Arrow itself and crosses as it is.
type raw struct {
	name string
	// read returns the value that a column stands for. The caller calls
	// release once the function has returned.
	read func(source) (value any, release func(), err error)
	// write returns a value as a column of one row; g are the arguments. The
	// caller releases both. Nil: a stream, which is not written as a column.
	write func(value any, g given) (vector, error)
}

// rawType returns how a type of Arrow's own crosses.
func rawType(t reflect.Type) (*raw, bool) {
	switch t {
	case reflect.TypeFor[arrow.Array]():
		return &raw{TypeAny, readArray, writeArray}, true
	case reflect.TypeFor[arrow.RecordBatch]():
		return &raw{TypeAny, readBatch, writeBatch}, true
	case reflect.TypeFor[array.RecordReader]():
		return &raw{TypeStream, readStream, nil}, true
	default:
		return nil, false
	}
}

func readArray(src source) (any, func(), error) {
	src, release := unbox(src)
	return src.column, release, nil
}

func readBatch(src source) (any, func(), error) {
	src, release := unbox(src)
	defer release()
	column, ok := src.column.(*array.Struct)
	if !ok {
		return nil, nil, src.mustBe("a data frame")
	}
	if row := validRows(column).firstNA(column.Len()); row >= 0 {
		return nil, nil, missingValue(row)
	}
	batch := batchOf(src.field, column)
	return batch, batch.Release, nil
}

// batchOf returns a struct column as a record. The metadata of its field is the
// schema's, as it says what the rows are.
func batchOf(field arrow.Field, column *array.Struct) arrow.RecordBatch {
	fields := column.DataType().(*arrow.StructType).Fields()
	return array.RecordFromStructArray(column, arrow.NewSchema(fields, &field.Metadata))
}

func readStream(src source) (any, func(), error) {
	if bytes, ok := streamBytes(src); ok {
		reader, err := NewArrowReader(bytes)
		if err != nil {
			return nil, nil, &cellError{problem: "must be a stream of data frames: " + err.Error(), row: -1}
		}
		return reader, reader.Release, nil
	}
	list, ok := src.column.(array.ListLike)
	if !ok || src.column.DataType().(arrow.ListLikeType).Elem().ID() != arrow.STRUCT {
		return nil, nil, src.mustBe("a stream of data frames")
	}
	s := &stream{list: list, field: list.DataType().(arrow.ListLikeType).ElemField()}
	s.schema = arrow.NewSchema(s.field.Type.(*arrow.StructType).Fields(), &s.field.Metadata)
	s.list.Retain()
	s.refs.Store(1)
	return s, s.Release, nil
}

// streamBytes returns the Arrow stream that a column is, as bytes.
func streamBytes(src source) ([]byte, bool) {
	inner, release := unbox(src)
	defer release()
	if inner.column.Len() != 1 || inner.column.IsNull(0) {
		return nil, false
	}
	switch column := inner.column.(type) {
	case *array.Binary:
		return column.Value(0), true
	case *array.LargeBinary:
		return column.Value(0), true
	default:
		return nil, false
	}
}

// stream reads the rows of a column of lists as one batch each. A null row is
// none.
type stream struct {
	refs   atomic.Int64
	list   array.ListLike
	field  arrow.Field
	schema *arrow.Schema
	next   int
	batch  arrow.RecordBatch
}

func (s *stream) Retain() { s.refs.Add(1) }

func (s *stream) Release() {
	if s.refs.Add(-1) == 0 {
		s.drop()
		s.list.Release()
	}
}

func (s *stream) drop() {
	if s.batch != nil {
		s.batch.Release()
		s.batch = nil
	}
}

func (s *stream) Schema() *arrow.Schema { return s.schema }

func (s *stream) Next() bool {
	s.drop()
	for s.next < s.list.Len() && s.list.IsNull(s.next) {
		s.next++
	}
	if s.next == s.list.Len() {
		return false
	}
	from, to := s.list.ValueOffsets(s.next)
	rows := array.NewSlice(s.list.ListValues(), from, to).(*array.Struct)
	defer rows.Release()
	s.batch = array.RecordFromStructArray(rows, s.schema)
	s.next++
	return true
}

func (s *stream) RecordBatch() arrow.RecordBatch { return s.batch }

func (s *stream) Record() arrow.RecordBatch { return s.batch }

func (s *stream) Err() error { return nil }

// null is a column of one row that is NULL.
func null() vector { return newVector(array.NewNull(1)) }

// boxed returns a column of one row, which is the list of all items.
func boxed(items vector) vector { return newList(items, []int{0, items.column.Len()}, bitmap{}) }

func writeArray(value any, g given) (vector, error) {
	column, _ := value.(arrow.Array)
	if column == nil {
		return null(), nil
	}
	if row, ok := g.row(column); ok {
		return row, nil
	}
	return boxed(g.named(column)), nil
}

func writeBatch(value any, g given) (vector, error) {
	batch, _ := value.(arrow.RecordBatch)
	if batch == nil {
		return null(), nil
	}
	if row, ok := g.row(batch); ok {
		return row, nil
	}
	batch = g.restored(batch)
	defer batch.Release()
	rows := array.RecordToStructArray(batch)
	defer rows.Release()
	items := newVector(rows)
	items.field.Metadata = batch.Schema().Metadata()
	return boxed(items), nil
}

// unbox returns what is in the one row of a list, if that is what the source
// is. The caller calls release after use.
func unbox(src source) (inner source, release func()) {
	switch list := src.column.(type) {
	case *array.List, *array.LargeList:
		if list.Len() == 1 && list.IsValid(0) {
			from, to := list.(array.ListLike).ValueOffsets(0)
			inner = src.child(list.(array.ListLike), from, to)
			return inner, inner.column.Release
		}
	}
	return src, func() {}
}

// box returns the rows of a column as the one row of a list.
func box(src source) (outer source, release func()) {
	v := boxed(vector{src.field, src.column})
	return source{field: v.field, column: v.column, borrow: src.borrow}, v.column.Release
}

var _ array.RecordReader = (*stream)(nil)
