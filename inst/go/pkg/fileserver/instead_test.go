package fileserver

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestFallbackAndNotFound(t *testing.T) {
	dir, _ := site(t)
	write(t, filepath.Join(dir, "index.html"), "<h1>app</h1>")
	write(t, filepath.Join(dir, "no.html"), "<h1>no</h1>")
	page := "Accept: text/html,*/*;q=0.8"
	fallback := start(t, Config{Dir: dir, Fallback: "/index.html"})
	notFound := start(t, Config{Dir: dir, NotFound: "no.html"})
	for _, tt := range []struct {
		server *Server
		target string
		accept string
		status int
		body   string
	}{
		{fallback, "/users/7", page, 200, "<h1>app</h1>"},
		{fallback, "/users/7/", page, 200, "<h1>app</h1>"},
		{fallback, "/missing.js", page, 404, ""},
		{fallback, "/users/7", "Accept: */*", 404, ""},
		{fallback, "/users/7", "Accept: text/html;q=0", 404, ""},
		{fallback, "/.git", page, 404, ""},
		{fallback, "/a.txt", page, 200, "0123456789"},
		{notFound, "/users/7", page, 404, "<h1>no</h1>"},
		{notFound, "/.git", "Accept: */*", 404, "<h1>no</h1>"},
		{notFound, "/a.txt", page, 200, "0123456789"},
	} {
		status, header, body := raw(t, tt.server, "GET", tt.target, tt.accept)
		if status != tt.status || tt.body != "" && body != tt.body {
			t.Errorf("%s, %s: %d %q", tt.target, tt.accept, status, body)
		}
		if varies := strings.Contains(strings.Join(header.Values("Vary"), ","), "Accept"); strings.HasSuffix(tt.target, "users/7") && tt.server == fallback && !varies {
			t.Errorf("%s, %s: %v", tt.target, tt.accept, header)
		}
		if status == 404 && (header.Get("Cache-Control") != "no-store" || header.Get("Etag") != "" || header.Get("Accept-Ranges") != "") {
			t.Errorf("%s: %v", tt.target, header)
		}
		if headStatus, head, body := raw(t, tt.server, "HEAD", tt.target, tt.accept); headStatus != status || body != "" || head.Get("Content-Length") != header.Get("Content-Length") {
			t.Errorf("HEAD %s: %d %q %v", tt.target, headStatus, body, head)
		}
	}
	write(t, filepath.Join(dir, "404.html"), "default")
	if status, header, body := raw(t, fallback, "GET", "/nothing.x"); status != 404 || body != "default" || header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("404.html: %d %q", status, body)
	}
}

func TestSlashes(t *testing.T) {
	dir, _ := site(t)
	server := start(t, Config{Dir: dir, Mounts: []Mount{{Prefix: "data", Dir: filepath.Join(dir, "sub")}}})
	for target, want := range map[string]int{
		"//a.txt": 200, "///a.txt": 200, "//sub//b%20c.csv": 200, "//": 200, "/sub//": 200, "//data//b%20c.csv": 200, "/data/": 200,
		"/data/a.txt": 404, "/database": 404, "/a.txt//": 404, "/%2fa.txt": 200, "/./a.txt": 404, "/sub/./": 404,
	} {
		if status, _, _ := raw(t, server, "GET", target); status != want {
			t.Errorf("GET %s: %d", target, status)
		}
	}
	for target, want := range map[string]string{"/data": "data/", "//data": "data/", "//evil.example": "", "//sub": "sub/", "//sub?x": "sub/?x"} {
		status, header, _ := raw(t, server, "GET", target)
		if header.Get("Location") != want || (status == 301) != (want != "") {
			t.Errorf("GET %s: %d %q", target, status, header.Get("Location"))
		}
	}
	if urls := server.URLs(); len(urls) != 2 || !strings.HasSuffix(urls[0], "/") || !strings.HasSuffix(urls[1], "/data/") {
		t.Errorf("%q", urls)
	}
}

// A name may hold any bytes.
func TestNamesThatAreNotUTF8(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("names are UTF-8 here")
	}
	dir, _ := site(t)
	write(t, filepath.Join(dir, "caf\xe9.txt"), "latin1")
	server := start(t, Config{Dir: dir})
	if status, _, body := raw(t, server, "GET", "/caf%e9.txt"); status != 200 || body != "latin1" {
		t.Errorf("%d %q", status, body)
	}
	if _, _, listing := raw(t, server, "GET", "/"); !strings.Contains(strings.ToLower(listing), `href="caf%e9.txt"`) {
		t.Errorf("%s", listing)
	}
}

