package fileserver

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

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

// No path, however it is written, gives access to a file outside or to a secret, or breaks the server.
func FuzzPath(f *testing.F) {
	for _, path := range []string{
		"a.txt", "sub/b c.csv", "../secret.txt", "sub/../../secret.txt", "escape", "updir/secret.txt", "\x00", "a.txt/", "//", ".", "home/",
		".env", ".git/config", "hidden.txt", "gitdir/config", "//.env", ".ENV", "sub/index.html", "a.txt.gz",
	} {
		f.Add(path)
	}
	top := f.TempDir()
	dir := filepath.Join(top, "site")
	if err := errors.Join(
		os.MkdirAll(filepath.Join(dir, "sub"), 0o755),
		os.MkdirAll(filepath.Join(dir, ".git"), 0o755),
		os.WriteFile(filepath.Join(top, "secret.txt"), []byte("TOP-SECRET"), 0o600),
		os.WriteFile(filepath.Join(dir, ".env"), []byte("TOP-SECRET"), 0o600),
		os.WriteFile(filepath.Join(dir, ".git", "config"), []byte("TOP-SECRET"), 0o600),
		os.WriteFile(filepath.Join(dir, "a.txt"), []byte("inside"), 0o600),
		os.Symlink(top, filepath.Join(dir, "updir")),
		os.Symlink("../secret.txt", filepath.Join(dir, "escape")),
		os.Symlink(".env", filepath.Join(dir, "hidden.txt")),
		os.Symlink(".git", filepath.Join(dir, "gitdir")),
		os.Symlink("../.env", filepath.Join(dir, "sub", "index.html")),
		os.Symlink(".env", filepath.Join(dir, "a.txt.gz")),
	); err != nil {
		f.Skip(err)
	}
	h, err := New(Config{Dir: dir, Compress: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = h.Close() })
	f.Fuzz(func(t *testing.T, path string) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, &http.Request{
			Method: http.MethodGet, URL: &url.URL{Path: "/" + path},
			Header: http.Header{"Accept-Encoding": {"gzip"}},
		})
		if w.Code >= 500 || strings.Contains(w.Body.String(), "TOP-SECRET") {
			t.Errorf("%q: %d %q", path, w.Code, w.Body.String())
		}
	})
}
