package fileserver

import (
	"log"
	"regexp"
	"testing"
)

func TestLog(t *testing.T) {
	dir, _ := site(t)
	var lines lockedBuffer
	server := start(t, Config{Dir: dir, Prefix: "p", Log: log.New(&lines, "[mangoro server] ", 0)})
	raw(t, server, "GET", "/p/a.txt")
	raw(t, server, "GET", "/p/x%0a%1b[31mforged")
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := regexp.MustCompile(`^\[mangoro server\] Starting HTTP server on ` + regexp.QuoteMeta(server.Addr()) +
		` serving ` + regexp.QuoteMeta(dir) + ` at /p/
\[mangoro server\] GET /p/a.txt 127.0.0.1:\d+ [0-9.]+(ns|µs|ms|s)
\[mangoro server\] GET /p/x\\n\\x1b\[31mforged 127.0.0.1:\d+ [0-9.]+(ns|µs|ms|s)
\[mangoro server\] HTTP server stopped
$`)
	if !want.MatchString(lines.String()) {
		t.Errorf("the log is\n%s", lines.String())
	}
}
