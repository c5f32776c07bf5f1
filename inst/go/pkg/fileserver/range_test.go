package fileserver

import (
	"testing"
)

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
