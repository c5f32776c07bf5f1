package fileserver

import (
	"cmp"
	"mime"
	"path"
	"strings"
)

// contentType returns the type that belongs to the name. It does not look at the content:
// a browser must not run a file because of what it seems to hold.
func (h *Handler) contentType(name string) string {
	extension := strings.ToLower(path.Ext(name))
	return cmp.Or(h.config.Types[extension], knownTypes[extension], mime.TypeByExtension(extension), "application/octet-stream")
}

// knownTypes are the types that must not depend on the tables of the machine.
var knownTypes = map[string]string{
	".arrow":   "application/vnd.apache.arrow.file",
	".arrows":  "application/vnd.apache.arrow.stream",
	".bam":     "application/octet-stream",
	".css":     "text/css; charset=utf-8",
	".csv":     "text/csv; charset=utf-8",
	".gz":      "application/gzip",
	".html":    "text/html; charset=utf-8",
	".js":      "text/javascript; charset=utf-8",
	".mjs":     "text/javascript; charset=utf-8",
	".json":    "application/json",
	".md":      "text/markdown; charset=utf-8",
	".parquet": "application/vnd.apache.parquet",
	".r":       "text/plain; charset=utf-8",
	".rmd":     "text/plain; charset=utf-8",
	".txt":     "text/plain; charset=utf-8",
	".vcf":     "text/plain; charset=utf-8",
	".svg":     "image/svg+xml",
	".tsv":     "text/tab-separated-values; charset=utf-8",
	".wasm":    "application/wasm",
}
