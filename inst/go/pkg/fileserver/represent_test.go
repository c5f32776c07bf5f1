package fileserver

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAcceptedEncodings(t *testing.T) {
	for header, want := range map[string]qualities{
		"":                             {},
		"gzip":                         {0, 0, 1},
		"GZIP":                         {0, 0, 1},
		"x-gzip":                       {0, 0, 1},
		"gzip, br;q=0.5":               {0.5, 0, 1},
		"gzip;q=0":                     {},
		"*":                            {1, 1, 1},
		"*;q=0.1, br;q=0":              {0, 0.1, 0.1},
		"identity;q=0":                 {},
		"gzip;q=x, br;q=2, zstd;q=NaN": {},
		";;;,,,":                       {},
		"deflate, gzip;q=0.8, zstd":    {0, 1, 0.8},
	} {
		if got := acceptedEncodings([]string{header}); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}

func FuzzAcceptEncoding(f *testing.F) {
	f.Add("gzip, br;q=0.5")
	f.Add("*;q=0")
	f.Fuzz(func(t *testing.T, header string) {
		accepted := acceptedEncodings([]string{header})
		for _, quality := range accepted {
			if !(quality >= 0 && quality <= 1) {
				t.Errorf("%q: %v", header, accepted)
			}
		}
		if best := accepted.best(); best >= 0 && accepted[best] == 0 {
			t.Errorf("%q: %d is best of %v", header, best, accepted)
		}
	})
}

func TestVariants(t *testing.T) {
	dir, _ := site(t)
	text := strings.Repeat("var x = 1;\n", 1000)
	past := time.Now().Add(-time.Hour)
	file := func(name, content string, when time.Time) {
		t.Helper()
		write(t, filepath.Join(dir, name), content)
		if err := os.Chtimes(filepath.Join(dir, name), when, when); err != nil {
			t.Fatal(err)
		}
	}
	file("app.js", text, past)
	for _, extension := range []string{"br", "gz", "zst"} {
		file("app.js."+extension, extension, past)
		file("reads.bam."+extension, extension, past)
		file("old.js."+extension, extension, past.Add(-time.Second))
	}
	file("reads.bam", text, past)
	file("reads.vcf.gz", text, past)
	file("old.js", text, past)
	file("only.css", text, past)
	file("only.css.gz", "gz", past)
	file("tiny.css", "p {}", past)
	file("dir.js", text, past)
	file("dir.js.gz/x", "", past)
	file(".env.js", text, past)
	links := os.Symlink("../secret.txt", filepath.Join(dir, "tiny.css.gz")) == nil

	const identity = ""
	for _, tt := range []struct {
		target, accept string
		compress       bool
		encoding, body string
	}{
		{"/app.js", "", false, identity, text},
		{"/app.js", "gzip", false, "gzip", "gz"},
		{"/app.js", "br", false, "br", "br"},
		{"/app.js", "zstd", false, "zstd", "zst"},
		{"/app.js", "gzip, deflate, br, zstd", false, "br", "br"},
		{"/app.js", "gzip, br;q=0.1", false, "gzip", "gz"},
		{"/app.js", "*", false, "br", "br"},
		{"/app.js", "identity;q=0", false, identity, text},
		{"/app.js", "gzip", true, "gzip", "gz"},
		{"/app.js.gz", "gzip", true, identity, "gz"},
		{"/only.css", "br, gzip;q=0.5", false, "gzip", "gz"},
		{"/old.js", "gzip, br", false, identity, text},
		{"/old.js", "br", true, identity, text},
		{"/old.js", "gzip, br", true, "gzip", text},
		{"/dir.js", "gzip", false, identity, text},
		{"/reads.bam", "gzip, br", true, identity, text},
		{"/reads.vcf.gz", "gzip, br", true, identity, text},
		{"/tiny.css", "gzip", true, identity, "p {}"},
	} {
		if tt.target == "/tiny.css" && !links {
			continue
		}
		t.Run(fmt.Sprintf("%s %s %v", tt.target, tt.accept, tt.compress), func(t *testing.T) {
			server := start(t, Config{Dir: dir, Compress: tt.compress})
			status, header, body := raw(t, server, "GET", tt.target, "Accept-Encoding: "+tt.accept)
			if header.Get("Content-Encoding") != tt.encoding || status != 200 || header.Get("Content-Length") != fmt.Sprint(len(body)) {
				t.Fatalf("%d %v", status, header)
			}
			if tt.encoding == "gzip" && tt.body == text {
				r, err := gzip.NewReader(strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				plain, err := io.ReadAll(r)
				if err != nil {
					t.Fatal(err)
				}
				body = string(plain)
			}
			if body != tt.body {
				t.Errorf("%.20q", body)
			}
			varies := strings.HasSuffix(tt.target, "js") || strings.HasSuffix(tt.target, "css")
			if (header.Get("Vary") == "Accept-Encoding") != varies || (header.Get("Accept-Ranges") == "bytes") != (tt.encoding == identity) {
				t.Errorf("%v", header)
			}
			if header.Get("Content-Type") != server.handler.contentType(tt.target) {
				t.Errorf("%v", header)
			}
			// HEAD tells the same, and the tag is that of this representation alone.
			_, head, _ := raw(t, server, "HEAD", tt.target, "Accept-Encoding: "+tt.accept)
			if head.Get("Content-Length") != header.Get("Content-Length") || head.Get("Content-Encoding") != tt.encoding {
				t.Errorf("HEAD: %v", head)
			}
			tag := head.Get("Etag")
			deadline := time.Now().Add(patience)
			for time.Now().Before(deadline) {
				_, head, _ = raw(t, server, "HEAD", tt.target, "Accept-Encoding: "+tt.accept)
				if head.Get("Etag") == tag {
					break
				}
				tag = head.Get("Etag")
			}
			status, header, _ = raw(t, server, "GET", tt.target, "Accept-Encoding: "+tt.accept, "If-None-Match: "+tag)
			if status != 304 || (header.Get("Vary") == "Accept-Encoding") != varies {
				t.Errorf("304: %d %v", status, header)
			}
			if tt.encoding != identity {
				if status, _, _ := raw(t, server, "GET", tt.target, "If-None-Match: "+tag); status != 200 {
					t.Errorf("the tag of %s is that of the file itself", tt.encoding)
				}
			}
			// A part is one of the file itself.
			status, header, body = raw(t, server, "GET", tt.target, "Accept-Encoding: "+tt.accept, "Range: bytes=0-0", "If-Range: "+header.Get("Etag"))
			if header.Get("Content-Encoding") != "" || tt.encoding != identity && status != 200 || tt.encoding == identity && (status != 206 || len(body) != 1) {
				t.Errorf("a range: %d %v", status, header)
			}
		})
	}
}

// What is compressed is kept, up to a limit, and made anew for another version.
func TestCompressedFiles(t *testing.T) {
	var c compressedFiles
	file := filepath.Join(t.TempDir(), "a")
	write(t, file, strings.Repeat("a", 5000))
	r, err := newRoot(filepath.Dir(file), func(string) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	get := func() []byte {
		t.Helper()
		f, err := r.open("a")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		data, err := c.get(f)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	first := get()
	if again := get(); &again[0] != &first[0] {
		t.Error("it is compressed twice")
	}
	write(t, file, strings.Repeat("b", 6000))
	if bytes.Equal(get(), first) {
		t.Error("the old version is kept")
	}
	for i := range 100 {
		c.keep(compressedFile{version{name: fmt.Sprint(i)}, make([]byte, 1<<20)})
	}
	if c.bytes > maxCompressed || len(c.files) != c.order.Len() || len(c.files) != maxCompressed>>20 {
		t.Errorf("%d bytes, %d files, %d in order", c.bytes, len(c.files), c.order.Len())
	}
}

// While a file changes, what is sent of it is a version of it, or breaks off.
func TestChangedMeanwhile(t *testing.T) {
	const size = 4 << 20
	versions := [2]string{strings.Repeat("a", size), strings.Repeat("b", size)}
	for name, change := range map[string]func(file string) error{
		"rewritten": func(file string) error { return os.WriteFile(file, []byte(versions[1]), 0o600) },
		"in place": func(file string) error {
			f, err := os.OpenFile(file, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteString(versions[1])
			return errors.Join(err, f.Close())
		},
		"truncated": func(file string) error { return os.Truncate(file, size/2) },
		"grown": func(file string) error {
			f, err := os.OpenFile(file, os.O_WRONLY|os.O_APPEND, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteString("more")
			return errors.Join(err, f.Close())
		},
		"renamed over": func(file string) error {
			return errors.Join(os.WriteFile(file+".new", []byte(versions[1]), 0o600), os.Rename(file+".new", file))
		},
		"removed":     os.Remove,
		"a directory": func(file string) error { return errors.Join(os.Remove(file), os.Mkdir(file, 0o700)) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "big")
			write(t, file, versions[0])
			r, err := newRoot(dir, func(string) bool { return false })
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			f, err := r.open("big")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			var out changingWriter
			out.after = func() {
				if err := change(file); err != nil {
					t.Error(err)
				}
			}
			a := &answer{ResponseWriter: &out, headers: newHeaders(&Config{})}
			var aborted any
			func() {
				defer func() { aborted = recover() }()
				a.copyLarge(f, part{0, size})
			}()
			complete := out.Len() == size && (out.String() == versions[0] || out.String() == versions[1])
			if aborted == nil && !complete || aborted != nil && out.Len() >= size {
				t.Errorf("%d bytes, aborted: %v", out.Len(), aborted)
			}
			if lostName := name == "renamed over" || name == "removed" || name == "a directory"; lostName && aborted != nil {
				t.Error("a file that only lost its name is broken off")
			}
		})
	}
}

// changingWriter is an http.ResponseWriter that does something once a part of the body is written.
type changingWriter struct {
	bytes.Buffer
	after func()
}

func (w *changingWriter) Header() http.Header { return http.Header{} }
func (w *changingWriter) WriteHeader(int)     {}

func (w *changingWriter) Write(p []byte) (int, error) {
	n, err := w.Buffer.Write(p)
	if w.after != nil {
		w.after()
		w.after = nil
	}
	return n, err
}

// ReadFrom reads by pieces, as a connection does.
func (w *changingWriter) ReadFrom(src io.Reader) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{w}, src, make([]byte, 32<<10))
}
