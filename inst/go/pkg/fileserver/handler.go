package fileserver

import (
	"errors"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"syscall"
)

// Handler answers the requests for the directories of a [Config]. It is for programs
// that have an http.Server of their own; others use [Start].
type Handler struct {
	config  Config
	mounts  []*mount
	recent  recent
	reloads reloads
	respond func(a *answer, r *http.Request) // route, but for tests

	mu      sync.Mutex // protects release
	release []func()   // what ends the protection of files
}

// mount is a directory that is served below a prefix.
type mount struct {
	prefix string
	root   *root
	counts counts
}

// New returns a handler for what config says. Of its fields, Addr, TLS and MaxConns are the
// business of the http.Server.
func New(config Config) (*Handler, error) {
	if config.Addr == "" {
		config.Addr = "127.0.0.1:0"
	}
	config, err := config.check()
	if err != nil {
		return nil, err
	}
	return newHandler(config)
}

// newHandler takes a configuration that is checked.
func newHandler(config Config) (*Handler, error) {
	h := &Handler{config: config}
	h.respond = h.route
	h.Protect(config.CertFile, config.KeyFile)
	h.Protect(config.Protect...)
	for _, m := range config.Mounts {
		root, err := newRoot(m.Dir, h.config.hider(m.Prefix))
		if err != nil {
			_ = h.Close()
			return nil, err
		}
		h.mounts = append(h.mounts, &mount{prefix: m.Prefix, root: root})
	}
	return h, nil
}

// Protect keeps further files from being served, by any server of this process, until the handler is closed.
func (h *Handler) Protect(files ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, file := range files {
		if file != "" {
			h.release = append(h.release, inUse.add(file))
		}
	}
}

// Close closes the directories.
func (h *Handler) Close() error {
	h.reloads.close()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, release := range h.release {
		release()
	}
	h.release = nil
	var errs []error
	for _, m := range h.mounts {
		errs = append(errs, m.root.Close())
	}
	return errors.Join(errs...)
}

// methods are the HTTP methods that are answered.
const methods = "GET, HEAD, OPTIONS"

// route answers a request, or refuses it.
func (h *Handler) route(a *answer, r *http.Request) {
	h.setHeaders(a.Header(), r)
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		h.serve(a, r)
	case http.MethodOptions:
		a.Header().Set("Allow", methods)
		a.WriteHeader(http.StatusNoContent)
	default:
		a.Header().Set("Allow", methods)
		h.fail(a, r, http.StatusMethodNotAllowed, "")
	}
}

// mountOf returns the mount with the longest prefix of a path, and the rest of the path.
func (h *Handler) mountOf(path string) (found *mount, name string) {
	for _, m := range h.mounts {
		if rest, ok := strings.CutPrefix(path, m.prefix); ok && (found == nil || len(m.prefix) > len(found.prefix)) {
			found, name = m, rest
		}
	}
	return found, name
}

// serve answers with a file, a directory, or an error.
func (h *Handler) serve(a *answer, r *http.Request) {
	for _, m := range h.mounts {
		if len(r.URL.Path)+1 == len(m.prefix) && strings.HasPrefix(m.prefix, r.URL.Path) {
			redirect(a, r, path.Base(r.URL.Path)+"/")
			return
		}
	}
	m, name := h.mountOf(mergeSlashes(r.URL.Path))
	if m == nil {
		h.fail(a, r, http.StatusNotFound, "")
		return
	}
	a.mount = m
	if name == reloadName && h.config.Reload {
		h.serveReload(a, r, m)
		return
	}
	isDir := name == "" || strings.HasSuffix(name, "/")
	f, err := m.root.open(strings.TrimSuffix(name, "/"))
	if err != nil {
		h.failOpen(a, r, err)
		return
	}
	defer f.Close()
	switch {
	case f.mode.IsDir() && !isDir:
		redirect(a, r, path.Base(r.URL.Path)+"/")
	case f.mode.IsDir():
		h.serveIndex(a, r, m, f)
	case isDir:
		h.fail(a, r, http.StatusNotFound, "")
	default:
		h.serveFile(a, r, f)
	}
}

// serveIndex answers with the directory's index.html, or else with the directory.
func (h *Handler) serveIndex(a *answer, r *http.Request, m *mount, dir *opened) {
	index, err := m.root.open(path.Join(dir.name, "index.html"))
	if err == nil {
		defer index.Close()
		if !index.mode.IsDir() {
			h.serveFile(a, r, index)
			return
		}
	}
	h.serveDir(a, r, m, dir)
}

// redirect sends the client to a name beside the one it requested. The target is relative,
// so that it cannot lead to another server.
func redirect(a *answer, r *http.Request, name string) {
	target := escapePath(name)
	if r.URL.RawQuery != "" {
		target += "?" + r.URL.RawQuery
	}
	a.Header().Set("Location", target)
	a.WriteHeader(http.StatusMovedPermanently)
}

// failOpen answers that a file cannot be served. It does not reveal what there is outside of
// the directory.
func (h *Handler) failOpen(a *answer, r *http.Request, err error) {
	switch {
	case errors.Is(err, errMissing):
		h.fail(a, r, http.StatusNotFound, "the directory is not there at the moment")
	case errors.Is(err, fs.ErrPermission):
		h.fail(a, r, http.StatusForbidden, "")
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		h.fail(a, r, http.StatusServiceUnavailable, "too many files are open")
	default:
		h.fail(a, r, http.StatusNotFound, "")
	}
}
