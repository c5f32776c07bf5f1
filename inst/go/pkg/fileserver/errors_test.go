package fileserver

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

// An error is a page, JSON or text, as the client asks.
func TestErrorForms(t *testing.T) {
	dir, _ := site(t)
	write(t, filepath.Join(dir, ".env"), "PASSWORD")
	server := start(t, Config{Dir: dir, Prefix: "data"})
	tests := []struct {
		method, target, accept string
		status                 int
		contentType            string
		parts                  []string
	}{
		{"GET", "/data/x", "", 404, "text/plain; charset=utf-8", []string{"404 page not found\n"}},
		{"GET", "/data/x", "*/*", 404, "text/plain; charset=utf-8", []string{"404 page not found\n"}},
		{"GET", "/data/x", "application/json", 404, "application/json", []string{`{"status":404,"error":"page not found"}` + "\n"}},
		{"GET", "/data/x", "text/html", 404, "text/html; charset=utf-8", []string{"<strong>404</strong>", "<code>/data/x</code>"}},
		{"GET", "/data/sub/x", "text/html", 404, "text/html; charset=utf-8", []string{`href="../">Top`, `href="./">Folder above`}},
		{"GET", "/data/sub/x/", "text/html", 404, "text/html; charset=utf-8", []string{`href="../../">Top`, `href="../">Folder above`}},
		{"GET", "/data/%3Cscript%3Ealert(1)%3C/script%3E", "text/html", 404, "text/html; charset=utf-8", []string{"&lt;script&gt;alert(1)&lt;/script&gt;"}},
		{"GET", "/elsewhere", "text/html", 404, "text/html; charset=utf-8", []string{"<strong>404</strong>", `<a href="./data/">data/</a>`}},
		{"GET", "/else/where", "text/html", 404, "text/html; charset=utf-8", []string{`<a href="../data/">data/</a>`}},
		{"POST", "/data/a.txt", "text/html", 405, "text/html; charset=utf-8", []string{"<strong>405</strong>"}},
		{"POST", "/data/a.txt", "", 405, "text/plain; charset=utf-8", []string{"405 method not allowed\n"}},
	}
	for _, tt := range tests {
		var headers []string
		if tt.accept != "" {
			headers = append(headers, "Accept: "+tt.accept)
		}
		status, header, body := raw(t, server, tt.method, tt.target, headers...)
		if status != tt.status || header.Get("Content-Type") != tt.contentType {
			t.Errorf("%s %s for %q: %d %s", tt.method, tt.target, tt.accept, status, header.Get("Content-Type"))
		}
		for _, part := range tt.parts {
			if !strings.Contains(body, part) || !strings.HasPrefix(tt.contentType, "text/html") && body != part {
				t.Errorf("%s %s for %q: no %s in\n%s", tt.method, tt.target, tt.accept, part, body)
			}
		}
		if strings.HasPrefix(tt.contentType, "text/html") && (header.Get("Content-Security-Policy") == "" || strings.Contains(body, "<script>")) {
			t.Errorf("%s %s: the page is not safe", tt.method, tt.target)
		}
		if header.Get("Cache-Control") != "no-store" || header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s %s: %v", tt.method, tt.target, header)
		}
	}
}

// The way to the directories is shown, unless no names are.
func TestEntrances(t *testing.T) {
	dir, _ := site(t)
	mounts := []Mount{{Prefix: "a/b", Dir: dir}, {Prefix: "c:<d>", Dir: dir}}
	for mode, want := range map[ListMode]string{
		ListPage: `<nav><a href="./a/b/">a/b/</a><a href="././c:%3Cd%3E/">c:&lt;d&gt;/</a></nav>`,
		ListNone: "",
	} {
		server := start(t, Config{Mounts: mounts, Listing: mode})
		_, _, body := raw(t, server, "GET", "/", "Accept: text/html")
		if got := strings.Contains(body, "<nav>"); got != (want != "") || !strings.Contains(body, want) {
			t.Errorf("list mode %d:\n%s", mode, body)
		}
		status, _, _ := raw(t, server, "GET", "/c:%3Cd%3E/a.txt")
		if status != 200 {
			t.Errorf("status %d", status)
		}
	}
}

// A secret looks like nothing at all.
func TestSecretLooksMissing(t *testing.T) {
	dir, _ := site(t)
	write(t, filepath.Join(dir, ".env"), "PASSWORD")
	server := start(t, Config{Dir: dir})
	for _, accept := range []string{"*/*", "text/html", "application/json"} {
		_, header, body := raw(t, server, "GET", "/.env", "Accept: "+accept)
		_, other, want := raw(t, server, "GET", "/.foo", "Accept: "+accept)
		header.Del("Date")
		other.Del("Date")
		if strings.ReplaceAll(body, "/.env", "/.foo") != want || len(header) != len(other) {
			t.Errorf("%s: %v %q, want %v %q", accept, header, body, other, want)
		}
	}
}

// Each status has a page, with the hint.
func TestErrorPages(t *testing.T) {
	dir, _ := site(t)
	handler, err := New(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer handler.Close()
	for _, status := range []int{400, 401, 403, 404, 405, 412, 416, 421, 500, 503} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/x", nil)
		r.Header.Set("Accept", "text/html")
		handler.respond = func(a *answer, r *http.Request) { handler.fail(a, r, status, "add <it> to hosts") }
		handler.ServeHTTP(w, r)
		if body := w.Body.String(); w.Code != status || !strings.Contains(body, http.StatusText(status)+"</title>") || !strings.Contains(body, "Add &lt;it&gt; to hosts.") {
			t.Errorf("%d: %d\n%s", status, w.Code, body)
		}
	}
}
