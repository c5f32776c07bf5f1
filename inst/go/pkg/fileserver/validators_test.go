package fileserver

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// settle gives a file times that are long past, as far as that can be done, and waits until its tag is fixed.
func settle(t *testing.T, server *Server, target string) (tag string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		_, first, _ := raw(t, server, "HEAD", target)
		_, second, _ := raw(t, server, "HEAD", target)
		if tag := first.Get("Etag"); tag != "" && tag == second.Get("Etag") {
			return tag
		}
		if time.Now().After(deadline) {
			t.Fatal("the tag does not settle")
		}
	}
}

func TestPrecondition(t *testing.T) {
	changed := time.Date(2024, 5, 6, 7, 8, 9, 5e8, time.UTC)
	m := &meta{size: 10, mtime: changed.Add(-time.Hour).UnixNano(), ctime: changed.UnixNano(), id: fileID{1, 2}}
	tag := m.tag(changed.Add(time.Hour), "")
	date := func(d time.Duration) string { return changed.Add(d).Format(http.TimeFormat) }
	for _, tt := range []struct {
		header, value string
		status        int
	}{
		{"If-None-Match", tag, 304},
		{"If-None-Match", "W/" + tag, 304},
		{"If-None-Match", `"x", ` + tag, 304},
		{"If-None-Match", `"x,y",W/"z" , ` + tag, 304},
		{"If-None-Match", "*", 304},
		{"If-None-Match", `"x"`, 0},
		{"If-None-Match", strings.Trim(tag, `"`), 0},
		{"If-None-Match", `"`, 0},
		{"If-None-Match", "", 0},
		{"If-Match", tag, 0},
		{"If-Match", `"x", ` + tag, 0},
		{"If-Match", "*", 0},
		{"If-Match", "W/" + tag, 412},
		{"If-Match", `"x"`, 412},
		{"If-Match", "", 412},
		{"If-Modified-Since", date(-time.Second), 200},
		{"If-Modified-Since", date(0), 304},
		{"If-Modified-Since", date(time.Second), 304},
		{"If-Modified-Since", date(-time.Hour), 200}, // the date of the content, but the file is younger
		{"If-Modified-Since", "Tue, 01 Jan 2999 00:00:00 GMT", 304},
		{"If-Modified-Since", "yesterday", 200},
		{"If-Unmodified-Since", date(-time.Second), 412},
		{"If-Unmodified-Since", date(0), 200},
		{"If-Unmodified-Since", "yesterday", 200},
	} {
		want := tt.status
		if want == 200 {
			want = 0
		}
		if got := precondition(http.Header{tt.header: {tt.value}}, tag, m); got != want {
			t.Errorf("%s: %s gives %d, want %d", tt.header, tt.value, got, want)
		}
	}
	// A tag goes before a date.
	if got := precondition(http.Header{"If-None-Match": {`"x"`}, "If-Modified-Since": {date(time.Hour)}}, tag, m); got != 0 {
		t.Errorf("a date overrules a tag: %d", got)
	}
	if got := precondition(http.Header{"If-Match": {tag}, "If-Unmodified-Since": {date(-time.Hour)}}, tag, m); got != 0 {
		t.Errorf("a date overrules a tag: %d", got)
	}
	for value, want := range map[string]bool{
		tag: true, "W/" + tag: false, `"x"`: false, "": false, date(0): false, date(time.Hour): false, "*": false,
	} {
		if got := rangeApplies(http.Header{"If-Range": {value}}, tag); got != want {
			t.Errorf("If-Range: %s gives %v", value, got)
		}
	}
}

// A tag that is given while a file may change again within the same tick is never given again.
func TestRacyTags(t *testing.T) {
	now := time.Now()
	for _, tt := range []struct {
		name string
		m    meta
		racy bool
	}{
		{"old", meta{mtime: now.Add(-time.Hour).UnixNano(), ctime: now.Add(-time.Minute).UnixNano()}, false},
		{"changed now", meta{mtime: now.Add(-time.Hour).UnixNano(), ctime: now.UnixNano()}, true},
		{"changed in the future", meta{mtime: now.UnixNano(), ctime: now.Add(time.Hour).UnixNano()}, true},
		{"without ctime", meta{mtime: now.Add(-time.Second).UnixNano()}, true},
		{"without ctime, old", meta{mtime: now.Add(-time.Minute).UnixNano()}, false},
	} {
		first, second := tt.m.tag(now, ""), tt.m.tag(now, "")
		if got := first != second; got != tt.racy {
			t.Errorf("%s: racy is %v", tt.name, got)
		}
	}
}

