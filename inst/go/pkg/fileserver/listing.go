package fileserver

import (
	"bufio"
	"html"
	"io"
	"net/url"
)

// writeListing writes a page with a link to each entry. A client that is gone
// misses nothing.
func writeListing(w io.Writer, entries []string) {
	page := bufio.NewWriter(w)
	defer page.Flush()
	page.WriteString("<pre>\n")
	for _, entry := range entries {
		page.WriteString(`<a href="` + html.EscapeString(escapePath(entry)) + `">` + html.EscapeString(entry) + "</a>\n")
	}
	page.WriteString("</pre>\n")
}

// escapePath writes a name so that it is a path and nothing else: no scheme
// and no query.
func escapePath(name string) string { return (&url.URL{Path: name}).String() }
