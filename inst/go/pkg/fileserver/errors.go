package fileserver

import (
	"fmt"
	"net/http"
	"strings"
)

// fail answers with an error. The hint, a sentence or nothing, says what the person in front of
// it can do.
func (h *Handler) fail(a *answer, r *http.Request, status int, hint string) {
	text := strings.ToLower(http.StatusText(status))
	if status == http.StatusNotFound {
		text = "page not found"
	}
	header := a.Header()
	header.Del("Content-Length")
	header.Del("Content-Encoding")
	addVary(header, "Accept")
	switch formOfError(r) {
	case asJSON:
		header.Set("Content-Type", "application/json")
		a.WriteHeader(status)
		fmt.Fprintln(a, jsonText(jsonError{status, text, hint}))
	case asPage:
		h.failPage(a, r, status, hint)
	default:
		header.Set("Content-Type", "text/plain; charset=utf-8")
		a.WriteHeader(status)
		message := fmt.Sprintf("%d %s", status, text)
		if hint != "" {
			message += ": " + hint
		}
		fmt.Fprintln(a, message)
	}
}

// errorTexts tell what happened, as a title and a sentence.
var errorTexts = map[int][2]string{
	http.StatusUnauthorized:                 {"Sign in", "This needs a token, or a user name and a password."},
	http.StatusForbidden:                    {"Access denied", "The server refused this request."},
	http.StatusNotFound:                     {"Nothing here", "There is no file or folder of this name."},
	http.StatusMethodNotAllowed:             {"Read only", "Files can be read here, and nothing else."},
	http.StatusRequestedRangeNotSatisfiable: {"Past the end", "The file does not have the part that was asked for."},
	http.StatusPreconditionFailed:           {"It has changed", "The file is not the one that was asked for."},
	http.StatusInternalServerError:          {"Something broke", "The server could not answer. Its log says why."},
	http.StatusServiceUnavailable:           {"Not now", "The server is busy. Try again in a moment."},
}

// failPage answers with an error as a page. It is the same whatever there is at the path.
func (h *Handler) failPage(a *answer, r *http.Request, status int, hint string) {
	texts, ok := errorTexts[status]
	if !ok {
		texts[0] = http.StatusText(status)
	}
	p, end := h.startPage(a, status, fmt.Sprintf("%d %s", status, http.StatusText(status)))
	defer end()
	p.add(`<div class="card error"><strong>`, fmt.Sprint(status), `</strong><h1>`, escapeText(texts[0]), "</h1>\n")
	if status == http.StatusNotFound {
		p.add(`<p><code>`, escapeText(r.URL.Path), "</code></p>\n")
	}
	p.add(`<p>`, escapeText(texts[1]), "</p>\n")
	if hint != "" {
		p.add(`<p>`, escapeText(strings.ToUpper(hint[:1])+hint[1:]), ".</p>\n")
	}
	if a.mount != nil {
		p.exits(a, r.URL.Path)
	} else if status == http.StatusNotFound && h.config.Listing != ListNone {
		p.entrances(h, r.URL.Path)
	}
	p.add("</div></main>\n")
}

// exits writes links to where there may be something: the folder of the path, and the top one.
func (p htmlPage) exits(a *answer, path string) {
	if a.status == http.StatusUnauthorized {
		return
	}
	name := strings.TrimSuffix(strings.TrimPrefix(mergeSlashes(path), a.mount.prefix), "/")
	if name == "" {
		return
	}
	p.add(`<nav><a href="`, toTop(path, a.mount.prefix), `">Top folder</a>`)
	if strings.Contains(name, "/") {
		above := "./"
		if strings.HasSuffix(path, "/") {
			above = "../"
		}
		p.add(`<a href="`, above, `">Folder above</a>`)
	}
	p.add("</nav>\n")
}

// entrances writes links to the directories that are served, from a path at which there is none.
func (p htmlPage) entrances(h *Handler, path string) {
	p.add("<nav>")
	for _, m := range h.mounts {
		prefix := strings.Trim(m.prefix, "/")
		p.add(`<a href="`, toTop(path, "/"), escapeText(escapePath(prefix)), `/">`, escapeText(prefix), `/</a>`)
	}
	p.add("</nav>\n")
}
