// A server with its own loop, and a function for each Arrow type that R does not
// write. Usage: types URL. The variable columns has the replies.
package main

import (
	"bytes"
	"fmt"
	"log"
	"maps"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"go.nanomsg.org/mangos/v3"
	"go.nanomsg.org/mangos/v3/protocol/rep"
	_ "go.nanomsg.org/mangos/v3/transport/ipc"

	"mangoro.local/pkg/rgoipc"
)

var mem = memory.DefaultAllocator

// column is a column of a type, with its values as a JSON array.
type column struct {
	dataType arrow.DataType
	json     string
}

func dictionary(index arrow.DataType) *arrow.DictionaryType {
	return &arrow.DictionaryType{IndexType: index, ValueType: arrow.BinaryTypes.String}
}

var columns = map[string]column{
	"int8":              {arrow.PrimitiveTypes.Int8, `[-128, null, 127]`},
	"int16":             {arrow.PrimitiveTypes.Int16, `[-32768, null, 32767]`},
	"int64":             {arrow.PrimitiveTypes.Int64, `[-9223372036854775807, null, 9223372036854775807]`},
	"int64_smallest":    {arrow.PrimitiveTypes.Int64, `[1, -9223372036854775808]`},
	"int32_smallest":    {arrow.PrimitiveTypes.Int32, `[1, -2147483648]`},
	"int64_small":       {arrow.PrimitiveTypes.Int64, `[-2147483647, null, 2147483647]`},
	"int64_exact":       {arrow.PrimitiveTypes.Int64, `[-9007199254740992, null, 2147483648]`},
	"int64_inexact":     {arrow.PrimitiveTypes.Int64, `[1, null, 9007199254740993]`},
	"int64_null":        {arrow.PrimitiveTypes.Int64, `[null, null]`},
	"int64_none":        {arrow.PrimitiveTypes.Int64, `[]`},
	"int64_lists":       {arrow.ListOf(arrow.PrimitiveTypes.Int64), `[[1], null, [2147483648, null], []]`},
	"int64_fixed_lists": {arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Int64), `[[1, 2], null, [3, 4]]`},
	"int64_maps":        {arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int64), `[[{"key": "a", "value": 1}], [{"key": "b", "value": -9007199254740993}]]`},
	"int64_struct":      {arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int64, Nullable: true}), `[{"a": 1}, null]`},
	"uint8":             {arrow.PrimitiveTypes.Uint8, `[0, null, 255]`},
	"uint16":            {arrow.PrimitiveTypes.Uint16, `[0, null, 65535]`},
	"uint32":            {arrow.PrimitiveTypes.Uint32, `[0, null, 4294967295]`},
	"uint64":            {arrow.PrimitiveTypes.Uint64, `[0, null, 9223372036854775807]`},
	"uint32_small":      {arrow.PrimitiveTypes.Uint32, `[0, null, 2147483647]`},
	"uint64_small":      {arrow.PrimitiveTypes.Uint64, `[0, null, 2147483647]`},
	"uint64_exact":      {arrow.PrimitiveTypes.Uint64, `[0, null, 9007199254740992]`},
	"uint64_largest":    {arrow.PrimitiveTypes.Uint64, `[0, 18446744073709551615]`},
	"float16":           {arrow.FixedWidthTypes.Float16, `[1.5, null, -0.25]`},
	"float32":           {arrow.PrimitiveTypes.Float32, `[1.5, null, -0.1]`},
	"large_utf8":        {arrow.BinaryTypes.LargeString, `["a", null, "é"]`},
	"large_binary":      {arrow.BinaryTypes.LargeBinary, `["YWI=", null]`},
	"fixed_binary":      {&arrow.FixedSizeBinaryType{ByteWidth: 2}, `["YWI=", null]`},
	"large_list":        {arrow.LargeListOf(arrow.PrimitiveTypes.Int32), `[[1, null], null, []]`},
	"fixed_list":        {arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Int32), `[[1, null], null, [3, 4]]`},
	"date32":            {arrow.FixedWidthTypes.Date32, `["1969-12-31", null]`},
	"date64":            {arrow.FixedWidthTypes.Date64, `["1969-12-31", null]`},
	"timestamp_s":       {arrow.FixedWidthTypes.Timestamp_s, `["2024-02-29T12:00:00Z", null]`},
	"timestamp_ms":      {arrow.FixedWidthTypes.Timestamp_ms, `["1969-12-31T23:59:59.5Z", null]`},
	"timestamp_us":      {arrow.FixedWidthTypes.Timestamp_us, `["2024-02-29T12:00:00.25Z", null]`},
	"timestamp_ns":      {arrow.FixedWidthTypes.Timestamp_ns, `["2024-02-29T12:00:00.25Z", null]`},
	"timestamp_no_zone": {&arrow.TimestampType{Unit: arrow.Second}, `["2024-02-29T12:00:00", null]`},
	"timestamp_zone":    {&arrow.TimestampType{Unit: arrow.Second, TimeZone: "Asia/Tokyo"}, `["2024-02-29T12:00:00Z"]`},
	"time32_s":          {arrow.FixedWidthTypes.Time32s, `["01:00:00", null]`},
	"time32_ms":         {arrow.FixedWidthTypes.Time32ms, `["00:00:01.5", null]`},
	"time64_us":         {arrow.FixedWidthTypes.Time64us, `["00:00:01.5", null]`},
	"time64_ns":         {arrow.FixedWidthTypes.Time64ns, `["00:00:01.5", null]`},
	"duration_s":        {arrow.FixedWidthTypes.Duration_s, `[90, null]`},
	"duration_ms":       {arrow.FixedWidthTypes.Duration_ms, `[1500, null]`},
	"duration_us":       {arrow.FixedWidthTypes.Duration_us, `[-1500000, null]`},
	"duration_ns":       {arrow.FixedWidthTypes.Duration_ns, `[1500000000, null]`},
	"decimal128":        {&arrow.Decimal128Type{Precision: 20, Scale: 2}, `["123.45", null, "-0.01"]`},
	"decimal256":        {&arrow.Decimal256Type{Precision: 50, Scale: 3}, `["123.456", null, "-0.001"]`},
	"decimal_large":     {&arrow.Decimal128Type{Precision: 30, Scale: 0}, `["1", "1000000000000000001"]`},
	"dictionary_int8":   {dictionary(arrow.PrimitiveTypes.Int8), `["b", null, "a", "b"]`},
	"dictionary_int16":  {dictionary(arrow.PrimitiveTypes.Int16), `["b", null, "a", "b"]`},
	"dictionary_int32":  {dictionary(arrow.PrimitiveTypes.Int32), `["b", null, "a", "b"]`},
	"dictionary_int64":  {dictionary(arrow.PrimitiveTypes.Int64), `["b", null, "a", "b"]`},
	"dictionary_uint8":  {dictionary(arrow.PrimitiveTypes.Uint8), `["b", null, "a", "b"]`},
	"dictionary_uint16": {dictionary(arrow.PrimitiveTypes.Uint16), `["b", null, "a", "b"]`},
	"dictionary_uint32": {dictionary(arrow.PrimitiveTypes.Uint32), `["b", null, "a", "b"]`},
	"dictionary_uint64": {dictionary(arrow.PrimitiveTypes.Uint64), `["b", null, "a", "b"]`},
	"dictionary_double": {
		&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.PrimitiveTypes.Float64},
		`[1.5, null, 2.5, 1.5]`,
	},
	"dictionary_of_int64": {
		&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.PrimitiveTypes.Int64},
		`[1, null, 4294967296, 1]`,
	},
	"null":   {arrow.Null, `[null, null]`},
	"struct": {arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int32, Nullable: true}), `[{"a": 1}, null]`},
	"map":    {arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Float64), `[[{"key": "a", "value": 1.5}], null, []]`},
	"nested": {
		arrow.ListOf(arrow.StructOf(arrow.Field{Name: "l", Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: true})),
		`[[{"l": ["a", null]}, {"l": null}], []]`,
	},
	"interval": {arrow.FixedWidthTypes.MonthInterval, `[{"months": 1}]`},
	"view":     {arrow.BinaryTypes.StringView, `["a"]`},

	// Types that nanoarrow reads, but that have no R vectors.
	"decimal32":               {&arrow.Decimal32Type{Precision: 9, Scale: 2}, `["1.50", null]`},
	"decimal64":               {&arrow.Decimal64Type{Precision: 18, Scale: 2}, `["1.50", null]`},
	"interval_day_time":       {arrow.FixedWidthTypes.DayTimeInterval, `[{"days": 3, "milliseconds": 4}, null]`},
	"interval_month_day_nano": {arrow.FixedWidthTypes.MonthDayNanoInterval, `[{"months": 1, "days": 3, "nanoseconds": 4}, null]`},
	"string_view":             {arrow.BinaryTypes.StringView, `["short", null, "longer than twelve bytes é", ""]`},
	"binary_view":             {arrow.BinaryTypes.BinaryView, `["AAEC", null, "AAECAAECAAECAAECAAECAAECAAECAAEC"]`},
	"list_view":               {arrow.ListViewOf(arrow.PrimitiveTypes.Int32), `[[1, null], null, []]`},
	"large_list_view":         {arrow.LargeListViewOf(arrow.BinaryTypes.String), `[["a"], null, ["b", "c"]]`},
	"sparse_union":            {arrow.SparseUnionOf(members, codes), `[[5, 1], [126, "a"], [5, null]]`},
	"dense_union":             {arrow.DenseUnionOf(members, codes), `[[5, 1], [126, "a"], [5, 2]]`},
	"run_ends":                {arrow.RunEndEncodedOf(arrow.PrimitiveTypes.Int32, arrow.BinaryTypes.String), `["a", "a", null]`},
	"map_of_ints":             {arrow.MapOf(arrow.PrimitiveTypes.Int32, arrow.BinaryTypes.String), `[[{"key": 1, "value": "a"}], null]`},
	"dictionary_date": {
		&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.FixedWidthTypes.Date32},
		`["2024-02-29", null]`,
	},
}

