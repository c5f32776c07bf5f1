package fileserver

import (
	"bufio"
	"html"
	"io"
	"net/url"
	"strings"
)

// writeListing writes a page with a link to each entry. A client that is gone
// misses nothing.
func writeListing(w io.Writer, entries []string) {
	page := bufio.NewWriter(w)
	defer page.Flush()
	page.WriteString("<pre>\n")
	for _, entry := range entries {
		page.WriteString(`<a href="` + html.EscapeString(escapePath(entry)) + `">` + escapeText(entry) + "</a>\n")
	}
	page.WriteString("</pre>\n")
}

// escapeText writes a name so that it is text, on one line.
func escapeText(name string) string {
	return strings.NewReplacer("\n", "&#10;", "\r", "&#13;").Replace(html.EscapeString(name))
}

// escapePath writes a name so that it is a path and nothing else: no scheme
// and no query.
func escapePath(name string) string { return (&url.URL{Path: name}).String() }
