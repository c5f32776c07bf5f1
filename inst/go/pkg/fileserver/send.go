package fileserver

import (
	"net/http"
	"time"
)

// serveFile answers with the file, or the requested part of it.
func (h *Handler) serveFile(a *answer, r *http.Request, f *opened) {
	a.Header().Set("Content-Type", h.contentType(f.name))
	http.ServeContent(a, r, f.name, time.Unix(0, f.mtime), f.stdFile())
}
