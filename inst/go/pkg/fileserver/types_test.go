package fileserver

import (
	"testing"
)

func TestContentType(t *testing.T) {
	for name, want := range map[string]string{
		"index.html": "text/html; charset=utf-8", "a.R": "text/plain; charset=utf-8", "a.mjs": "text/javascript; charset=utf-8",
		"x.wasm": "application/wasm", "x.vcf.gz": "application/gzip", "x.bam": "application/octet-stream",
		"x.arrows": "application/vnd.apache.arrow.stream", "x.png": "image/png",
		"x": "application/octet-stream", "x.": "application/octet-stream", ".html": "text/html; charset=utf-8",
	} {
		if got := new(Handler).contentType(name); got != want {
			t.Errorf("contentType(%q) = %q, want %q", name, got, want)
		}
	}
}
