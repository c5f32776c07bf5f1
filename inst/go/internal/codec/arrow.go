package codec

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"mangoro.local/internal/arrowipc"
)

// counted are values of Arrow's own types, which count their references. A function may keep
// those that it gets and those that it returns, without counting: a reference of each is never
// given back, since Go's memory is collected.
type counted struct{}

func (counted) Type() Type { return Type{Name: TypeAny, Nullable: true} }

// Absent: what takes anything takes an untyped null as well.
func (counted) Absent(arg Column, optional bool) bool {
	if _, ok := arg.Array.(*array.Null); ok {
		return arg.Array.Len() <= 1 && optional
	}
	return isNull(arg.Array)
}

// arrays is the kind of arrow.Array: anything, as it came.
type arrays struct{ counted }

func (arrays) Read(arg Column, args *Arguments) (reflect.Value, error) {
	inner, _ := arg.unbox()
	inner.Array.Retain()
	args.given = append(args.given, givenValue{inner.Array, arg})
	args.addField(inner.Array, inner.Field)
	return reflect.ValueOf(inner.Array), nil
}

func (arrays) Write(value reflect.Value, args *Arguments) (Column, error) {
	values, _ := value.Interface().(arrow.Array)
	if values == nil {
		return Missing(1), nil
	}
	if row, ok := args.row(values); ok {
		return row, nil
	}
	return args.named(values).Boxed(), nil
}

// batches is the kind of arrow.RecordBatch: a data frame, as it came, or a stream of them.
type batches struct{ counted }

func (batches) Type() Type { return Type{Name: TypeRecord, Nullable: true} }

func (batches) Read(arg Column, args *Arguments) (reflect.Value, error) {
	if bytes, ok := streamBytes(arg); ok {
		batch, err := oneBatch(bytes)
		if err != nil {
			return reflect.Value{}, err
		}
		args.addColumns(batch)
		return reflect.ValueOf(batch), nil
	}
	inner, release := arg.unbox()
	defer release()
	rows, ok := inner.Array.(*array.Struct)
	if !ok {
		return reflect.Value{}, inner.mustBe("a data frame")
	}
	if row := validRows(rows).firstNA(rows.Len()); row >= 0 {
		return reflect.Value{}, missingValue(row)
	}
	// The metadata of the field says what the rows are, and so is the schema's.
	fields := rows.DataType().(*arrow.StructType).Fields()
	batch := array.RecordFromStructArray(rows, arrow.NewSchema(fields, &inner.Field.Metadata))
	args.given = append(args.given, givenValue{batch, arg})
	args.addColumns(batch)
	return reflect.ValueOf(batch), nil
}

// oneBatch returns all batches of a stream as one, which the caller releases.
func oneBatch(stream []byte) (arrow.RecordBatch, error) {
	reader, err := arrowipc.NewReader(stream, memory.DefaultAllocator)
	if err != nil {
		return nil, notAStream(err)
	}
	defer reader.Release()
	chunks := make([][]arrow.Array, reader.Schema().NumFields())
	defer func() {
		for _, column := range slices.Concat(chunks...) {
			column.Release()
		}
	}()
	var rows int64
	for reader.Next() {
		batch := reader.RecordBatch()
		rows += batch.NumRows()
		for i, column := range batch.Columns() {
			column.Retain()
			chunks[i] = append(chunks[i], column)
		}
	}
	if err := reader.Err(); err != nil {
		return nil, notAStream(err)
	}
	columns := make([]arrow.Array, len(chunks))
	for i := range chunks {
		columns[i], err = concatenated(chunks[i], reader.Schema().Field(i).Type)
		if err != nil {
			return nil, wrong("has batches that are too large to be one record: %v", err)
		}
		defer columns[i].Release()
	}
	return array.NewRecordBatch(ForRows(reader.Schema(), rows), columns, rows), nil
}

// concatenated returns the rows of all chunks as one array.
func concatenated(chunks []arrow.Array, t arrow.DataType) (arrow.Array, error) {
	switch len(chunks) {
	case 0:
		return array.MakeArrayOfNull(memory.DefaultAllocator, t, 0), nil
	case 1:
		chunks[0].Retain()
		return chunks[0], nil
	default:
		return array.Concatenate(chunks, memory.DefaultAllocator)
	}
}

func notAStream(err error) error { return wrong("must be a stream of data frames: %v", err) }

func (batches) Write(value reflect.Value, args *Arguments) (Column, error) {
	batch, _ := value.Interface().(arrow.RecordBatch)
	if batch == nil {
		return Missing(1), nil
	}
	if row, ok := args.row(batch); ok {
		return row, nil
	}
	batch = args.restored(batch)
	defer batch.Release()
	rows := array.RecordToStructArray(batch)
	defer rows.Release()
	items := newColumn(rows)
	items.Field.Metadata = batch.Schema().Metadata()
	return items.Boxed(), nil
}

