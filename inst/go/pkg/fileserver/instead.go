package fileserver

import (
	"cmp"
	"net/http"
	"path"
	"strings"
)

// notFoundName is the page for what does not exist, unless another is configured.
const notFoundName = "404.html"

// serveInstead answers with the fallback or the page for what does not exist, if there is one.
func (h *Handler) serveInstead(a *answer, r *http.Request, name string) bool {
	if h.config.Fallback != "" && !strings.Contains(path.Base(name), ".") {
		addVary(a.Header(), "Accept")
		if html, _ := accepts(r); html > 0 && h.serveFallback(a, r) {
			return true
		}
	}
	f, err := a.mount.root.open(cmp.Or(h.config.NotFound, notFoundName))
	if err != nil {
		return false
	}
	defer f.Close()
	if !f.mode.IsRegular() || f.size > maxPage {
		return false
	}
	page, err := readAll(f)
	if err != nil {
		return false
	}
	a.Header().Set("Content-Type", h.contentType(f.name))
	a.sendBytes(r, http.StatusNotFound, page)
	return true
}

// serveFallback answers with the fallback, if it is there.
func (h *Handler) serveFallback(a *answer, r *http.Request) bool {
	f, err := a.mount.root.open(h.config.Fallback)
	if err != nil {
		return false
	}
	defer f.Close()
	if !f.mode.IsRegular() {
		return false
	}
	h.serveFile(a, r, f)
	return true
}
