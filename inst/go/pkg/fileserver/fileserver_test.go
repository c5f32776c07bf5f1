package fileserver

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// site makes a directory to serve, with a file outside of it.
func site(t *testing.T) (dir, outside string) {
	t.Helper()
	top := t.TempDir()
	dir, outside = filepath.Join(top, "site"), filepath.Join(top, "secret.txt")
	write(t, outside, "secret")
	write(t, filepath.Join(dir, "a.txt"), "0123456789")
	write(t, filepath.Join(dir, "empty.bin"), "")
	write(t, filepath.Join(dir, ".Rbuildignore"), "dot")
	write(t, filepath.Join(dir, "..Rcheck", "log"), "log")
	write(t, filepath.Join(dir, "sub", "b c.csv"), "x")
	write(t, filepath.Join(dir, "home", "index.html"), "<h1>home</h1>")
	return dir, outside
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func start(t *testing.T, config Config) *Server {
	t.Helper()
	if config.Addr == "" {
		config.Addr = "127.0.0.1:0"
	}
	server, err := Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_ = server.Stop(ctx)
	})
	return server
}

// raw sends a request as it stands, which clients would clean up, and returns
// the status, the headers and the body.
func raw(t *testing.T, server *Server, method, target string, headers ...string) (int, http.Header, string) {
	t.Helper()
	conn, err := net.Dial("tcp", server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n",
		method, target, strings.Join(append(headers, ""), "\r\n"))
	answer, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(body)
}

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

