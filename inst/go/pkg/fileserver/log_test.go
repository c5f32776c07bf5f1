package fileserver

import (
	"log"
	"regexp"
	"strings"
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

// A server that others can reach says so.
func TestPublicServersSaySo(t *testing.T) {
	dir, _ := site(t)
	for addr, want := range map[string]bool{"127.0.0.1:0": false, "localhost:0": false, "0.0.0.0:0": true, ":0": true} {
		var lines lockedBuffer
		start(t, Config{Addr: addr, Dir: dir, Log: log.New(&lines, "", 0)})
		if got := strings.Contains(lines.String(), "Anyone who can reach"); got != want {
			t.Errorf("%s: the log is\n%s", addr, lines.String())
		}
	}
}
