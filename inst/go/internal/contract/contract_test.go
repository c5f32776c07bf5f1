// Package contract tests what programs of others rely on: the names and types
// of rgoipc, and Arrow under its import path of old. The programs are in
// testdata; they compile and answer, or the contract is broken.
package contract

import (
	"bufio"
	"os/exec"
	"path/filepath"
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

	"mangoro.local/pkg/rgoipc"
)

func TestProgramsOfOthers(t *testing.T) {
	for _, name := range []string{"ownloop", "oldarrow"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sock := dial(t, run(t, name))

			manifest := ask(t, sock, &rgoipc.RPCMessage{})
			if manifest.Type != rgoipc.MsgTypeManifest || !strings.Contains(string(manifest.ArrowData), `"double":{"Args":[`) {
				t.Errorf("manifest: %+v", manifest)
			}

			result := ask(t, sock, &rgoipc.RPCMessage{Type: rgoipc.MsgTypeCall, FuncName: "double", ArrowData: numbers(t, 1.5, -2)})
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

			unknown := ask(t, sock, &rgoipc.RPCMessage{Type: rgoipc.MsgTypeCall, FuncName: "nope"})
			if unknown.Type != rgoipc.MsgTypeError || unknown.ErrorMsg == "" {
				t.Errorf("unknown function: %+v", unknown)
			}
		})
	}
}

// run builds and starts a program of testdata, and returns its URL once it
// says that it listens there.
func run(t *testing.T, name string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), name+".exe")
	build := exec.CommandContext(t.Context(), "go", "build", "-mod=vendor", "-tags=arrow_json_stdlib", "-o", binary, "./testdata/"+name)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	url := "ipc://" + filepath.Join(t.TempDir(), "s.ipc")
	if runtime.GOOS == "windows" {
		url = "ipc://mangoro-contract-" + name
	}
	program := exec.CommandContext(t.Context(), binary, url)
	out, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = program.Process.Kill() // it may have ended
		_ = program.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.HasSuffix(lines.Text(), "listening on "+url) {
			return url
		}
	}
	t.Fatalf("%s ended without listening", name)
	return ""
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

func ask(t *testing.T, sock mangos.Socket, request *rgoipc.RPCMessage) *rgoipc.RPCMessage {
	t.Helper()
	if err := sock.Send(request.Marshal()); err != nil {
		t.Fatal(err)
	}
	bytes, err := sock.Recv()
	if err != nil {
		t.Fatal(err)
	}
	reply, err := rgoipc.UnmarshalRPCMessage(bytes)
	if err != nil {
		t.Fatal(err)
	}
	return reply
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