func TestContentType(t *testing.T) {
	for name, want := range map[string]string{
		"index.html": "text/html; charset=utf-8", "a.R": "text/plain; charset=utf-8", "a.mjs": "text/javascript; charset=utf-8",
		"x.wasm": "application/wasm", "x.vcf.gz": "application/gzip", "x.bam": "application/octet-stream",
		"x.arrows": "application/vnd.apache.arrow.stream", "x.png": "image/png",
		"x": "application/octet-stream", "x.": "application/octet-stream", ".html": "text/html; charset=utf-8",
	} {
		if got := contentType(name); got != want {
			t.Errorf("contentType(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestRange(t *testing.T) {
	dir, _ := site(t)
	server := start(t, Config{Dir: dir})
	tests := []struct {
		target, header string
		status         int
		body           string
	}{
		{"/a.txt", "bytes=0-3", 206, "0123"},
		{"/a.txt", "bytes=-3", 206, "789"},
		{"/a.txt", "bytes=5-", 206, "56789"},
		{"/a.txt", "bytes=8-20", 206, "89"},
		{"/a.txt", "bytes=0-0", 206, "0"},
		{"/a.txt", "bytes=-65536", 206, "0123456789"},
		{"/a.txt", "bytes=10-", 416, "invalid range: failed to overlap\n"},
		{"/a.txt", "bytes=3-1", 416, "invalid range\n"},
		{"/a.txt", "bits=0-1", 416, "invalid range\n"},
		{"/empty.bin", "bytes=0-", 200, ""},
	}
	for _, tt := range tests {
		t.Run(tt.header, func(t *testing.T) {
			status, _, body := raw(t, server, "GET", tt.target, "Range: "+tt.header)
			if status != tt.status || body != tt.body {
				t.Errorf("%d %q, want %d %q", status, body, tt.status, tt.body)
			}
			headStatus, header, body := raw(t, server, "HEAD", tt.target, "Range: "+tt.header)
			if headStatus != tt.status || body != "" {
				t.Errorf("HEAD: %d %q", headStatus, body)
			}
			if tt.status == 206 && header.Get("Content-Range") == "" {
				t.Error("no Content-Range")
			}
		})
	}
	if status, _, _ := raw(t, server, "GET", "/a.txt", "If-Modified-Since: Tue, 01 Jan 2999 00:00:00 GMT"); status != 304 {
		t.Errorf("a file that has not changed is sent with status %d", status)
	}
}

func TestNothingFromOutside(t *testing.T) {
	dir, outside := site(t)
	link := func(target, name string) {
		t.Helper()
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Skip("no symbolic links here:", err)
		}
	}
	link("a.txt", "relative")
	link(filepath.Join(dir, "a.txt"), "absolute")
	link("sub", "subdir")
	link(outside, "escape")
	link("../secret.txt", "climb")
	link(filepath.Dir(dir), "updir")
	link("nowhere", "broken")
	link("circle", "circle")
	server := start(t, Config{Dir: dir})

	for target, want := range map[string]string{"/relative": "0123456789", "/absolute": "0123456789", "/subdir/b%20c.csv": "x"} {
		if status, _, body := raw(t, server, "GET", target); status != 200 || body != want {
			t.Errorf("%s, inside: %d %q", target, status, body)
		}
	}
	for _, target := range []string{
		"/escape", "/climb", "/updir", "/updir/", "/updir/secret.txt", "/broken", "/circle",
		"/../secret.txt", "/..%2fsecret.txt", "/%2e%2e/secret.txt", "/%2e%2e%2fsecret.txt", "/%252e%252e/secret.txt",
		"/sub/../../secret.txt", "/..\\secret.txt", "/..%5csecret.txt", "//secret.txt", "/./../secret.txt",
		"/a.txt%00", "/%00", "/" + outside, "/C:/secret.txt", "//evil.example/..", "/sub/..", "/.", "/..",
	} {
		status, _, body := raw(t, server, "GET", target)
		if status != 404 && status != 400 || strings.Contains(body, "secret\n") || body == "secret" {
			t.Errorf("GET %s: %d %q", target, status, body)
		}
	}
	_, _, listing := raw(t, server, "GET", "/")
	for _, name := range []string{"escape", "climb", "updir", "broken", "circle"} {
		if strings.Contains(listing, name) {
			t.Errorf("the listing shows %s", name)
		}
	}
	if !strings.Contains(listing, `<a href="subdir/">subdir/</a>`) {
		t.Errorf("the listing lacks a link that stays inside:\n%s", listing)
	}
}

func TestWindowsNames(t *testing.T) {
	for name, want := range map[string]bool{
		"": true, "a.txt": true, ".Rbuildignore": true, "..Rcheck/x": true, "a b": true,
		"a.txt:stream": false, "C:/x": false, `a\b`: false, "PROGRA~1": false, "a.": false, "a ": false, "a./b": false,
	} {
		if got := simpleWindowsName(name); got != want {
			t.Errorf("simpleWindowsName(%q) = %v", name, got)
		}
	}
}

func TestListing(t *testing.T) {
	dir, _ := site(t)
	names := []string{`<img src=x onerror=alert(1)>`, "a&b?c#d.txt", "sp ace", "quo\"te'"}
	if runtime.GOOS != "windows" {
		for _, name := range names {
			write(t, filepath.Join(dir, "sub", name), "")
		}
		write(t, filepath.Join(dir, "sub", "new\nline"), "")
	}
	server := start(t, Config{Dir: dir})
	_, header, body := raw(t, server, "GET", "/")
	const want = `<pre>
<a href="..Rcheck/">..Rcheck/</a>
<a href=".Rbuildignore">.Rbuildignore</a>
<a href="a.txt">a.txt</a>
<a href="empty.bin">empty.bin</a>
<a href="home/">home/</a>
<a href="sub/">sub/</a>
</pre>
`
	if body != want || header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("%s\n%s", header.Get("Content-Type"), body)
	}
	if runtime.GOOS == "windows" {
		return
	}
	_, _, body = raw(t, server, "GET", "/sub/")
	if strings.Contains(body, "<img") {
		t.Errorf("a name is markup:\n%s", body)
	}
	// Every link leads to its file.
	links := regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(body, -1)
	if len(links) != len(names)+2 {
		t.Fatalf("%d links in\n%s", len(links), body)
	}
	for _, link := range links {
		target := strings.NewReplacer("&amp;", "&", "&#39;", "'", "&#34;", `"`).Replace(link[1])
		if status, _, _ := raw(t, server, "GET", "/sub/"+strings.TrimPrefix(target, "./")); status != 200 {
			t.Errorf("the link %q has status %d", target, status)
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

func TestStartRefuses(t *testing.T) {
	dir, outside := site(t)
	cert, key := certificate(t, t.TempDir())
	_, otherKey := certificate(t, t.TempDir())
	taken := start(t, Config{Dir: dir})
	tests := []struct {
		name   string
		config Config
		want   string
	}{
		{"no address", Config{Dir: dir}, "not an address"},
		{"no port", Config{Addr: "127.0.0.1", Dir: dir}, "not an address"},
		{"port out of range", Config{Addr: "127.0.0.1:99999", Dir: dir}, "cannot listen at 127.0.0.1:99999"},
		{"address taken", Config{Addr: taken.Addr(), Dir: dir}, "address already in use"},
		{"no such directory", Config{Addr: "127.0.0.1:0", Dir: dir + "-"}, "no such file or directory; give a directory that exists"},
		{"a file", Config{Addr: "127.0.0.1:0", Dir: outside}, "it is not a directory"},
		{"no directory", Config{Addr: "127.0.0.1:0"}, "no directory to serve"},
		{"TLS without files", Config{Addr: "127.0.0.1:0", Dir: dir, TLS: true}, "TLS needs the PEM files"},
		{"TLS without a key", Config{Addr: "127.0.0.1:0", Dir: dir, TLS: true, CertFile: cert}, "give both"},
		{"no such certificate", Config{Addr: "127.0.0.1:0", Dir: dir, TLS: true, CertFile: dir + "/no.pem", KeyFile: key}, "no.pem"},
		{"no such key", Config{Addr: "127.0.0.1:0", Dir: dir, TLS: true, CertFile: cert, KeyFile: dir + "/no.pem"}, "no.pem"},
		{"another key", Config{Addr: "127.0.0.1:0", Dir: dir, TLS: true, CertFile: cert, KeyFile: otherKey}, "private key does not match"},
		{"no PEM", Config{Addr: "127.0.0.1:0", Dir: dir, TLS: true, CertFile: outside, KeyFile: outside}, "cannot use the certificate"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server, err := Start(t.Context(), tt.config)
			if err == nil {
				t.Fatal("started", server.URL())
			}
			if runtime.GOOS != "windows" && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestTLS(t *testing.T) {
	dir, _ := site(t)
	cert, key := certificate(t, filepath.Join(dir, ".certs"))
	var lines lockedBuffer
	server := start(t, Config{Dir: dir, TLS: true, CertFile: cert, KeyFile: key, Log: log.New(&lines, "", 0)})
	pool := x509.NewCertPool()
	pemCert, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	pool.AppendCertsFromPEM(pemCert)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	get := func(path string) (int, string, string) {
		t.Helper()
		answer, err := client.Get(strings.TrimSuffix(server.URL(), "/") + path)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, answer.Proto, string(body)
	}
	if status, proto, body := get("/a.txt"); status != 200 || proto != "HTTP/2.0" || body != "0123456789" {
		t.Errorf("%d %s %q", status, proto, body)
	}
	// The key in use is not served, by any name.
	if err := os.Link(key, filepath.Join(dir, "hardlink")); err == nil {
		if status, _, _ := get("/hardlink"); status != 404 {
			t.Errorf("the key is served by another name: %d", status)
		}
	}
	for _, path := range []string{"/.certs/key.pem", "/.certs/cert.pem"} {
		if status, _, _ := get(path); status != 404 {
			t.Errorf("%s: %d", path, status)
		}
	}
	if _, _, listing := get("/.certs/"); listing != "<pre>\n</pre>\n" {
		t.Errorf("the listing shows the key:\n%s", listing)
	}
	if !strings.HasPrefix(lines.String(), "Starting HTTPS server on "+server.Addr()+" serving "+dir+" at /\n") {
		t.Errorf("the log begins\n%s", lines.String())
	}
}

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

func TestStopDoesNotWaitForStalledDownloads(t *testing.T) {
	dir, _ := site(t)
	big, err := os.Create(filepath.Join(dir, "big"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(big.Truncate(1<<30), big.Close()); err != nil {
		t.Fatal(err)
	}
	server := start(t, Config{Dir: dir})
	conn, err := net.Dial("tcp", server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if _, err := conn.Read(make([]byte, 1)); err != nil { // the answer is under way
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := server.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Stop() = %v", err)
	}
	<-server.Done()
	if server.Err() != nil {
		t.Errorf("Err() = %v after a stop", server.Err())
	}
	if err := server.Stop(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the second Stop() = %v", err)
	}
}

func TestContextStops(t *testing.T) {
	dir, _ := site(t)
	ctx, cancel := context.WithCancel(t.Context())
	server, err := Start(ctx, Config{Addr: "127.0.0.1:0", Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	<-server.Done()
	if server.Err() != nil {
		t.Errorf("Err() = %v after the end of the context", server.Err())
	}
	// Another program may listen there by now.
	if answer, err := http.Get(server.URL() + "a.txt"); err == nil {
		defer answer.Body.Close()
		if body, _ := io.ReadAll(answer.Body); string(body) == "0123456789" {
			t.Error("the server still serves")
		}
	}
}

// A server that cannot accept connections any more ends, and says why.
func TestFailure(t *testing.T) {
	dir, _ := site(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	var lines lockedBuffer
	server := newServer(Config{Dir: dir, Log: log.New(&lines, "", 0)}, nil, root, listener.Addr().String())
	server.run(t.Context(), listener)
	<-server.Done()
	if err := server.Err(); !errors.Is(err, net.ErrClosed) || !strings.Contains(lines.String(), err.Error()) {
		t.Errorf("Err() = %v, the log is\n%s", err, lines.String())
	}
	if err := server.Stop(t.Context()); err != nil {
		t.Errorf("Stop() = %v of a server that has ended", err)
	}
}

// A panic is answered with an error, or aborts the answer that has begun.
func TestPanic(t *testing.T) {
	var lines lockedBuffer
	server := httptest.NewServer(wrapped(Config{Log: log.New(&lines, "", 0)}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "10")
		switch r.URL.Path {
		case "/header":
			w.WriteHeader(http.StatusOK)
		case "/announced":
			w.WriteHeader(http.StatusEarlyHints)
		case "/written":
			fmt.Fprint(w, "01234")
		case "/copied":
			if _, err := io.Copy(w, strings.NewReader("01234")); err != nil {
				t.Error(err)
			}
		}
		panic("oh\nno")
	})))
	defer server.Close()
	for path, begun := range map[string]bool{"/": false, "/announced": false, "/header": true, "/written": true, "/copied": true} {
		t.Run(path, func(t *testing.T) {
			answer, err := http.Get(server.URL + path)
			if begun && err != nil {
				return // broken off before anything was sent
			}
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			body, err := io.ReadAll(answer.Body)
			switch {
			case begun && err == nil:
				t.Errorf("the answer passes for complete: %d %q", answer.StatusCode, body)
			case !begun && (err != nil || answer.StatusCode != 500 || string(body) != "500 internal server error\n"):
				t.Errorf("%d %q, %v", answer.StatusCode, body, err)
			}
			if want := "panic while serving " + path + ": oh\\nno\ngoroutine "; !strings.Contains(lines.String(), want) {
				t.Errorf("the log lacks %q:\n%s", want, lines.String())
			}
		})
	}
}

// The body of a request is not needed: a request is answered even if its body never comes.
func TestBodiesAreNotWaitedFor(t *testing.T) {
	dir, _ := site(t)
	server := start(t, Config{Dir: dir})
	for method, want := range map[string]string{"GET": "200 OK", "OPTIONS": "204 No Content", "POST": "405 Method Not Allowed"} {
		for _, header := range []string{"Content-Length: 10", "Content-Length: 1000000000", "Transfer-Encoding: chunked"} {
			conn, err := net.Dial("tcp", server.Addr())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			fmt.Fprintf(conn, "%s /a.txt HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n", method, header)
			// The server closes the connection, and so the answer ends.
			answer, err := io.ReadAll(conn)
			if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 "+want) ||
				method == "GET" && !strings.HasSuffix(string(answer), "\r\n\r\n0123456789") {
				t.Errorf("%s with %s: %q, %v", method, header, answer, err)
			}
		}
	}
	if status, _, body := raw(t, server, "GET", "/a.txt", "Content-Length: 0"); status != 200 || body != "0123456789" {
		t.Errorf("%d %q", status, body)
	}
}

func TestStartAndStopLeaveNothing(t *testing.T) {
	dir, _ := site(t)
	before := runtime.NumGoroutine()
	for range 100 {
		server, err := Start(t.Context(), Config{Addr: "127.0.0.1:0", Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		raw(t, server, "GET", "/a.txt")
		if err := server.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	// What Stop has told to end may take a moment to do so.
	deadline := time.Now().Add(patience)
	for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
		runtime.Gosched()
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines before, %d after", before, after)
	}
}

// No path, however it is written, gives access to a file outside, or breaks the server.
func FuzzPath(f *testing.F) {
	for _, path := range []string{"a.txt", "sub/b c.csv", "../secret.txt", "sub/../../secret.txt", "escape", "updir/secret.txt", "\x00", "a.txt/", "//", ".", "home/"} {
		f.Add(path)
	}
	top := f.TempDir()
	dir := filepath.Join(top, "site")
	if err := errors.Join(
		os.MkdirAll(filepath.Join(dir, "sub"), 0o755),
		os.WriteFile(filepath.Join(top, "secret.txt"), []byte("secret"), 0o600),
		os.WriteFile(filepath.Join(dir, "a.txt"), []byte("inside"), 0o600),
		os.Symlink(top, filepath.Join(dir, "updir")),
		os.Symlink("../secret.txt", filepath.Join(dir, "escape")),
	); err != nil {
		f.Skip(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		f.Fatal(err)
	}
	h := newHandler(Config{Dir: dir, Prefix: "/"}, root)
	f.Fuzz(func(t *testing.T, path string) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, &http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/" + path}, Header: http.Header{}})
		if w.Code >= 500 || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%q: %d %q", path, w.Code, w.Body.String())
		}
	})
}

// lockedBuffer is a buffer for several goroutines.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

// certificate writes a certificate for 127.0.0.1 and its key.
func certificate(t *testing.T, dir string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:         true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	write(t, certFile, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})))
	write(t, keyFile, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	return certFile, keyFile
}
