package fileserver

import (
	"bufio"
	"encoding/json"
	"io"
	"strings"
	"time"
)

// jsonFolder is a directory as JSON. Entries follow it one by one.
type jsonFolder struct {
	Path  string `json:"path"`
	Total int    `json:"total"`
	Page  int    `json:"page"`
	Pages int    `json:"pages"`
	Next  string `json:"next,omitempty"` // the address of the next page
}

type jsonEntry struct {
	Name     string     `json:"name"`
	Href     string     `json:"href"` // relative to the directory, right for names that are not UTF-8
	Type     string     `json:"type"` // "file" or "directory"
	Size     *int64     `json:"size,omitempty"`
	Modified *time.Time `json:"modified,omitempty"`
}

type jsonError struct {
	Status int    `json:"status"`
	Error  string `json:"error"`
	Hint   string `json:"hint,omitempty"`
}

// writeJSON writes a directory as JSON. Errors are ignored: the client has gone.
func writeJSON(w io.Writer, path string, f *folder) {
	out := bufio.NewWriterSize(w, writeSize)
	defer out.Flush()
	head := jsonFolder{Path: path, Total: f.total, Page: f.page, Pages: f.pages}
	if f.page < f.pages {
		head.Next = f.at(f.page + 1).json()
	}
	out.WriteString(strings.TrimSuffix(jsonText(head), "}") + `,"entries":[`)
	for i := range f.entries {
		e := &f.entries[i]
		row := jsonEntry{Name: strings.ToValidUTF8(e.name, "\uFFFD"), Href: e.href(), Type: "file"}
		if e.isDir {
			row.Type = "directory"
		}
		if e.known {
			modified := e.modified().UTC()
			row.Modified = &modified
			if !e.isDir {
				row.Size = &e.size
			}
		}
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString("\n" + jsonText(row))
	}
	out.WriteString("\n]}\n")
}

// jsonText returns a value as JSON. What is not UTF-8 in a text becomes U+FFFD.
func jsonText(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return "{}" // cannot be: the values are structs of texts and numbers
	}
	return string(text)
}
