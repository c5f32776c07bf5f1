package fileserver

import (
	"testing"
)

func TestContentType(t *testing.T) {
	for name, want := range map[string]string{
		"index.html": "text/html; charset=utf-8", "a.R": "text/plain; charset=utf-8", "a.mjs": "text/javascript; charset=utf-8",
		"x.wasm": "application/wasm", "x.vcf.gz": "application/gzip", "x.bam": "application/octet-stream",
		"x.sam": plain, "x.bed": plain, "x.GFF": plain, "x.gtf": plain, "x.fa": plain, "x.fai": plain, "x.qmd": plain,
		"x.ndjson": "application/x-ndjson", "x.feather": "application/vnd.apache.arrow.file", "x.pmtiles": "application/vnd.pmtiles",
		"a.b/x": "application/octet-stream", "x.vcf": plain, "x.tif": "image/tiff", "x.geojson": "application/geo+json",
		"x.arrows": "application/vnd.apache.arrow.stream", "x.png": "image/png",
		"x": "application/octet-stream", "x.": "application/octet-stream", ".html": "text/html; charset=utf-8",
	} {
		if got := new(Handler).contentType(name); got != want {
			t.Errorf("contentType(%q) = %q, want %q", name, got, want)
		}
	}
}
