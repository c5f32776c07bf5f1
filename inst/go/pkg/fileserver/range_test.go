package fileserver

import (
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"mime/multipart"
	"path/filepath"
	"strings"
	"testing"
)

func TestRange(t *testing.T) {
	dir, _ := site(t)
	write(t, filepath.Join(dir, "a.txt.gz"), "compressed")
	many := "bytes=0-0" + strings.Repeat(",0-0", maxParts)
	tests := []struct {
		target, header string
		status         int
		body, content  string // Content-Range
	}{
		{"/a.txt", "bytes=0-3", 206, "0123", "bytes 0-3/10"},
		{"/a.txt", "BYTES=0-3", 206, "0123", "bytes 0-3/10"},
		{"/a.txt", "bytes=-3", 206, "789", "bytes 7-9/10"},
		{"/a.txt", "bytes=5-", 206, "56789", "bytes 5-9/10"},
		{"/a.txt", "bytes=8-20", 206, "89", "bytes 8-9/10"},
		{"/a.txt", "bytes=0-0", 206, "0", "bytes 0-0/10"},
		{"/a.txt", "bytes=-65536", 206, "0123456789", "bytes 0-9/10"},
		{"/a.txt", "bytes=0-4294967296", 206, "0123456789", "bytes 0-9/10"},
		{"/a.txt", "bytes=0-99999999999999999999", 206, "0123456789", "bytes 0-9/10"},
		{"/a.txt", "bytes=, 0-1 ,", 206, "01", "bytes 0-1/10"},
		{"/a.txt", "bytes=0-0,50-", 206, "0", "bytes 0-0/10"},
		{"/a.txt", "bytes=10-", 416, "", "bytes */10"},
		{"/a.txt", "bytes=50-,60-", 416, "", "bytes */10"},
		{"/a.txt", "bytes=99999999999999999999-", 416, "", "bytes */10"},
		{"/a.txt", "bytes=-0", 416, "", "bytes */10"},
		{"/a.txt", "bytes=3-1", 416, "", "bytes */10"},
		{"/a.txt", "bytes=a-b", 416, "", "bytes */10"},
		{"/a.txt", "bytes=1", 416, "", "bytes */10"},
		{"/a.txt", "bytes=-", 416, "", "bytes */10"},
		{"/a.txt", "bytes=--1", 416, "", "bytes */10"},
		{"/a.txt", "bytes=+1-2", 416, "", "bytes */10"},
		{"/a.txt", "bytes=", 416, "", "bytes */10"},
		{"/a.txt", "bits=0-1", 200, "0123456789", ""},
		{"/a.txt", "bytes 0-1", 200, "0123456789", ""},
		{"/a.txt", "0-1", 200, "0123456789", ""},
		{"/a.txt", "", 200, "0123456789", ""},
		{"/a.txt", "bytes=0-5,2-9", 200, "0123456789", ""},
		{"/a.txt", many, 200, "0123456789", ""},
		{"/a.txt", "bytes=0-1\r\nRange: bytes=2-3", 200, "0123456789", ""},
		{"/empty.bin", "bytes=0-", 200, "", ""},
		{"/empty.bin", "bytes=0-0", 200, "", ""},
		{"/empty.bin", "bytes=-1", 200, "", ""},
		{"/empty.bin", "bytes=-0", 416, "", "bytes */0"},
		{"/empty.bin", "bytes=1-", 416, "", "bytes */0"},
	}
	for _, compress := range []bool{false, true} {
		server := start(t, Config{Dir: dir, Compress: compress})
		for _, tt := range tests {
			t.Run(fmt.Sprint(compress, tt.target, tt.header[:min(len(tt.header), 40)]), func(t *testing.T) {
				for _, method := range []string{"GET", "HEAD"} {
					// Encodings make no difference where there is a range.
					status, header, body := raw(t, server, method, tt.target, "Range: "+tt.header, "Accept-Encoding: gzip, br")
					if status != tt.status || header.Get("Content-Range") != tt.content || header.Get("Content-Encoding") != "" {
						t.Errorf("%s: %d, %v, want %d, %s", method, status, header, tt.status, tt.content)
					}
					want := tt.body
					if method == "HEAD" {
						want = ""
					}
					if status != 416 && (body != want || header.Get("Content-Length") != fmt.Sprint(len(tt.body)) || header.Get("Accept-Ranges") != "bytes") {
						t.Errorf("%s: %q, %v", method, body, header)
					}
				}
			})
		}
	}
}

func TestSeveralRanges(t *testing.T) {
	dir, _ := site(t)
	server := start(t, Config{Dir: dir})
	status, header, body := raw(t, server, "GET", "/a.txt", "Range: bytes=0-1, -2 ,4-4")
	kind, parameters, err := mime.ParseMediaType(header.Get("Content-Type"))
	if status != 206 || err != nil || kind != "multipart/byteranges" || header.Get("Content-Length") != fmt.Sprint(len(body)) || header.Get("Content-Range") != "" {
		t.Fatalf("%d %v %v", status, header, err)
	}
	reader := multipart.NewReader(strings.NewReader(body), parameters["boundary"])
	for _, want := range [][2]string{{"bytes 0-1/10", "01"}, {"bytes 8-9/10", "89"}, {"bytes 4-4/10", "4"}} {
		next, err := reader.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(next)
		if err != nil || string(content) != want[1] || next.Header.Get("Content-Range") != want[0] || next.Header.Get("Content-Type") != plain {
			t.Errorf("%q %v %v", content, next.Header, err)
		}
	}
	if _, err := reader.NextPart(); err != io.EOF {
		t.Errorf("more parts: %v", err)
	}
	if status, _, body := raw(t, server, "HEAD", "/a.txt", "Range: bytes=0-1,4-4"); status != 206 || body != "" {
		t.Errorf("HEAD: %d %q", status, body)
	}
}

// What a range of positions gives is what a slice of the file gives.
func FuzzRange(f *testing.F) {
	for _, seed := range []string{"bytes=0-1", "bytes=-5", "bytes=3-", "bytes=0-0,5-6", "bytes=-0", "bytes=9-1", "bits=1-2", "bytes=,", "bytes=1-2-3"} {
		f.Add(seed, int64(rand.IntN(20)))
	}
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size < 0 {
			return
		}
		parts, err := parseRange([]string{header}, size)
		if err != nil && len(parts) > 0 {
			t.Errorf("%q: both parts and an error", header)
		}
		var sum int64
		for _, p := range parts {
			if p.start < 0 || p.length <= 0 || p.start > size-p.length {
				t.Errorf("%q of %d: %v", header, size, parts)
			}
			sum += p.length
		}
		if len(parts) > 1 && (sum > size || sum < 0) {
			t.Errorf("%q of %d: %v have more than the file", header, size, parts)
		}
	})
}