var (
	members = []arrow.Field{
		{Name: "i", Type: arrow.PrimitiveTypes.Int32, Nullable: true}, {Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
	}
	codes = []arrow.UnionTypeCode{5, 126}
)

// names returns the names of all columns.
func names() (arrow.Record, error) {
	b := array.NewStringBuilder(mem)
	b.AppendValues(slices.Sorted(maps.Keys(columns)), nil)
	return record("name", b.NewArray()), nil
}

func record(name string, arr arrow.Array) arrow.Record {
	field := arrow.Field{Name: name, Type: arr.DataType(), Nullable: true}
	return array.NewRecordBatch(arrow.NewSchema([]arrow.Field{field}, nil), []arrow.Array{arr}, int64(arr.Len()))
}

// more returns the columns that cannot be written as JSON.
func more(name string) (arrow.Array, error) {
	switch name {
	case "float16_special":
		b := array.NewFloat16Builder(mem)
		for _, x := range []float64{math.Inf(1), math.Inf(-1), math.NaN(), 65504, math.Copysign(0, -1)} {
			b.Append(float16.New(float32(x)))
		}
		return b.NewArray(), nil
	case "date64_fraction":
		b := array.NewDate64Builder(mem)
		b.Append(arrow.Date64(1500))
		b.AppendNull()
		return b.NewArray(), nil
	case "decimal_negative_scale":
		b := array.NewDecimal128Builder(mem, &arrow.Decimal128Type{Precision: 5, Scale: -2})
		b.Append(decimal128.FromI64(12))
		return b.NewArray(), nil
	case "slice":
		b := array.NewStringBuilder(mem)
		b.AppendValues([]string{"zero", "one", "two", "three"}, []bool{true, true, false, true})
		return array.NewSlice(b.NewArray(), 1, 4), nil
	}
	return nil, fmt.Errorf("no column %q", name)
}

func columnOf(name string) (arrow.Record, error) {
	c, ok := columns[name]
	if !ok {
		arr, err := more(name)
		if err != nil {
			return nil, err
		}
		return record(name, arr), nil
	}
	arr, _, err := array.FromJSON(mem, c.dataType, strings.NewReader(c.json))
	if err != nil {
		return nil, fmt.Errorf("column %q: %w", name, err)
	}
	return record(name, arr), nil
}

// batches returns a stream of several batches with a dictionary that changes: it
// grows by deltas, or is replaced.
func batches(deltas bool) ([]byte, error) {
	builder := array.NewDictionaryBuilder(mem, dictionary(arrow.PrimitiveTypes.Int8)).(*array.BinaryDictionaryBuilder)
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "f", Type: builder.Type(), Nullable: true},
		{Name: "x", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	}, nil)
	var out bytes.Buffer
	w := ipc.NewWriter(&out, ipc.WithSchema(schema), ipc.WithDictionaryDeltas(deltas))
	for i, words := range [][]string{{"a", "b"}, {"c", "a"}, {}, {"b"}} {
		if !deltas {
			builder = array.NewDictionaryBuilder(mem, dictionary(arrow.PrimitiveTypes.Int8)).(*array.BinaryDictionaryBuilder)
		}
		numbers := array.NewInt64Builder(mem)
		for _, word := range words {
			if err := builder.AppendString(word); err != nil {
				return nil, err
			}
			numbers.Append(int64(i) << 30) // the last does not fit an int32
		}
		rec := array.NewRecordBatch(schema, []arrow.Array{builder.NewArray(), numbers.NewArray()}, int64(len(words)))
		if err := w.Write(rec); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), w.Close()
}

