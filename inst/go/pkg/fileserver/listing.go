package fileserver

import (
	"bufio"
	"html"
	"io"
	"net/url"
	"strings"
)

// writeListing writes a page with a link to each entry. Errors are ignored: the client has
// gone.
func writeListing(w io.Writer, entries []string) {
	page := bufio.NewWriter(w)
	defer page.Flush()
	page.WriteString("<pre>\n")
	for _, entry := range entries {
		page.WriteString(`<a href="` + html.EscapeString(escapePath(entry)) + `">` + escapeText(entry) + "</a>\n")
	}
	page.WriteString("</pre>\n")
}

// escapeText escapes a name as text on one line.
func escapeText(name string) string {
	return strings.NewReplacer("\n", "&#10;", "\r", "&#13;").Replace(html.EscapeString(name))
}

// escapePath escapes a name as a path, without scheme or query.
func escapePath(name string) string { return (&url.URL{Path: name}).String() }
