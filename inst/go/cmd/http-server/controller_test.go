package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"go.nanomsg.org/mangos/v3"

	"mangoro.local/internal/servertest"
	"mangoro.local/pkg/rgoipc"
)

// manifest is that of the controller. Clients other than R's rely on it as well.
const manifest = `{` +
	`"serverStatus":{"Args":[],"ReturnType":` + reportType + `,"Vectorized":false,` +
	`"Metadata":{"description":"Tell whether the HTTP server runs, and where"}},` +
	`"startServer":{"Args":[` +
	`{"Name":"addr","Type":` + textType + `,"Optional":false,"Default":null},` +
	`{"Name":"dir","Type":` + textType + `,"Optional":false,"Default":null},` +
	`{"Name":"prefix","Type":` + pathType + `,"Optional":true,"Default":"/"},` +
	`{"Name":"cors","Type":` + flagType + `,"Optional":true,"Default":false},` +
	`{"Name":"coop","Type":` + flagType + `,"Optional":true,"Default":false},` +
	`{"Name":"tls","Type":` + flagType + `,"Optional":true,"Default":false},` +
	`{"Name":"cert","Type":` + pathType + `,"Optional":true,"Default":null},` +
	`{"Name":"key","Type":` + pathType + `,"Optional":true,"Default":null},` +
	`{"Name":"silent","Type":` + flagType + `,"Optional":true,"Default":false},` +
	`{"Name":"options","Type":` + pathType + `,"Optional":true,"Default":null}],` +
	`"ReturnType":` + reportType + `,"Vectorized":false,` +
	`"Metadata":{"description":"Start to serve a directory over HTTP"}},` +
	`"stopServer":{"Args":[],"ReturnType":` + reportType + `,"Vectorized":false,` +
	`"Metadata":{"description":"Stop the HTTP server"}}}`

const (
	textType   = `{"Type":"string","Nullable":false,"StructDef":null,"ListSchema":null}`
	pathType   = `{"Type":"string","Nullable":true,"StructDef":null,"ListSchema":null}`
	flagType   = `{"Type":"bool","Nullable":true,"StructDef":null,"ListSchema":null}`
	reportType = `{"Type":"struct","Nullable":false,"StructDef":{"Fields":[` +
		`{"Name":"status","Type":` + textType + `,"Metadata":null},` +
		`{"Name":"message","Type":` + textType + `,"Metadata":null}]},"ListSchema":null}`
)

var (
	text = arrow.BinaryTypes.String
	flag = arrow.FixedWidthTypes.Boolean

	arrowInt    = arrow.PrimitiveTypes.Int32
	arrowDouble = arrow.PrimitiveTypes.Float64
)

// column is a column of a request, its values as JSON.
type column struct {
	name   string
	t      arrow.DataType
	values string
}

// ask calls a function with the columns. Without any the call has no payload.
func ask(t *testing.T, sock mangos.Socket, name string, columns ...column) *rgoipc.RPCMessage {
	t.Helper()
	request := &rgoipc.RPCMessage{Type: rgoipc.MsgTypeCall, FuncName: name}
	if len(columns) > 0 {
		var fields []arrow.Field
		var arrays []arrow.Array
		for _, c := range columns {
			values, _, err := array.FromJSON(memory.DefaultAllocator, c.t, strings.NewReader(c.values))
			if err != nil {
				t.Fatal(err)
			}
			fields, arrays = append(fields, arrow.Field{Name: c.name, Type: c.t, Nullable: true}), append(arrays, values)
		}
		rec := array.NewRecordBatch(arrow.NewSchema(fields, nil), arrays, int64(arrays[0].Len()))
		var err error
		if request.ArrowData, err = rgoipc.WriteArrowRecord(rec); err != nil {
			t.Fatal(err)
		}
	}
	return servertest.Ask(t, sock, request)
}

