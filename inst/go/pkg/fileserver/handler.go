package fileserver

import (
	"errors"
	"io/fs"
	"net"
	"net/http"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

// Handler answers the requests for the directories of a [Config]. It is for programs
// that have an http.Server of their own; others use [Start].
type Handler struct {
	config  Config
	mounts  []*mount
	headers *headers
	hosts   *hosts
	auth    *auth // nil if anyone may read
	recent  recent
	reloads reloads

	answering  atomic.Int64 // the number of answers under way
	maxAnswers int64

	compressed compressedFiles
	respond    func(a *answer, r *http.Request) // route, but for tests

	mu      sync.Mutex // protects release
	release []func()   // what ends the protection of files
}

// mount is a directory that is served below a prefix.
type mount struct {
	prefix string
	root   *root
	counts counts
}

// New returns a handler for what config says. Of its fields, Addr and TLS are the business of the
// http.Server; MaxConns is the largest number of answers at a time.
func New(config Config) (*Handler, error) {
	if config.Addr == "" {
		config.Addr = "127.0.0.1:0"
	}
	config, err := config.check()
	if err != nil {
		return nil, err
	}
	host, _, err := net.SplitHostPort(config.Addr)
	if err != nil {
		return nil, err
	}
	ip := net.ParseIP(host)
	return newHandler(config, host == "localhost" || ip != nil && ip.IsLoopback())
}

// newHandler takes a configuration that is checked, and whether the server listens at a loopback address.
func newHandler(config Config, loopback bool) (*Handler, error) {
	h := &Handler{
		config:  config,
		headers: newHeaders(&config),
		hosts:   newHosts(config.Addr, loopback, config.Hosts),
		auth:    newAuth(config.Auth, config.TLS),
		// Over HTTP/1 there are no more than connections, but one of HTTP/2 takes many requests.
		maxAnswers: int64(config.maxConns()),
	}
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

// Close closes the directories. No request may be under way any more.
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
	header := a.Header()
	h.headers.begin(header, r)
	merged := mergeSlashes(r.URL.Path)
	m, name := h.mountOf(merged)
	a.mount = m
	defer h.answering.Add(-1)
	if h.answering.Add(1) > h.maxAnswers {
		header.Set("Retry-After", retryAfter)
		h.fail(a, r, http.StatusServiceUnavailable, "too many requests at a time")
		return
	}
	if !h.hosts.allow(r.Host) {
		h.fail(a, r, http.StatusForbidden, "this server does not go by that host name; `hosts` adds one")
		return
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodOptions:
		header.Set("Allow", methods)
		a.WriteHeader(http.StatusNoContent)
		return
	default:
		header.Set("Allow", methods)
		h.fail(a, r, http.StatusMethodNotAllowed, "")
		return
	}
	if h.auth != nil && !h.auth.allow(header, r) {
		header.Set("WWW-Authenticate", h.auth.challenge())
		h.fail(a, r, http.StatusUnauthorized, "")
		return
	}
	if h.isPrefix(merged) {
		h.redirect(a, r, path.Base(merged)+"/")
		return
	}
	h.serve(a, r, m, name)
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

// isPrefix tells whether a path is a prefix without its slash.
func (h *Handler) isPrefix(path string) bool {
	for _, m := range h.mounts {
		if len(path)+1 == len(m.prefix) && strings.HasPrefix(m.prefix, path) {
			return true
		}
	}
	return false
}

// serve answers with a file, a directory, or an error.
func (h *Handler) serve(a *answer, r *http.Request, m *mount, name string) {
	if m == nil {
		h.fail(a, r, http.StatusNotFound, "")
		return
	}
	if h.config.Reload && name == reloadName {
		h.serveReload(a, r, m)
		return
	}
	name, isDir := strings.CutSuffix(name, "/")
	f, err := m.root.open(name)
	if err != nil {
		h.failOpen(a, r, name, err)
		return
	}
	defer f.Close()
	switch {
	case f.mode.IsDir() && !isDir && name != "":
		h.redirect(a, r, path.Base(r.URL.Path)+"/")
	case f.mode.IsDir():
		h.serveIndex(a, r, m, f)
	case isDir:
		h.failOpen(a, r, name, fs.ErrNotExist)
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
	a.Header()["Cache-Control"] = h.headers.asked
	h.serveDir(a, r, m, dir)
}

// redirect sends the client to a name beside the one it requested. The target is relative,
// so that it cannot lead to another server.
func (h *Handler) redirect(a *answer, r *http.Request, name string) {
	target := escapePath(name)
	if r.URL.RawQuery != "" {
		target += "?" + r.URL.RawQuery
	}
	a.Header()["Cache-Control"] = h.headers.asked
	a.Header().Set("Location", target)
	a.WriteHeader(http.StatusMovedPermanently)
}

// failOpen answers that a file cannot be served. It does not reveal what there is outside of
// the directory, or what is hidden.
func (h *Handler) failOpen(a *answer, r *http.Request, name string, err error) {
	switch {
	case errors.Is(err, errMissing):
		h.fail(a, r, http.StatusNotFound, "the directory is not there at the moment")
	case errors.Is(err, fs.ErrPermission):
		h.fail(a, r, http.StatusForbidden, "")
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		h.fail(a, r, http.StatusServiceUnavailable, "too many files are open")
	default:
		if !h.serveInstead(a, r, name) {
			h.fail(a, r, http.StatusNotFound, "")
		}
	}
}
