package fileserver

import (
	"mime"
	"path"
	"strings"
)

// contentType returns the type that belongs to the name. It does not look at the content:
// a browser must not run a file because of what it seems to hold.
func contentType(name string) string {
	extension := strings.ToLower(path.Ext(name))
	if known := knownType(extension); known != "" {
		return known
	}
	if guess := mime.TypeByExtension(extension); guess != "" {
		return guess
	}
	return "application/octet-stream"
}

// knownType returns the types that must not depend on the tables of the machine.
func knownType(extension string) string {
	switch extension {
	case ".arrow":
		return "application/vnd.apache.arrow.file"
	case ".arrows":
		return "application/vnd.apache.arrow.stream"
	case ".bam":
		return "application/octet-stream"
	case ".css":
		return "text/css; charset=utf-8"
	case ".csv":
		return "text/csv; charset=utf-8"
	case ".gz":
		return "application/gzip"
	case ".html":
		return "text/html; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".json":
		return "application/json"
	case ".md":
		return "text/markdown; charset=utf-8"
	case ".parquet":
		return "application/vnd.apache.parquet"
	case ".r", ".rmd", ".txt", ".vcf":
		return "text/plain; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".tsv":
		return "text/tab-separated-values; charset=utf-8"
	case ".wasm":
		return "application/wasm"
	}
	return ""
}
