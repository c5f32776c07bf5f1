package rgoipc

import (
	"fmt"
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
	// write returns a value as a column. The caller releases both.
	write func(value any) (vector, error)
}

// rawType returns how a type of Arrow's own crosses.
func rawType(t reflect.Type) (*raw, bool) {
	switch t {
	case reflect.TypeFor[arrow.Array]():
		return &raw{TypeAny, readArray, writeArray}, true
	case reflect.TypeFor[arrow.RecordBatch]():
		return &raw{TypeAny, readBatch, writeBatch}, true
	case reflect.TypeFor[array.RecordReader]():
		return &raw{TypeStream, readStream, writeStream}, true
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

func writeArray(value any) (vector, error) {
	column, _ := value.(arrow.Array)
	if column == nil {
		return null(), nil
	}
	return boxed(newVector(column)), nil
}

func writeBatch(value any) (vector, error) {
	batch, _ := value.(arrow.RecordBatch)
	if batch == nil {
		return null(), nil
	}
	rows := array.RecordToStructArray(batch)
	defer rows.Release()
	items := newVector(rows)
	items.field.Metadata = batch.Schema().Metadata()
	return boxed(items), nil
}

// writeStream reads the stream to its end: one row a batch.
func writeStream(value any) (vector, error) {
	reader, _ := value.(array.RecordReader)
	if reader == nil {
		return null(), nil
	}
	var batches []arrow.Array
	defer func() {
		for _, batch := range batches {
			batch.Release()
		}
	}()
	offsets := []int{0}
	for reader.Next() {
		batches = append(batches, array.RecordToStructArray(reader.RecordBatch()))
		offsets = append(offsets, offsets[len(offsets)-1]+int(reader.RecordBatch().NumRows()))
	}
	if err := reader.Err(); err != nil {
		return vector{}, err
	}
	rows, err := concatenateColumn(arrow.StructOf(reader.Schema().Fields()...), batches)
	if err != nil {
		return vector{}, fmt.Errorf("cannot join the batches of the result: %w", err)
	}
	defer rows.Release()
	items := newVector(rows)
	items.field.Metadata = reader.Schema().Metadata()
	return newList(items, offsets, bitmap{}), nil
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
