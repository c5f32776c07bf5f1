package fileserver

import (
	"strings"
	"testing"
)

func TestHeadersOnEveryStatus(t *testing.T) {
	dir, _ := site(t)
	server := start(t, Config{Dir: dir, CORS: true, COOP: true})
	for _, request := range [][]string{
		{"GET", "/a.txt"},
		{"GET", "/"},
		{"GET", "/sub"},
		{"GET", "/missing"},
		{"POST", "/a.txt"},
		{"OPTIONS", "/a.txt", "Origin: https://igv.example", "Access-Control-Request-Method: GET"},
		{"GET", "/a.txt", "Range: bytes=50-"},
		{"GET", "/a.txt", "If-Modified-Since: Tue, 01 Jan 2999 00:00:00 GMT"},
	} {
		status, header, _ := raw(t, server, request[0], request[1], request[2:]...)
		for name, want := range map[string]string{
			"Access-Control-Allow-Origin":  "*",
			"Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
			"Cross-Origin-Opener-Policy":   "same-origin",
			"Cross-Origin-Embedder-Policy": "require-corp",
			"Cross-Origin-Resource-Policy": "same-origin",
			"X-Content-Type-Options":       "nosniff",
		} {
			if got := header.Get(name); got != want {
				t.Errorf("%v (%d): %s is %q", request, status, name, got)
			}
		}
		if header.Get("Access-Control-Allow-Credentials") != "" || !strings.Contains(header.Get("Access-Control-Expose-Headers"), "Content-Range") {
			t.Errorf("%v: %v", request, header)
		}
	}
}
