package fileserver

import (
	"fmt"
	"net/http"
	"strings"
)

// fail answers with an error. The hint, a sentence or nothing, says what the person in front of
// it can do.
func (h *Handler) fail(a *answer, _ *http.Request, status int, hint string) {
	text := strings.ToLower(http.StatusText(status))
	if status == http.StatusNotFound {
		text = "page not found"
	}
	message := fmt.Sprintf("%d %s", status, text)
	if hint != "" {
		message += ": " + hint
	}
	http.Error(a, message, status)
}
