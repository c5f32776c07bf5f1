package main

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"mangoro.local/internal/servertest"
	"mangoro.local/pkg/fileserver"
	"mangoro.local/pkg/rgoipc"
)

func TestOptions(t *testing.T) {
	var config fileserver.Config
	name, err := applyOptions(`{"name": "docs", "mounts": [{"prefix": "data", "dir": "/d"}], "origins": ["https://igv.org"],
		"corp": "cross-origin", "hosts": ["a.org"], "allow": [".env"], "protect": ["/k"], "auth": {"token": "t", "user": "u", "password": "p"},
		"hide_dots": true, "listing": "page", "max_age": 60, "headers": {"X-A": "b"}, "types": {".x": "text/plain"}, "compress": true,
		"fallback": "index.html", "not_found": "no.html", "reload": true, "max_conns": 7}`, &config)
	want := fileserver.Config{
		Mounts: []fileserver.Mount{{Prefix: "data", Dir: "/d"}}, Origins: []string{"https://igv.org"}, CORP: "cross-origin",
		Hosts: []string{"a.org"}, Allow: []string{".env"}, Protect: []string{"/k"},
		Auth: fileserver.Auth{Token: "t", User: "u", Password: "p"}, HideDots: true, Listing: fileserver.ListPage, MaxAge: time.Minute,
		Headers: map[string]string{"X-A": "b"}, Types: map[string]string{".x": "text/plain"}, Compress: true,
		Fallback: "index.html", NotFound: "no.html", Reload: true, MaxConns: 7,
	}
	if err != nil || name != "docs" || !reflect.DeepEqual(config, want) {
		t.Errorf("%q, %+v, %v", name, config, err)
	}
	config = fileserver.Config{}
	if name, err := applyOptions("", &config); err != nil || name != "" || config.Listing != fileserver.ListPlain {
		t.Errorf("without options: %q, %+v, %v", name, config, err)
	}
	for _, text := range []string{
		"x", "[]", `{"nam": "x"}`, `{"name": 1}`, `{} {}`, `{"listing": "all"}`, `{"max_age": -1}`, `{"max_age": 1e300}`,
		`{"hosts": "a"}`, `{"name": "` + strings.Repeat("a", maxOptions) + `"}`,
	} {
		if _, err := applyOptions(text, &config); rgoipc.CodeOf(err) != rgoipc.CodeInvalidArgument {
			t.Errorf("%.40s: %v", text, err)
		}
	}
}

// R's own sites have further functions.
func TestSiteFunctions(t *testing.T) {
	t.Setenv(siteVariable, "1")
	sock := servertest.Dial(t, servertest.Run(t, "."))
	var signatures map[string]any
	reply := servertest.Ask(t, sock, &rgoipc.RPCMessage{})
	if err := json.Unmarshal(reply.ArrowData, &signatures); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"startServer", "stopServer", "serverStatus", "stopNamed", "namedStatus", "siteStatus", "siteRequests", "protectFiles", "newCertificate"} {
		if signatures[name] == nil {
			t.Errorf("there is no function %s", name)
		}
	}
	addr, dir := column{"addr", text, `["127.0.0.1:0"]`}, served(t)
	options := func(value string) column {
		quoted, err := json.Marshal([]string{value})
		if err != nil {
			t.Fatal(err)
		}
		return column{"options", text, string(quoted)}
	}
	addresses := map[string]string{}
	for _, name := range []string{"", "docs"} {
		status, message := reportOf(t, ask(t, sock, "startServer", addr, dir, options(`{"name": "`+name+`", "hide_dots": true}`)))
		address, ok := strings.CutPrefix(message, "HTTP server started on ")
		if status != "ok" || !ok {
			t.Fatalf("%q: %q, %q", name, status, message)
		}
		addresses[name] = address
	}
	checkError(t, ask(t, sock, "startServer", addr, dir, options(`{"name": "docs"}`)), rgoipc.CodeHandler, "already running at "+addresses["docs"])
	checkError(t, ask(t, sock, "startServer", addr, dir, options(`{"nam": "docs"}`)), rgoipc.CodeInvalidArgument, "nam")
	checkReport(t, ask(t, sock, "serverStatus"), "status", "running at "+addresses[""])
	checkReport(t, ask(t, sock, "namedStatus", column{"name", text, `["docs"]`}), "status", "running at "+addresses["docs"])
	if body, _ := get(t, "http://"+addresses["docs"]+"/a.txt"); body != "hello" {
		t.Errorf("served %q", body)
	}
	for function, columns := range map[string][]column{
		"siteStatus": nil, "siteRequests": {{"n", arrowInt, `[10]`}}, "protectFiles": {{"files", text, `["/a", "/b"]`}},
		"newCertificate": {{"hosts", text, `["localhost"]`}, {"days", arrowDouble, `[1]`}},
	} {
		reply := ask(t, sock, function, columns...)
		if reply.Type != rgoipc.MsgTypeResult {
			t.Errorf("%s: %s", function, reply.ErrorMsg)
		}
	}
	checkReport(t, ask(t, sock, "stopNamed", column{"name", text, `["docs"]`}), "ok", "HTTP server stopped")
	checkReport(t, ask(t, sock, "stopNamed", column{"name", text, `["docs"]`}), "ok", "HTTP server was not running")
	checkReport(t, ask(t, sock, "serverStatus"), "status", "running at "+addresses[""])
	checkReport(t, ask(t, sock, "stopServer"), "ok", "HTTP server stopped")
}

func TestPrintable(t *testing.T) {
	for value, want := range map[string]string{"a": "a", "\xffb": `\xffb`, "é": "é", "\x00": `\x00`, "\ufffd": "\ufffd"} {
		if got := printable(value); got != want {
			t.Errorf("printable(%q) = %q", value, got)
		}
	}
}
