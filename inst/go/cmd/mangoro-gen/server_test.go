package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"go.nanomsg.org/mangos/v3"
	"go.nanomsg.org/mangos/v3/protocol/req"
	_ "go.nanomsg.org/mangos/v3/transport/ipc"

	"mangoro.local/internal/gen"
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
	sock := startServer(t)
	manifest := ask(t, sock, make([]byte, 9))
	var functions map[string]rgoipc.FunctionSignature
	if err := json.Unmarshal(manifest.ArrowData, &functions); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"description": "Add adds.", "signature": "func Add(x, y float64) float64"}
	if got := functions["Add"]; !reflect.DeepEqual(got.Metadata, want) || !got.Args[1].Optional {
		t.Errorf("the manifest has %+v", got)
	}

	reply := ask(t, sock, rpcCall(t, "Add", 1, 2, 3))
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
		{"Fail", "row 2: no 2: EOF", "handler", []string{"row 2: no 2: EOF", "no 2: EOF", "EOF"}, nil},
		{"Boom", "too deep", "panic", []string{"too deep"}, []frame{{"deep", "/r/analysis.R", 54}, {"Boom", "/r/analysis.R", 59}}},
		{"Later", "too deep", "panic", []string{"too deep"}, []frame{{"deep", "/r/analysis.R", 54}, {"Later.func1", "/r/analysis.R", 63}, {"Later", "/r/analysis.R", 64}}},
	} {
		reply := ask(t, sock, rpcCall(t, tt.function, 1, 2, 3))
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

// startServer builds and starts the program, and connects to it.
func startServer(t *testing.T) mangos.Socket {
	t.Helper()
	dir := t.TempDir()
	answer, sources := gen.Generate([]gen.File{{Name: "/r/analysis.R", Text: code, Line: 41, Inline: true}})
	if len(answer.Diagnostics) > 0 {
		t.Fatal(answer.Diagnostics)
	}
	program := filepath.Join(dir, "server.exe")
	arguments := []string{"build", "-mod=vendor", "-tags=arrow_json_stdlib", "-trimpath", "-o", program}
	for _, s := range sources {
		file := filepath.Join(dir, s.Name)
		if err := os.WriteFile(file, []byte(s.Text), 0o600); err != nil {
			t.Fatal(err)
		}
		arguments = append(arguments, file)
	}
	if out, err := exec.CommandContext(t.Context(), "go", arguments...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	url := "ipc://" + filepath.Join(dir, "s.ipc")
	if runtime.GOOS == "windows" {
		url = "ipc://" + t.Name()
	}
	server := exec.CommandContext(t.Context(), program, url)
	server.Stderr = os.Stderr
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Wait() }) // killed with the context, before
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.Contains(lines.Text(), "listening on") {
	}
	return dial(t, url)
}

func dial(t *testing.T, url string) mangos.Socket {
	t.Helper()
	sock, err := req.NewSocket()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sock.Close() })
	if err := sock.SetOption(mangos.OptionRecvDeadline, 30*time.Second); err != nil {
		t.Fatal(err)
	}
	if err := sock.Dial(url); err != nil {
		t.Fatal(err)
	}
	return sock
}

func ask(t *testing.T, sock mangos.Socket, request []byte) *rgoipc.RPCMessage {
	t.Helper()
	if err := sock.Send(request); err != nil {
		t.Fatal(err)
	}
	reply, err := sock.Recv()
	if err != nil {
		t.Fatal(err)
	}
	message, err := rgoipc.UnmarshalRPCMessage(reply)
	if err != nil {
		t.Fatal(err)
	}
	return message
}

// rpcCall is a call with a vector x: as rows, or as one row for Later.
func rpcCall(t *testing.T, name string, x ...float64) []byte {
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
	return (&rgoipc.RPCMessage{Type: rgoipc.MsgTypeCall, FuncName: name, ArrowData: stream}).Marshal()
}