// compressed returns a stream with compressed bodies.
func compressed() ([]byte, error) {
	rec, err := columnOf("int64")
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w := ipc.NewWriter(&out, ipc.WithSchema(rec.Schema()), ipc.WithLZ4())
	if err := w.Write(rec); err != nil {
		return nil, err
	}
	return out.Bytes(), w.Close()
}

func answer(call *rgoipc.RPCMessage) ([]byte, error) {
	switch call.FuncName {
	case "batches", "replaced":
		return batches(call.FuncName == "batches")
	case "compressed":
		return compressed()
	case "echo":
		reader, err := rgoipc.NewArrowReader(call.ArrowData)
		if err != nil {
			return nil, err
		}
		defer reader.Release()
		var out bytes.Buffer
		w := ipc.NewWriter(&out, ipc.WithSchema(reader.Schema()))
		for reader.Next() {
			if err := w.Write(reader.RecordBatch()); err != nil {
				return nil, err
			}
		}
		if err := reader.Err(); err != nil {
			return nil, err
		}
		return out.Bytes(), w.Close()
	}
	rec, err := columnOf(call.FuncName)
	if call.FuncName == "names" {
		rec, err = names()
	}
	if err != nil {
		return nil, err
	}
	return rgoipc.WriteArrowRecord(rec)
}

func reply(request []byte) *rgoipc.RPCMessage {
	call, err := rgoipc.UnmarshalRPCMessage(request)
	if err == nil {
		var stream []byte
		if stream, err = answer(call); err == nil {
			return &rgoipc.RPCMessage{Type: rgoipc.MsgTypeResult, ArrowData: stream}
		}
	}
	return &rgoipc.RPCMessage{Type: rgoipc.MsgTypeError, ErrorMsg: err.Error()}
}

func main() {
	sock, err := rep.NewSocket()
	if err != nil {
		log.Fatal(err)
	}
	if err := sock.SetOption(mangos.OptionMaxRecvSize, 0); err != nil {
		log.Fatal(err)
	}
	if err := sock.Listen(os.Args[1]); err != nil {
		log.Fatal(err)
	}
	for {
		request, err := sock.Recv()
		if err != nil {
			log.Fatal(err)
		}
		if err := sock.Send(reply(request).Marshal()); err != nil {
			log.Fatal(err)
		}
	}
}