// reportOf returns the status and the message of a reply, which must be a record of one row
// with these two columns.
func reportOf(t *testing.T, reply *rgoipc.RPCMessage) (status, message string) {
	t.Helper()
	if reply.Type != rgoipc.MsgTypeResult {
		t.Fatalf("got %q, %s", reply.ErrorMsg, reply.ArrowData)
	}
	reader, err := rgoipc.NewArrowReader(reply.ArrowData)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Release()
	if !reader.Next() {
		t.Fatal("the reply has no record")
	}
	rec := reader.RecordBatch()
	schema := rec.Schema()
	if rec.NumRows() != 1 || rec.NumCols() != 2 || schema.Metadata().Len() != 0 {
		t.Fatalf("the reply is %v", rec)
	}
	var values [2]string
	for i, name := range []string{"status", "message"} {
		field := schema.Field(i)
		if field.Name != name || field.Type.ID() != arrow.STRING || field.HasMetadata() {
			t.Errorf("column %d is %v", i, field)
		}
		values[i] = rec.Column(i).(*array.String).Value(0)
	}
	return values[0], values[1]
}

func checkReport(t *testing.T, reply *rgoipc.RPCMessage, status, message string) {
	t.Helper()
	if gotStatus, gotMessage := reportOf(t, reply); gotStatus != status || gotMessage != message {
		t.Errorf("reported %q, %q, want %q, %q", gotStatus, gotMessage, status, message)
	}
}

func checkError(t *testing.T, reply *rgoipc.RPCMessage, code rgoipc.Code, text string) {
	t.Helper()
	var detail struct{ Code rgoipc.Code }
	if reply.Type == rgoipc.MsgTypeError {
		if err := json.Unmarshal(reply.ArrowData, &detail); err != nil {
			t.Fatal(err)
		}
	}
	if detail.Code != code || !strings.Contains(reply.ErrorMsg, text) {
		t.Errorf("got %+v, want %s with %q", reply, code, text)
	}
}

// served returns a directory with a file a.txt, as a JSON string in a column.
func served(t *testing.T) column {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	quoted, err := json.Marshal([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	return column{"dir", text, string(quoted)}
}

func get(t *testing.T, url string) (body string, header http.Header) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	bytes, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes), response.Header
}