func TestConditionalRequests(t *testing.T) {
	dir, _ := site(t)
	server := start(t, Config{Dir: dir})
	tag := settle(t, server, "/a.txt")
	for _, tt := range []struct {
		headers []string
		status  int
		body    string
	}{
		{[]string{"If-None-Match: " + tag}, 304, ""},
		{[]string{"If-None-Match: " + tag, "Range: bytes=0-1"}, 304, ""},
		{[]string{`If-None-Match: "x"`}, 200, "0123456789"},
		{[]string{`If-Match: "x"`}, 412, "412 precondition failed\n"},
		{[]string{"If-Match: " + tag, "Range: bytes=0-1"}, 206, "01"},
		{[]string{"If-Range: " + tag, "Range: bytes=0-1"}, 206, "01"},
		{[]string{`If-Range: "x"`, "Range: bytes=0-1"}, 200, "0123456789"},
		{[]string{"If-Range: ", "Range: bytes=0-1"}, 200, "0123456789"},
		{[]string{"If-Range: Tue, 01 Jan 2999 00:00:00 GMT", "Range: bytes=0-1"}, 200, "0123456789"},
		{[]string{"If-Range: " + tag}, 200, "0123456789"},
		{[]string{"If-Modified-Since: Tue, 01 Jan 2999 00:00:00 GMT"}, 304, ""},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			status, header, body := raw(t, server, method, "/a.txt", tt.headers...)
			if status != tt.status || body != tt.body && method == "GET" {
				t.Errorf("%s %q: %d %q", method, tt.headers, status, body)
			}
			want := "no-cache"
			if status >= 400 {
				want = "no-store"
			}
			if header.Get("Etag") != tag || header.Get("Cache-Control") != want {
				t.Errorf("%s %q: %v", method, tt.headers, header)
			}
			if status == 304 && (header.Get("Content-Length") != "" || header.Get("Content-Type") != "" || header.Get("Vary") != "Accept-Encoding") {
				t.Errorf("%s %q: %v", method, tt.headers, header)
			}
		}
	}
}

// Whatever is done to a file, a client that has its old version is told of the new one.
func TestChangesAreSeen(t *testing.T) {
	old := time.Unix(1.7e9, 0)
	for name, change := range map[string]func(file string) error{
		"in place, with the time stamp back": func(file string) error {
			if err := os.WriteFile(file, []byte("abcdefghij"), 0o600); err != nil {
				return err
			}
			return os.Chtimes(file, old, old)
		},
		"an older time stamp": func(file string) error { return os.Chtimes(file, old.Add(-time.Hour), old.Add(-time.Hour)) },
		"another renamed over it": func(file string) error {
			other := file + ".new"
			if err := os.WriteFile(other, []byte("abcdefghij"), 0o600); err != nil {
				return err
			}
			if err := os.Chtimes(other, old, old); err != nil {
				return err
			}
			return os.Rename(other, file)
		},
		"a longer one": func(file string) error { return os.WriteFile(file, []byte("0123456789a"), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			dir, _ := site(t)
			file := filepath.Join(dir, "a.txt")
			if err := os.Chtimes(file, old, old); err != nil {
				t.Fatal(err)
			}
			server := start(t, Config{Dir: dir})
			tag := settle(t, server, "/a.txt")
			if err := change(file); err != nil {
				t.Fatal(err)
			}
			for _, headers := range [][]string{
				{"If-None-Match: " + tag},
				{"If-Range: " + tag, "Range: bytes=5-"},
				{"If-Range: " + old.UTC().Format(http.TimeFormat), "Range: bytes=5-"},
				{"If-Modified-Since: " + old.UTC().Format(http.TimeFormat)},
			} {
				if status, _, _ := raw(t, server, "GET", "/a.txt", headers...); status != 200 {
					t.Errorf("%q: %d", headers, status)
				}
			}
			if status, _, _ := raw(t, server, "GET", "/a.txt", "If-Match: "+tag); status != 412 {
				t.Errorf("If-Match: %d", status)
			}
		})
	}
}

// A date is not given while a file may change within its second.
func TestLastModified(t *testing.T) {
	now := time.Now()
	m := meta{mtime: now.Add(-time.Hour).UnixNano(), ctime: now.Add(-time.Second).UnixNano()}
	if date := m.lastModified(now); date != "" {
		t.Errorf("a date for a file that has just changed: %s", date)
	}
	if date := m.lastModified(now.Add(time.Minute)); date != now.Add(-time.Hour).UTC().Format(http.TimeFormat) {
		t.Errorf("%s", date)
	}
}
