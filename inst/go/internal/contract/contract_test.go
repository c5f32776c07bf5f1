// Package contract tests what other people's programs rely on: the names and types of
// rgoipc, and Arrow under its old import path. The programs in testdata must compile and
// answer.
package contract

import (
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"mangoro.local/internal/servertest"
	"mangoro.local/pkg/rgoipc"
)

func TestProgramsOfOthers(t *testing.T) {
	for _, name := range []string{"ownloop", "oldarrow"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sock := servertest.Dial(t, servertest.Run(t, "./testdata/"+name))

			manifest := servertest.Ask(t, sock, &rgoipc.RPCMessage{})
			if manifest.Type != rgoipc.MsgTypeManifest || !strings.Contains(string(manifest.ArrowData), `"double":{"Args":[`) {
				t.Errorf("manifest: %+v", manifest)
			}

			result := servertest.Ask(t, sock, &rgoipc.RPCMessage{Type: rgoipc.MsgTypeCall, FuncName: "double", ArrowData: numbers(t, 1.5, -2)})
			if result.Type != rgoipc.MsgTypeResult {
				t.Fatalf("result: %+v", result)
			}
			reader, err := rgoipc.NewArrowReader(result.ArrowData)
			if err != nil {
				t.Fatal(err)
			}
			defer reader.Release()
			if !reader.Next() {
				t.Fatalf("no record: %v", reader.Err())
			}
			got := reader.RecordBatch().Column(0).(*array.Float64)
			if got.Len() != 2 || got.Value(0) != 3 || got.Value(1) != -4 {
				t.Errorf("double(1.5, -2) = %v", got)
			}

			unknown := servertest.Ask(t, sock, &rgoipc.RPCMessage{Type: rgoipc.MsgTypeCall, FuncName: "nope"})
			if unknown.Type != rgoipc.MsgTypeError || unknown.ErrorMsg == "" {
				t.Errorf("unknown function: %+v", unknown)
			}
		})
	}
}

func numbers(t *testing.T, values ...float64) []byte {
	t.Helper()
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues(values, nil)
	column := b.NewArray()
	defer column.Release()
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Float64}}, nil)
	rec := array.NewRecordBatch(schema, []arrow.Array{column}, int64(len(values)))
	defer rec.Release()
	stream, err := rgoipc.WriteArrowRecord(rec)
	if err != nil {
		t.Fatal(err)
	}
	return stream
}
