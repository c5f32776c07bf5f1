package fileserver

import (
	"context"
	"errors"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
)

// entry is a file or a directory in a list.
type entry struct {
	name  string
	isDir bool
	meta       // of what a link leads to
	known bool // meta is known: it is not of files that cannot be opened
}

// href returns the address of an entry, relative to the directory.
func (e *entry) href() string {
	if e.isDir {
		return escapePath(e.name + "/")
	}
	return escapePath(e.name)
}

func (e *entry) modified() time.Time { return time.Unix(0, e.mtime) }

// names are those in a directory, in one piece of memory: there may be a million.
type names struct {
	text []byte
	all  []span
}

// span is where a name is.
type span struct {
	start  int
	length uint16
	isDir  bool
}

func (n *names) add(name string, isDir bool) {
	n.all = append(double(n.all, 1), span{len(n.text), uint16(len(name)), isDir})
	n.text = append(double(n.text, len(name)), name...)
}

// double doubles a slice that has no room for n elements: append would grow a large one in more steps, each
// of which is garbage.
func double[T any](slice []T, n int) []T {
	if cap(slice)-len(slice) >= n {
		return slice
	}
	return slices.Grow(slice, max(len(slice), n, batch))
}

func (n *names) bytes(s span) []byte { return n.text[s.start : s.start+int(s.length)] }

// batch is the number of names that are read at a time.
const batch = 1024

// list returns the names in a directory that can be served, in no order. It asks nothing else of the disk,
// except where links lead to. Only the names that have the text in them are kept, in any case of letters.
func (r *root) list(ctx context.Context, dir *opened, text string) (*names, error) {
	found, std := new(names), dir.stdFile()
	text = strings.ToLower(text)
	for {
		children, err := std.ReadDir(batch)
		for _, child := range children {
			name := child.Name()
			if !strings.Contains(strings.ToLower(name), text) {
				continue
			}
			if isDir, ok := r.visible(dir, name, child.Type()); ok {
				found.add(name, isDir)
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return found, nil
		case err != nil:
			return nil, err
		case ctx.Err() != nil:
			return nil, ctx.Err()
		}
	}
}

// entries returns the entries from lo to hi, with what is known of them.
func (r *root) entries(dir *opened, found *names, lo, hi int) []entry {
	entries := make([]entry, 0, hi-lo)
	for _, s := range found.all[lo:hi] {
		e := entry{name: string(found.bytes(s)), isDir: s.isDir}
		if m, err := r.stat(path.Join(dir.name, e.name)); err == nil {
			e.meta, e.known = m, true
		}
		entries = append(entries, e)
	}
	return entries
}

// The keys by which a list is sorted.
const (
	byName = "name"
	bySize = "size"
	byTime = "time"
	byType = "type"
)

const (
	pageSize  = 1000   // entries on a page
	maxStat   = 10_000 // entries that are sorted by size or time, which takes a look at each
	maxFilter = 255    // bytes of a text to look for: no name is longer
)

// view says which entries of a directory are shown, and in which order.
type view struct {
	sort   string
	down   bool // the largest first
	page   int  // from 1 on
	filter string
}

// folder is what is shown of a directory.
type folder struct {
	view
	entries  []entry
	total    int // all entries of the view
	pages    int
	unsorted bool   // there are too many entries to sort them by the key
	readme   string // the name of a file that tells about the directory
}

// look returns what a view shows of a directory. Directories come first.
func (r *root) look(ctx context.Context, dir *opened, v view) (*folder, error) {
	found, err := r.list(ctx, dir, v.filter)
	if err != nil {
		return nil, err
	}
	f := &folder{view: v, total: len(found.all), readme: found.readme()}
	f.pages = max(1, (f.total+pageSize-1)/pageSize)
	f.page = min(v.page, f.pages)
	lo := (f.page - 1) * pageSize
	hi := min(lo+pageSize, f.total)
	if v.sort == bySize || v.sort == byTime {
		if f.total <= maxStat {
			f.entries = r.entries(dir, found, 0, f.total)
			slices.SortFunc(f.entries, v.compareEntries)
			f.entries = slices.Clone(f.entries[lo:hi])
			return f, nil
		}
		f.sort, f.down, f.unsorted = byName, false, true
	}
	sortPart(found.all, lo, hi, func(a, b span) int { return f.compareNames(found, a, b) })
	f.entries = r.entries(dir, found, lo, hi)
	return f, nil
}

// serveDir answers with a list of the directory.
func (h *Handler) serveDir(a *answer, r *http.Request, m *mount, dir *opened) {
	form := h.formOf(r)
	if form == asNothing {
		h.fail(a, r, http.StatusNotFound, "")
		return
	}
	header := a.Header()
	addVary(header, "Accept")
	if form == asPlain {
		found, err := m.root.list(r.Context(), dir, "")
		if err != nil {
			h.failOpen(a, r, dir.name, err)
			return
		}
		header.Set("Content-Type", "text/html; charset=utf-8")
		if r.Method != http.MethodHead {
			writeListing(a, found)
		}
		return
	}
	f, err := m.root.look(r.Context(), dir, viewOf(r.URL.Query()))
	if err != nil {
		h.failOpen(a, r, dir.name, err)
		return
	}
	if form == asJSON {
		header.Set("Content-Type", "application/json")
		if r.Method != http.MethodHead {
			writeJSON(a, r.URL.Path, f)
		}
		return
	}
	h.servePage(a, r, m, dir, f)
}
