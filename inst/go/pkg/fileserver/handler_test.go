package fileserver

import (
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestServe(t *testing.T) {
	dir, _ := site(t)
	server := start(t, Config{Dir: dir})
	tests := []struct {
		method, target string
		status         int
		contentType    string
		body           string
	}{
		{"GET", "/a.txt", 200, "text/plain; charset=utf-8", "0123456789"},
		{"HEAD", "/a.txt", 200, "text/plain; charset=utf-8", ""},
		{"GET", "/empty.bin", 200, "application/octet-stream", ""},
		{"GET", "/.Rbuildignore", 200, "application/octet-stream", "dot"},
		{"GET", "/sub/b%20c.csv", 200, "text/csv; charset=utf-8", "x"},
		{"GET", "/home/", 200, "text/html; charset=utf-8", "<h1>home</h1>"},
		{"GET", "/home/index.html", 200, "text/html; charset=utf-8", "<h1>home</h1>"},
		{"GET", "/missing", 404, "text/plain; charset=utf-8", "404 page not found\n"},
		{"GET", "/a.txt/", 404, "text/plain; charset=utf-8", "404 page not found\n"},
		{"GET", "/sub", 301, "", ""},
		{"OPTIONS", "/a.txt", 204, "", ""},
		{"POST", "/a.txt", 405, "text/plain; charset=utf-8", "405 method not allowed\n"},
		{"DELETE", "/a.txt", 405, "text/plain; charset=utf-8", "405 method not allowed\n"},
		{"PUT", "/new.txt", 405, "text/plain; charset=utf-8", "405 method not allowed\n"},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.target, func(t *testing.T) {
			status, header, body := raw(t, server, tt.method, tt.target)
			if status != tt.status || header.Get("Content-Type") != tt.contentType || body != tt.body {
				t.Errorf("%d %q %q, want %d %q %q", status, header.Get("Content-Type"), body, tt.status, tt.contentType, tt.body)
			}
			if header.Get("X-Content-Type-Options") != "nosniff" {
				t.Error("the content may be sniffed")
			}
			if allow := header.Get("Allow"); (status == 405 || status == 204) != (allow == methods) {
				t.Errorf("Allow: %q", allow)
			}
			if header.Get("Access-Control-Allow-Origin") != "" || header.Get("Cross-Origin-Opener-Policy") != "" {
				t.Error("headers that nobody asked for")
			}
		})
	}
}

// A directory without its slash is sent to the one with it, and nowhere else.
func TestRedirect(t *testing.T) {
	dir, _ := site(t)
	server := start(t, Config{Dir: dir})
	tests := map[string]string{
		"/sub":             "sub/",
		"/sub?a=b&c=%20d":  "sub/?a=b&c=%20d",
		"/..Rcheck?//evil": "..Rcheck/?//evil",
	}
	if runtime.GOOS != "windows" {
		write(t, filepath.Join(dir, "sub", "a:b", "x"), "")
		tests["/sub/a:b"] = "./a:b/"
	}
	for target, want := range tests {
		if status, header, _ := raw(t, server, "GET", target); status != 301 || header.Get("Location") != want {
			t.Errorf("GET %s: %d to %q, want %q", target, status, header.Get("Location"), want)
		}
	}
}

func TestPrefix(t *testing.T) {
	dir, _ := site(t)
	for _, prefix := range []string{"data", "/data", "/data/", "data/"} {
		server := start(t, Config{Dir: dir, Prefix: prefix})
		if want := "http://" + server.Addr() + "/data/"; server.URL() != want {
			t.Errorf("URL() = %s, want %s", server.URL(), want)
		}
		if status, _, body := raw(t, server, "GET", "/data/a.txt"); status != 200 || body != "0123456789" {
			t.Errorf("%q: %d %q", prefix, status, body)
		}
		if status, header, _ := raw(t, server, "GET", "/data"); status != 301 || header.Get("Location") != "data/" {
			t.Errorf("%q: GET /data: %d to %q", prefix, status, header.Get("Location"))
		}
		for _, target := range []string{"/a.txt", "/", "/database/a.txt", "/data/../a.txt"} {
			if status, _, _ := raw(t, server, "GET", target); status != 404 {
				t.Errorf("%q: GET %s: %d", prefix, target, status)
			}
		}
	}
	for _, prefix := range []string{"", "/", "//", "."} {
		if status, _, _ := raw(t, start(t, Config{Dir: dir, Prefix: prefix}), "GET", "/a.txt"); status != 200 {
			t.Errorf("prefix %q: %d", prefix, status)
		}
	}
	for _, prefix := range []string{"a{b", "a b", "{x...}"} {
		server := start(t, Config{Dir: dir, Prefix: prefix})
		target := strings.NewReplacer("{", "%7b", "}", "%7d", " ", "%20").Replace("/" + prefix + "/a.txt")
		if status, _, _ := raw(t, server, "GET", target); status != 200 {
			t.Errorf("prefix %q: %d", prefix, status)
		}
	}
}
