package fileserver

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// A small file that changes between its opening and its reading is answered with its new version.
func TestSmallFilesThatChange(t *testing.T) {
	for name, text := range map[string]string{"shorter": "new", "as long": "abcdefghij", "longer": "a longer text", "empty": ""} {
		for _, header := range []string{"", "bytes=0-1"} {
			t.Run(name+header, func(t *testing.T) {
				dir, _ := site(t)
				h, err := New(Config{Dir: dir})
				if err != nil {
					t.Fatal(err)
				}
				defer h.Close()
				f, err := h.mounts[0].root.open("a.txt")
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				f.mtime-- // as if the change came within the tick of a clock
				if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				w := httptest.NewRecorder()
				r := httptest.NewRequest(http.MethodGet, "/a.txt", nil)
				want, status := text, 200
				if header != "" {
					r.Header.Set("Range", header)
					if text != "" {
						want, status = text[:2], 206
					}
				}
				h.respond = func(a *answer, r *http.Request) { h.serveFile(a, r, f) }
				h.ServeHTTP(w, r)
				if w.Code != status || w.Body.String() != want || status == 200 && w.Header().Get("Content-Range") != "" {
					t.Errorf("%d %q %v", w.Code, w.Body.String(), w.Header())
				}
			})
		}
	}
}

// Without a free buffer answers are the same.
func TestWithoutBuffers(t *testing.T) {
	dir, _ := site(t)
	text := strings.Repeat("0123456789", 6000)
	write(t, filepath.Join(dir, "medium.bin"), text)
	server := start(t, Config{Dir: dir})
	var taken []*buffer
	for {
		b := buffers.take()
		if b == nil {
			break
		}
		taken = append(taken, b)
	}
	if len(taken) != int(buffers.most) {
		t.Errorf("%d buffers", len(taken))
	}
	defer func() {
		for _, b := range taken {
			buffers.give(b)
		}
		if b := buffers.take(); b == nil {
			t.Error("none is free again")
		} else {
			buffers.give(b)
		}
	}()
	for header, want := range map[string]string{"": text, "Range: bytes=5-50004": text[5:50005], "Range: bytes=0-1": "01"} {
		if _, _, body := raw(t, server, "GET", "/medium.bin", header); body != want {
			t.Errorf("%q: %d bytes", header, len(body))
		}
	}
	if status, header, body := raw(t, server, "GET", "/medium.bin", "Range: bytes=0-9999,20000-29999"); status != 206 ||
		strconv.Itoa(len(body)) != header.Get("Content-Length") || strings.Count(body, text[:10000]) != 2 {
		t.Errorf("parts: %d %v", status, header)
	}
	if status, _, body := raw(t, server, "GET", "/empty.bin"); status != 200 || body != "" {
		t.Errorf("empty: %d %q", status, body)
	}
}

// What a person may not read is forbidden, and tells no more.
func TestForbidden(t *testing.T) {
	dir, _ := site(t)
	if err := os.Chmod(filepath.Join(dir, "a.txt"), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := os.ReadFile(filepath.Join(dir, "a.txt")); err == nil {
		t.Skip("this user may read everything")
	}
	if status, _, body := raw(t, start(t, Config{Dir: dir}), "GET", "/a.txt"); status != 403 || body != "403 forbidden\n" {
		t.Errorf("%d %q", status, body)
	}
}
