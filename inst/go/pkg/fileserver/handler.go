package fileserver

import (
	"errors"
	"io/fs"
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

func newHandler(config Config, root *os.Root) http.Handler {
	return wrapped(config, &handler{
		config: config,
		files:  files{root: root, secrets: newSecrets(config.CertFile, config.KeyFile)},
	})
}

// wrapped puts a handler inside its guard against panics, its patience and its log.
func wrapped(config Config, h http.Handler) http.Handler {
	return logged(config, patient(guarded(config, h)))
}

// methods are the HTTP methods that are answered.
const methods = "GET, HEAD, OPTIONS"

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setHeaders(w.Header(), h.config)
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

// serve answers with a file, a directory, or an error.
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
		fail(w, err)
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
		fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	writeListing(w, entries)
}

// serveFile answers with the file, or the requested part of it.
func serveFile(w http.ResponseWriter, r *http.Request, file *openFile) {
	w.Header().Set("Content-Type", contentType(file.name))
	http.ServeContent(w, r, file.name, file.info.ModTime(), file.File)
}

// redirect sends the client to a name beside the one it requested. The target is relative,
// so that it cannot lead to another server.
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

// fail answers that a file cannot be served. It does not reveal what there is outside of
// the directory.
func fail(w http.ResponseWriter, err error) {
	if errors.Is(err, fs.ErrPermission) {
		http.Error(w, "403 forbidden", http.StatusForbidden)
		return
	}
	notFound(w)
}