// streams is the kind of array.RecordReader: data frames, one after the other.
type streams struct{ counted }

func (streams) Type() Type { return Type{Name: TypeStream, Nullable: true} }

// Absent: a row that is NULL is not a batch.
func (s streams) Absent(arg Column, optional bool) bool {
	_, ok := arg.Array.(*array.Null)
	return ok && s.counted.Absent(arg, optional)
}

func (streams) Read(arg Column, args *Arguments) (reflect.Value, error) {
	target, ok, err := targetOf(arg, args)
	if err != nil {
		return reflect.Value{}, err
	}
	if ok {
		return reflect.ValueOf(&source{args: args, target: target}), nil
	}
	if bytes, ok := streamBytes(arg); ok {
		reader, err := arrowipc.NewReader(bytes, memory.DefaultAllocator)
		if err != nil {
			return reflect.Value{}, notAStream(err)
		}
		return reflect.ValueOf(reader), nil
	}
	list, ok := arg.Array.(array.ListLike)
	if !ok || arg.Array.DataType().(arrow.ListLikeType).Elem().ID() != arrow.STRUCT {
		return reflect.Value{}, arg.mustBe("a stream of data frames")
	}
	item := list.DataType().(arrow.ListLikeType).ElemField()
	s := &stream{list: list, schema: arrow.NewSchema(item.Type.(*arrow.StructType).Fields(), &item.Metadata)}
	s.list.Retain()
	return reflect.ValueOf(s), nil
}

// Write fails: a stream is a result of its own, and not a column of one.
func (streams) Write(reflect.Value, *Arguments) (Column, error) {
	return Column{}, wrong("must be the only result, of type array.RecordReader, to be a stream")
}

// streamBytes returns the Arrow stream that a column is, as bytes.
func streamBytes(arg Column) ([]byte, bool) {
	inner, release := arg.unbox()
	defer release()
	if inner.Array.Len() != 1 || inner.Array.IsNull(0) {
		return nil, false
	}
	switch column := inner.Array.(type) {
	case *array.Binary:
		return column.Value(0), true
	case *array.LargeBinary:
		return column.Value(0), true
	default:
		return nil, false
	}
}

// stream reads the rows of a column of lists as one batch each. A null row is
// none. It counts no references.
type stream struct {
	list   array.ListLike
	schema *arrow.Schema
	next   int
	batch  arrow.RecordBatch
}

func (*stream) Retain() {}

func (*stream) Release() {}

func (s *stream) Schema() *arrow.Schema { return s.schema }

func (s *stream) Next() bool {
	s.batch = nil
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

var _ array.RecordReader = (*stream)(nil)

// source reads records part by part from R. It counts no references.
type source struct {
	args   *Arguments
	target int
	ahead  bool // the batch is there for the next Next
	ended  bool
	batch  arrow.RecordBatch
	schema *arrow.Schema // of the first batch; nil: it is not there yet
	err    error
}

func (*source) Retain() {}

func (*source) Release() {}

// Schema asks for the first batch, which says it.
func (s *source) Schema() *arrow.Schema {
	if s.schema == nil && !s.ended {
		s.ahead = s.Next()
	}
	if s.schema == nil {
		return arrow.NewSchema(nil, nil)
	}
	return s.schema
}

func (s *source) Next() bool {
	if s.ahead {
		s.ahead = false
		return true
	}
	if s.batch = nil; !s.ended {
		s.batch, s.err = s.part()
		s.ended = s.batch == nil
		if s.err != nil {
			s.args.caller.HasFailed(s.err)
		}
	}
	return !s.ended
}

// part asks for the next part, which is nil if there is none.
func (s *source) part() (arrow.RecordBatch, error) {
	column, err := nextPart(s.args.caller, s.target)
	if err != nil || column.Array == nil {
		return nil, err
	}
	defer column.Array.Release()
	if bytes, ok := streamBytes(column); ok && s.schema == nil {
		if reader, err := arrowipc.NewReader(bytes, memory.DefaultAllocator); err == nil && !reader.Next() {
			s.schema = reader.Schema() // there is no batch
			return s.part()
		}
	}
	value, err := batches{}.Read(column, s.args)
	if err != nil {
		return nil, fmt.Errorf("what R has sent: %w", err)
	}
	batch := value.Interface().(arrow.RecordBatch)
	if s.schema == nil {
		s.schema = batch.Schema()
	} else if !s.schema.Equal(batch.Schema()) {
		return nil, fmt.Errorf("what R has sent: a part has the columns %v, not %v", batch.Schema(), s.schema)
	}
	return batch, nil
}

func (s *source) RecordBatch() arrow.RecordBatch { return s.batch }

func (s *source) Record() arrow.RecordBatch { return s.batch }

func (s *source) Err() error { return s.err }

var _ array.RecordReader = (*source)(nil)
