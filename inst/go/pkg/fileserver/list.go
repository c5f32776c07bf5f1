package fileserver

import (
	"io/fs"
	"net/http"
	"slices"
	"strings"
)

// serveDir answers with a list of the directory.
func (h *Handler) serveDir(a *answer, r *http.Request, m *mount, dir *opened) {
	entries, err := m.root.list(dir)
	if err != nil {
		h.failOpen(a, r, dir.name, err)
		return
	}
	a.Header().Set("Content-Type", "text/html; charset=utf-8")
	if r.Method == http.MethodHead {
		return
	}
	writeListing(a, entries)
}

// list returns the names in a directory that can be served, sorted, with a
// slash after those of directories.
func (r *root) list(dir *opened) ([]string, error) {
	children, err := dir.stdFile().ReadDir(-1)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(children, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	var entries []string
	for _, child := range children {
		isDir, ok := r.visible(dir, child.Name(), child.Type())
		switch {
		case !ok:
		case isDir:
			entries = append(entries, child.Name()+"/")
		default:
			entries = append(entries, child.Name())
		}
	}
	return entries, nil
}
