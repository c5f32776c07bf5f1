package fileserver

import (
	"bufio"
	"bytes"
	"html"
	"io"
	"net/url"
	"slices"
	"strings"
)

// writeListing writes nothing but a link to each name, with a slash after those of directories.
// Errors are ignored: the client has gone.
func writeListing(w io.Writer, found *names) {
	slices.SortFunc(found.all, func(a, b span) int { return bytes.Compare(found.bytes(a), found.bytes(b)) })
	page := bufio.NewWriterSize(w, writeSize)
	defer page.Flush()
	page.WriteString("<pre>\n")
	for _, s := range found.all {
		name := string(found.bytes(s))
		if s.isDir {
			name += "/"
		}
		page.WriteString(`<a href="` + escapeText(escapePath(name)) + `">` + escapeText(name) + "</a>\n")
	}
	page.WriteString("</pre>\n")
}

// writeSize is how much is written at a time.
const writeSize = 32 << 10

// textEscapes are for text on one line, and for the values of attributes.
var textEscapes = strings.NewReplacer("\n", "&#10;", "\r", "&#13;")

// escapeText escapes a name as text on one line. What is not UTF-8 in it cannot be shown.
func escapeText(name string) string {
	return textEscapes.Replace(html.EscapeString(strings.ToValidUTF8(name, "\uFFFD")))
}

// escapePath escapes a name as a path, without scheme or query. It may hold any bytes.
func escapePath(name string) string { return (&url.URL{Path: name}).String() }
