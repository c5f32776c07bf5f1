package rgoipc

import (
	"context"
	"fmt"
	"reflect"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"mangoro.local/internal/arrowipc"
	"mangoro.local/internal/codec"
	"mangoro.local/internal/segment"
)

// returned is what a function has returned: a record, or a stream. With neither it is
// NULL. It is there as long as the arguments are.
type returned struct {
	record arrow.RecordBatch
	noNaN  bool // none of its numbers is NaN or NA, as far as that is known
	stream gathering
}

// whole returns all of it as one record, which the caller releases.
func (r returned) whole() (arrow.RecordBatch, error) {
	switch {
	case r.record != nil:
		r.record.Retain()
		return r.record, nil
	case r.stream == nil:
		return readRecord(nil, nil)
	}
	rec, err := allParts(context.Background(), r.stream)
	if err != nil {
		return nil, fmt.Errorf("the result: %w", err)
	}
	return rec, nil
}

// reply is the reply of a server: a header, and then the Arrow stream of the result. If that
// is large and finds room in the segment that R offers, its data lies there, and the reply
// refers to it.
type reply struct {
	name   string // of the function
	bytes  []byte
	offer  *segment.Result // nil: there is none
	writer *arrowipc.Writer
}

// reply returns a reply of the function, which has no result yet.
func (f *Function) reply(offer *segment.Result) *reply {
	header := &RPCMessage{Type: MsgTypeResult, FuncName: f.Name}
	return &reply{
		name: f.Name, bytes: header.appendHeader(make([]byte, 0, headerLen+len(f.Name))),
		offer: offer, writer: f.writer,
	}
}

// take takes the result. Of a stream the parts are sent, if the call lives, or else a batch is
// read, written, and only then the next one is read.
func (r *reply) take(ctx context.Context, result returned) (err error) {
	var referred *arrowipc.Referred
	switch x := exchangeOf(ctx); {
	case result.record != nil:
		if referred, err = r.refer(result.record, r.offer); referred == nil && err == nil {
			r.bytes, err = appendArrowRecord(r.writer, r.bytes, result.record)
		}
	case result.stream != nil && x != nil:
		return r.takeParts(ctx, x, result.stream)
	case result.stream != nil:
		referred, err = r.takeStream(ctx, result.stream)
	}
	if referred != nil {
		header := &RPCMessage{Type: MsgTypeReferResult, FuncName: r.name}
		r.bytes = referring(header, referred, result.noNaN)
	}
	return err
}

// takeStream takes all of a stream as one result.
func (r *reply) takeStream(ctx context.Context, stream gathering) (referred *arrowipc.Referred, err error) {
	batches, ok := stream.(*gatheredBatches)
	if !ok {
		rec, err := allParts(ctx, stream)
		if err == nil {
			defer rec.Release()
			r.bytes, err = appendArrowRecord(r.writer, r.bytes, rec)
		}
		return nil, err
	}
	var rows int64
	before := func(batch arrow.RecordBatch) error {
		rows += batch.NumRows()
		return ctx.Err()
	}
	schema := func() *arrow.Schema { return codec.ForRows(batches.reader.Schema(), rows) }
	r.bytes, referred, err = arrowipc.AppendStream(r.bytes, batches.reader, r.offer, before, schema)
	return referred, err
}

// referring returns a message that refers to what lies in the offer.
func referring(header *RPCMessage, referred *arrowipc.Referred, noNaN bool) []byte {
	refs := references{offer: segment.Name{FD: segment.None}, parts: referred.Parts, noNaN: noNaN}
	return append(refs.append(header.appendHeader(nil)), referred.Metadata...)
}

// refer has a large record lie in the offered segment. It returns nil if it is not large, or
// finds no room there.
func (r *reply) refer(rec arrow.RecordBatch, offer *segment.Result) (*arrowipc.Referred, error) {
	if offer == nil || arrowipc.Size(rec) < segment.Floor {
		return nil, nil
	}
	referred, err := r.writer.Refer(rec, offer)
	if err != nil {
		return nil, fmt.Errorf("rgoipc: cannot write the record: %w", err)
	}
	return referred, nil
}

// record returns the results as a record of the one column "result", or of a column for
// each field of it. Without results it is NULL in n rows.
func (f *typedFunc) record(n int, write func(i int) (codec.Column, error)) (arrow.RecordBatch, error) {
	column, err := f.column(n, write)
	if err != nil {
		return nil, err
	}
	defer column.Array.Release()
	if f.asColumns {
		return array.RecordFromStructArray(column.Array.(*array.Struct), nil), nil
	}
	return f.recordOf(column), nil
}

