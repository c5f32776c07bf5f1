package fileserver

import (
	"errors"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"path"
	"strings"
)

// handler answers the requests.
type handler struct {
	config Config
	files  files
}

// newHandler returns the handler of a server, inside its log, its guard against
// panics and its patience.
func newHandler(config Config, root *os.Root) http.Handler {
	h := &handler{config: config, files: files{root: root, secrets: config.secrets()}}
	return logged(config, patient(h))
}

// methods are those that are answered.
const methods = "GET, HEAD, OPTIONS"

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.setHeaders(w.Header())
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		h.serve(w, r)
	case http.MethodOptions:
		w.Header().Set("Allow", methods)
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Allow", methods)
		http.Error(w, "405 method not allowed", http.StatusMethodNotAllowed)
	}
}

// setHeaders sets what every answer carries, whatever its status.
func (h *handler) setHeaders(header http.Header) {
	header.Set("X-Content-Type-Options", "nosniff")
	if h.config.CORS {
		header.Set("Access-Control-Allow-Origin", "*")
		header.Set("Access-Control-Allow-Methods", methods)
		header.Set("Access-Control-Allow-Headers",
			"Range, If-Range, If-None-Match, If-Modified-Since, Cache-Control, Content-Type, Authorization")
		header.Set("Access-Control-Expose-Headers",
			"Accept-Ranges, Content-Encoding, Content-Length, Content-Range, Content-Type, ETag, Last-Modified")
		header.Set("Access-Control-Max-Age", "600")
	}
	if h.config.COOP {
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Embedder-Policy", "require-corp")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
	}
}

// serve answers with a file, a directory, or the reason why not.
func (h *handler) serve(w http.ResponseWriter, r *http.Request) {
	name, ok := strings.CutPrefix(r.URL.Path, h.config.Prefix)
	if !ok {
		if r.URL.Path+"/" == h.config.Prefix {
			redirect(w, r, path.Base(r.URL.Path)+"/")
			return
		}
		notFound(w)
		return
	}
	isDir := name == "" || strings.HasSuffix(name, "/")
	file, err := h.files.open(strings.TrimSuffix(name, "/"))
	if err != nil {
		h.fail(w, err)
		return
	}
	defer file.Close()
	switch {
	case file.info.IsDir() && !isDir:
		redirect(w, r, path.Base(r.URL.Path)+"/")
	case file.info.IsDir():
		h.serveDir(w, r, file)
	case isDir:
		notFound(w)
	default:
		serveFile(w, r, file)
	}
}

// serveDir answers with the directory's index.html, or else with its list.
func (h *handler) serveDir(w http.ResponseWriter, r *http.Request, dir *openFile) {
	index, err := h.files.open(path.Join(dir.name, "index.html"))
	if err == nil {
		defer index.Close()
		if !index.info.IsDir() {
			serveFile(w, r, index)
			return
		}
	}
	entries, err := h.files.list(dir)
	if err != nil {
		h.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	writeListing(w, entries)
}

// serveFile answers with the file, or the part of it that is asked for.
func serveFile(w http.ResponseWriter, r *http.Request, file *openFile) {
	w.Header().Set("Content-Type", contentType(file.name))
	http.ServeContent(w, r, file.name, file.info.ModTime(), file.File)
}

// contentType goes by the name alone: what a file seems to hold is no reason
// to have a browser run it.
func contentType(name string) string {
	extension := strings.ToLower(path.Ext(name))
	if known, ok := contentTypes[extension]; ok {
		return known
	}
	if guess := mime.TypeByExtension(extension); guess != "" {
		return guess
	}
	return "application/octet-stream"
}

// contentTypes are those that must not depend on the tables of the machine.
var contentTypes = map[string]string{
	".arrow":   "application/vnd.apache.arrow.file",
	".arrows":  "application/vnd.apache.arrow.stream",
	".bam":     "application/octet-stream",
	".css":     "text/css; charset=utf-8",
	".csv":     "text/csv; charset=utf-8",
	".gz":      "application/gzip",
	".html":    "text/html; charset=utf-8",
	".js":      "text/javascript; charset=utf-8",
	".json":    "application/json",
	".md":      "text/markdown; charset=utf-8",
	".mjs":     "text/javascript; charset=utf-8",
	".parquet": "application/vnd.apache.parquet",
	".r":       "text/plain; charset=utf-8",
	".rmd":     "text/plain; charset=utf-8",
	".svg":     "image/svg+xml",
	".tsv":     "text/tab-separated-values; charset=utf-8",
	".txt":     "text/plain; charset=utf-8",
	".vcf":     "text/plain; charset=utf-8",
	".wasm":    "application/wasm",
}

// redirect sends the client to a name beside the one it asked for. The target
// is relative, so it leads to no other server.
func redirect(w http.ResponseWriter, r *http.Request, name string) {
	target := escapePath(name)
	if r.URL.RawQuery != "" {
		target += "?" + r.URL.RawQuery
	}
	w.Header().Set("Location", target)
	w.WriteHeader(http.StatusMovedPermanently)
}

func notFound(w http.ResponseWriter) {
	http.Error(w, "404 page not found", http.StatusNotFound)
}

// fail answers that a file cannot be had. Which of the reasons it is that it
// lies outside is nobody's business.
func (h *handler) fail(w http.ResponseWriter, err error) {
	if errors.Is(err, fs.ErrPermission) {
		http.Error(w, "403 forbidden", http.StatusForbidden)
		return
	}
	notFound(w)
}