// The requests of a controller and its replies, message by message.
func TestController(t *testing.T) {
	sock := servertest.Dial(t, servertest.Run(t, "."))
	reply := servertest.Ask(t, sock, &rgoipc.RPCMessage{})
	if reply.Type != rgoipc.MsgTypeManifest || string(reply.ArrowData) != manifest {
		t.Errorf("the manifest is %s, want %s", reply.ArrowData, manifest)
	}

	addr, dir := column{"addr", text, `["127.0.0.1:0"]`}, served(t)
	started := func(t *testing.T, columns ...column) (address string) {
		t.Helper()
		status, message := reportOf(t, ask(t, sock, "startServer", columns...))
		address, ok := strings.CutPrefix(message, "HTTP server started on 127.0.0.1:")
		if status != "ok" || !ok {
			t.Errorf("reported %q, %q", status, message)
		}
		return "127.0.0.1:" + address
	}
	stop := func(t *testing.T) {
		t.Helper()
		checkReport(t, ask(t, sock, "stopServer"), "ok", "HTTP server stopped")
	}

	t.Run("status and stop, with any columns", func(t *testing.T) {
		for _, columns := range [][]column{nil, {addr}, {{"x", arrow.PrimitiveTypes.Int32, `[1, 2]`}}} {
			checkReport(t, ask(t, sock, "serverStatus", columns...), "status", "stopped")
			checkReport(t, ask(t, sock, "stopServer", columns...), "ok", "HTTP server was not running")
		}
	})
	t.Run("as R sends it", func(t *testing.T) {
		address := started(
			t, addr, dir, column{"prefix", text, `["/"]`}, column{"cors", flag, `[true]`},
			column{"coop", flag, `[false]`}, column{"tls", flag, `[false]`},
			column{"cert", text, `[""]`}, column{"key", text, `[""]`}, column{"silent", flag, `[true]`},
		)
		checkReport(t, ask(t, sock, "serverStatus"), "status", "running at "+address)
		checkError(t, ask(t, sock, "startServer", addr, dir), rgoipc.CodeHandler,
			fmt.Sprintf("the HTTP server is already running at %s: stop it first", address))
		body, header := get(t, "http://"+address+"/a.txt")
		if body != "hello" || header.Get("Access-Control-Allow-Origin") != "*" || header.Get("Cross-Origin-Opener-Policy") != "" {
			t.Errorf("served %q with %v", body, header)
		}
		stop(t)
		checkReport(t, ask(t, sock, "serverStatus"), "status", "stopped")
	})
	t.Run("what is needed only, in any order", func(t *testing.T) {
		address := started(t, dir, addr)
		body, header := get(t, "http://"+address+"/a.txt")
		if body != "hello" || header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("served %q with %v", body, header)
		}
		stop(t)
	})
	t.Run("missing values", func(t *testing.T) {
		var columns []column
		for _, name := range []string{"prefix", "cert", "key"} {
			columns = append(columns, column{name, text, `[null]`})
		}
		for _, name := range []string{"cors", "coop", "tls", "silent"} {
			columns = append(columns, column{name, flag, `[null]`})
		}
		if body, _ := get(t, "http://"+started(t, append(columns, dir, addr)...)+"/a.txt"); body != "hello" {
			t.Errorf("served %q", body)
		}
		stop(t)
	})
	t.Run("a prefix and isolation", func(t *testing.T) {
		address := started(t, addr, dir, column{"prefix", text, `["data"]`}, column{"coop", flag, `[true]`})
		body, header := get(t, "http://"+address+"/data/a.txt")
		if body != "hello" || header.Get("Cross-Origin-Opener-Policy") == "" {
			t.Errorf("served %q with %v", body, header)
		}
		stop(t)
	})
	t.Run("what does not start", func(t *testing.T) {
		for _, tt := range []struct {
			name    string
			columns []column
			code    rgoipc.Code
			text    string
		}{
			{"no columns", nil, rgoipc.CodeInvalidArgument, "missing: `addr`, `dir`"},
			{"no directory", []column{addr}, rgoipc.CodeInvalidArgument, "missing: `dir`"},
			{"an unknown column", []column{addr, dir, {"port", text, `["1"]`}}, rgoipc.CodeInvalidArgument, "unknown: `port`"},
			{"two directories", []column{addr, dir, dir}, rgoipc.CodeInvalidArgument, "given twice: `dir`"},
			{"an address that is a number", []column{{"addr", arrow.PrimitiveTypes.Float64, `[8080]`}, dir}, rgoipc.CodeInvalidArgument, "`addr`"},
			{"a flag that is a text", []column{addr, dir, {"cors", text, `["yes"]`}}, rgoipc.CodeInvalidArgument, "`cors`"},
			{"an address that is missing", []column{{"addr", text, `[null]`}, dir}, rgoipc.CodeInvalidArgument, "`addr`"},
			{"no rows", []column{{"addr", text, `[]`}, {"dir", text, `[]`}}, rgoipc.CodeInvalidArgument, ", not 0"},
			{"two rows", []column{{"addr", text, `["a", "b"]`}, {"dir", text, `["a", "b"]`}}, rgoipc.CodeInvalidArgument, ", not 2"},
			{"a directory that is not there", []column{addr, {"dir", text, `["/no/such/directory"]`}}, rgoipc.CodeHandler, "/no/such/directory"},
			{"an address that is none", []column{{"addr", text, `["nonsense"]`}, dir}, rgoipc.CodeHandler, "nonsense"},
			{"TLS without a certificate", []column{addr, dir, {"tls", flag, `[true]`}}, rgoipc.CodeHandler, "certificate"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				checkError(t, ask(t, sock, "startServer", tt.columns...), tt.code, tt.text)
			})
		}
		checkReport(t, ask(t, sock, "serverStatus"), "status", "stopped")
	})
	t.Run("an unknown function", func(t *testing.T) {
		checkError(t, ask(t, sock, "restartServer"), rgoipc.CodeNotFound, "restartServer")
	})
}