func TestOwnHeaders(t *testing.T) {
	dir, _ := site(t)
	server := start(t, Config{
		Dir: dir, MaxAge: time.Hour, COOP: true, CORP: "cross-origin",
		Headers: map[string]string{"x-robots-tag": "noindex", "X-Content-Type-Options": "other"},
		Types:   map[string]string{".TXT": "text/x-mine", ".vcf.gz": "application/x-vcf"},
	})
	write(t, filepath.Join(dir, "x.vcf.gz"), "")
	write(t, filepath.Join(dir, "y.gz"), "")
	for target, status := range map[string]int{"/a.txt": 200, "/nothing": 404, "/sub": 301, "/": 200} {
		got, header, _ := raw(t, server, "GET", target)
		if got != status || header.Get("X-Robots-Tag") != "noindex" || header.Get("X-Content-Type-Options") != "other" || header.Get("Cross-Origin-Resource-Policy") != "cross-origin" {
			t.Errorf("%s: %d %v", target, got, header)
		}
	}
	// A list depends on more than its directory tells: it is never kept without asking.
	for _, target := range []string{"/", "/sub"} {
		if _, header, _ := raw(t, server, "GET", target); header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: %v", target, header)
		}
	}
	if _, header, _ := raw(t, server, "GET", "/a.txt"); header.Get("Cache-Control") != "max-age=3600" || header.Get("Content-Type") != "text/x-mine" {
		t.Errorf("%v", header)
	}
	for target, want := range map[string]string{"/x.vcf.gz": "application/x-vcf", "/y.gz": "application/gzip"} {
		if _, header, _ := raw(t, server, "GET", target); header.Get("Content-Type") != want {
			t.Errorf("%s: %v", target, header)
		}
	}
}

func TestStatsAndRequests(t *testing.T) {
	dir, _ := site(t)
	server := start(t, Config{Dir: dir, Mounts: []Mount{{Prefix: "data", Dir: filepath.Join(dir, "sub")}}})
	raw(t, server, "GET", "/a.txt?secret=1", "Range: bytes=0-3")
	raw(t, server, "HEAD", "/a.txt")
	raw(t, server, "GET", "/data/nothing%ff")
	raw(t, server, "POST", "/data/")
	stats := server.Stats()
	if len(stats) != 2 || stats[0].Prefix != "/" || stats[0].Dir != dir || stats[0].Requests != 2 || stats[0].Bytes != 4 || stats[0].Errors != 0 ||
		stats[1].Prefix != "/data/" || stats[1].Requests != 2 || stats[1].Missing {
		t.Errorf("%+v", stats)
	}
	requests := server.Requests(100)
	if len(requests) != 4 {
		t.Fatalf("%+v", requests)
	}
	if r := requests[0]; r.Method != "GET" || r.Path != "/a.txt" || r.Range != "bytes=0-3" || r.Status != 206 || r.Bytes != 4 || r.Time.IsZero() || r.Duration <= 0 || r.Client == "" {
		t.Errorf("%+v", r)
	}
	if last := server.Requests(1); len(last) != 1 || last[0].Status != 405 {
		t.Errorf("%+v", last)
	}
	if none := server.Requests(-1); len(none) != 0 {
		t.Errorf("%+v", none)
	}
	for range maxRequests + 5 {
		server.handler.recent.add(Request{Time: time.Now(), Status: 1})
	}
	if all := server.Requests(2 * maxRequests); len(all) != maxRequests || all[0].Status != 1 {
		t.Errorf("%d requests", len(all))
	}
}

func TestLargeFile(t *testing.T) {
	dir, _ := site(t)
	big, err := os.Create(filepath.Join(dir, "big.bin"))
	if err != nil {
		t.Fatal(err)
	}
	defer big.Close()
	const size = 5 << 30
	if err := big.Truncate(size); err != nil {
		t.Skip("no sparse files here:", err)
	}
	if _, err := big.WriteAt([]byte("end"), size-3); err != nil {
		t.Fatal(err)
	}
	if _, err := big.WriteAt([]byte("middle"), 1<<32-3); err != nil {
		t.Fatal(err)
	}
	server := start(t, Config{Dir: dir})
	for header, want := range map[string]string{"bytes=-3": "end", "bytes=4294967293-4294967298": "middle", "bytes=5368709117-": "end"} {
		if status, _, body := raw(t, server, "GET", "/big.bin", "Range: "+header); status != 206 || body != want {
			t.Errorf("%s: %d %q", header, status, body)
		}
	}
	if _, header, _ := raw(t, server, "HEAD", "/big.bin"); header.Get("Content-Length") != "5368709120" {
		t.Errorf("%v", header)
	}
}