// recordOf returns a column as a record.
func (f *typedFunc) recordOf(column codec.Column) arrow.RecordBatch {
	return array.NewRecordBatch(f.schema(column.Named("result")), []arrow.Array{column.Array}, int64(column.Array.Len()))
}

// column returns the results as one column, which the caller releases.
func (f *typedFunc) column(n int, write func(i int) (codec.Column, error)) (codec.Column, error) {
	names := make([]string, len(f.results))
	columns := make([]codec.Column, 0, len(f.results))
	for i, r := range f.results {
		column, err := write(i)
		if err != nil {
			codec.Release(columns)
			return codec.Column{}, f.resultError(i, err)
		}
		names[i], columns = r.name, append(columns, column)
	}
	switch {
	case len(columns) == 0:
		return codec.Missing(n), nil
	case f.list:
		defer codec.Release(columns)
		return codec.NewStruct(names, columns, n), nil
	default:
		return columns[0], nil
	}
}

// listOfRows returns a record of one row, the list of what the function has returned for
// each of n rows. The elements may be of any types, so the list is a struct without names:
// R sends such a list in the same way. Vectors and maps of one type are a list column, which
// is the same to R, and ten times faster.
func (f *typedFunc) listOfRows(outs []any, n int, valid codec.Bitmap, args *codec.Arguments) (arrow.RecordBatch, error) {
	if of := f.returns.ListSchema.Type; !f.list && (of == TypeList || of == TypeMap) {
		rows, err := f.results[0].kind.(codec.Values).WriteRows(outs[0], valid, args)
		if err != nil {
			return nil, f.resultError(0, err)
		}
		defer rows.Array.Release()
		list := rows.Boxed()
		defer list.Array.Release()
		return f.recordOf(list), nil
	}
	elements := make([]codec.Column, 0, n)
	defer func() { codec.Release(elements) }()
	for row := range n {
		if !valid.Has(row) {
			elements = append(elements, codec.Missing(1))
			continue
		}
		element, err := f.column(1, func(i int) (codec.Column, error) {
			return f.results[i].kind.Write(reflect.ValueOf(outs[i]).Index(row), args)
		})
		if err != nil {
			return nil, &rowError{row: row, err: err}
		}
		elements = append(elements, element)
	}
	list := codec.NewStruct(make([]string, n), elements, 1)
	defer list.Array.Release()
	return f.recordOf(list), nil
}

// schema returns the schema of a result. That is the last one if it says the same,
// since one that has been written before is written faster: a small call takes 7 us, and
// 13 us without it. Results other than values may be of types that differ in more than
// arrow-go compares.
func (f *typedFunc) schema(field arrow.Field) *arrow.Schema {
	if last := f.last.Load(); last != nil && f.onlyValues && last.Field(0).Equal(field) {
		return last
	}
	schema := arrow.NewSchema([]arrow.Field{field}, nil)
	f.last.Store(schema)
	return schema
}

// resultError says which result an error of the codec is about.
func (f *typedFunc) resultError(i int, err error) error {
	name, what := f.results[i].name, "the result"
	if f.list {
		what = "result `" + name + "`"
	}
	if e, ok := err.(*codec.Error); ok {
		e.Result = name
	}
	return placed(CodeHandler, what, err)
}

// argumentError says which argument an error of the codec is about.
func argumentError(name string, column codec.Column, err error) error {
	if e, ok := err.(*codec.Error); ok {
		e.Arg, e.Only = name, isOne(column.Array)
	}
	return placed(CodeInvalidArgument, "argument `"+name+"`", err)
}

// isOne tells whether an argument is one value, or a list of one.
func isOne(values arrow.Array) bool {
	if values == nil || values.Len() != 1 {
		return false
	}
	list, ok := values.(array.ListLike)
	if !ok || list.IsNull(0) {
		return true
	}
	from, to := list.ValueOffsets(0)
	return to-from == 1
}

// placed turns an error of the codec into one for the user, which says what the column
// is, and leaves others as they are.
func placed(code Code, what string, err error) error {
	e, ok := err.(*codec.Error)
	if !ok {
		return err
	}
	if e.TooLarge {
		code = CodeResourceExhausted
	}
	return &Error{Code: code, Message: e.Text(what), Err: e}
}
