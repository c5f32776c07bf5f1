package fileserver

import "net/http"

// reloadName is the name, below each prefix, of the script that loads a page again, and of its stream of events.
const reloadName = ".mangoro/reload"

// serveReload answers with the script, or the stream of events.
func (h *Handler) serveReload(a *answer, r *http.Request, _ *mount) {
	h.fail(a, r, http.StatusNotFound, "")
}

// reloadTag returns the markup that loads the script.
func reloadTag(r *http.Request, m *mount) string { return "" }

// withReload returns a page with the script that loads it again.
func (h *Handler) withReload(html []byte) []byte { return html }
