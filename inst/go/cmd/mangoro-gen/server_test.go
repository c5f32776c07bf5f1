package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"mangoro.local/internal/gen"
	"mangoro.local/internal/servertest"
	"mangoro.local/pkg/rgoipc"
)

const code = `// Add adds.
//
//mangoro:default y=10
func Add(x, y float64) float64 { return x + y }

func Fail(x float64) (float64, error) {
	if x > 1 {
		return 0, fmt.Errorf("no %v: %w", x, io.EOF)
	}
	return x, nil
}

func deep(x float64) float64 {
	panic("too deep")
}

//mangoro:parallel
func Boom(x float64) float64 {
	return deep(x)
}

func Later(x []float64) float64 {
	f := func() float64 { return deep(x[0]) }
	return f()
}
`

// A program as R makes it: generated, built and called.
func TestGeneratedServer(t *testing.T) {
	sock := servertest.Dial(t, runCode(t))
	manifest := servertest.Ask(t, sock, &rgoipc.RPCMessage{})
	var functions map[string]rgoipc.FunctionSignature
	if err := json.Unmarshal(manifest.ArrowData, &functions); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"description": "Add adds.", "signature": "func Add(x, y float64) float64"}
	if got := functions["Add"]; !reflect.DeepEqual(got.Metadata, want) || !got.Args[1].Optional {
		t.Errorf("the manifest has %+v", got)
	}

	reply := servertest.Ask(t, sock, rpcCall(t, "Add", 1, 2, 3))
	reader, err := rgoipc.NewArrowReader(reply.ArrowData)
	if err != nil || !reader.Next() {
		t.Fatal(err, reply.ErrorMsg)
	}
	if column := reader.RecordBatch().Column(0); column.String() != "[11 12 13]" {
		t.Errorf("Add is %v", column)
	}

	type frame struct {
		Func, File string
		Line       int
	}
	for _, tt := range []struct {
		function, message, code string
		chain                   []string
		frames                  []frame
	}{
		{"Fail", "row 2: no 2: EOF", "handler", []string{"row 2: no 2: EOF", "EOF"}, nil},
		{"Boom", "row 1: too deep", "panic", []string{"row 1: too deep"}, []frame{{"deep", "/r/analysis.R", 54}, {"Boom", "/r/analysis.R", 59}}},
		{"Later", "too deep", "panic", []string{"too deep"}, []frame{{"deep", "/r/analysis.R", 54}, {"Later.func1", "/r/analysis.R", 63}, {"Later", "/r/analysis.R", 64}}},
	} {
		reply := servertest.Ask(t, sock, rpcCall(t, tt.function, 1, 2, 3))
		var detail struct {
			Code   string
			Chain  []string
			Frames []frame
			Stack  string
		}
		if err := json.Unmarshal(reply.ArrowData, &detail); err != nil {
			t.Fatal(err)
		}
		if reply.ErrorMsg != tt.message || detail.Code != tt.code || !reflect.DeepEqual(detail.Chain, tt.chain) || !reflect.DeepEqual(detail.Frames, tt.frames) {
			t.Errorf("%s: %q, %+v", tt.function, reply.ErrorMsg, detail)
		}
	}
}

// runCode generates the program of the code, and starts it.
func runCode(t *testing.T) (url string) {
	t.Helper()
	answer, sources := gen.Generate([]gen.File{{Name: "/r/analysis.R", Text: code, Line: 41, Inline: true}}, gen.Choice{})
	if len(answer.Diagnostics) > 0 {
		t.Fatal(answer.Diagnostics)
	}
	dir := t.TempDir()
	var files []string
	for _, s := range sources {
		file := filepath.Join(dir, s.Name)
		if err := os.WriteFile(file, []byte(s.Text), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return servertest.Run(t, files...)
}

// rpcCall is a call with a vector x: as rows, or as one row for Later.
func rpcCall(t *testing.T, name string, x ...float64) *rgoipc.RPCMessage {
	t.Helper()
	column, _, err := array.FromJSON(memory.DefaultAllocator, arrow.PrimitiveTypes.Float64, strings.NewReader(strings.ReplaceAll(fmt.Sprint(x), " ", ",")))
	if name == "Later" {
		boxed := strings.ReplaceAll(fmt.Sprintf("[%v]", x), " ", ",")
		column, _, err = array.FromJSON(memory.DefaultAllocator, arrow.ListOf(arrow.PrimitiveTypes.Float64), strings.NewReader(boxed))
	}
	if err != nil {
		t.Fatal(err)
	}
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: column.DataType(), Nullable: true}}, nil)
	stream, err := rgoipc.WriteArrowRecord(array.NewRecordBatch(schema, []arrow.Array{column}, int64(column.Len())))
	if err != nil {
		t.Fatal(err)
	}
	return &rgoipc.RPCMessage{Type: rgoipc.MsgTypeCall, FuncName: name, ArrowData: stream}
}
