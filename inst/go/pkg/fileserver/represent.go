package fileserver

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// representation is what is sent of a file: itself, a compressed file beside it, or bytes that were made of it.
type representation struct {
	*opened
	contentType string
	encoding    string // the content encoding, "" for none
	suffix      string // of the entity tag
	data        []byte // nil if it is the file itself
	varies      bool   // it depends on what encodings the client accepts
	sibling     *opened
}

func (rep *representation) close() {
	if rep.sibling != nil {
		rep.sibling.Close()
	}
}

// body returns the file that is sent.
func (rep *representation) body() *opened {
	if rep.sibling != nil {
		return rep.sibling
	}
	return rep.opened
}

func (rep *representation) length() int64 {
	if rep.data != nil {
		return int64(len(rep.data))
	}
	return rep.body().size
}

// ranged tells whether parts of it can be asked for.
func (rep *representation) ranged() bool { return rep.encoding == "" && rep.data == nil }

// maxPage is the largest page that is read whole: to get a script, or for another status.
const maxPage = 4 << 20

// represent chooses what is sent. A client that asks for a part gets it of the file itself: it
// reads here and there, and positions in a compressed file are of no use to it.
func (h *Handler) represent(a *answer, r *http.Request, f *opened) *representation {
	rep := &representation{opened: f, contentType: h.contentType(f.name)}
	if h.config.Reload && a.mount != nil && strings.HasPrefix(rep.contentType, "text/html") && f.size <= maxPage {
		if page, err := readAll(f); err == nil {
			rep.data, rep.suffix = withReload(r, a.mount, page), "-r"
		}
		return rep
	}
	if !compressible(rep.contentType) {
		return rep
	}
	rep.varies = true
	if _, ranged := r.Header["Range"]; ranged {
		return rep
	}
	accepted := acceptedEncodings(r.Header["Accept-Encoding"])
	if a.mount != nil {
		if h.chooseSibling(a.mount.root, rep, accepted) {
			return rep
		}
	}
	if h.config.Compress && accepted[gzipIndex] > 0 && f.size >= minCompress && f.size <= maxCompress {
		if data, err := h.compressed.get(f); err == nil {
			rep.data, rep.encoding, rep.suffix = data, "gzip", "-gzip"
		}
	}
	return rep
}

// chooseSibling finds a compressed file beside one, which must not be older.
func (h *Handler) chooseSibling(root *root, rep *representation, accepted qualities) bool {
	for {
		best := accepted.best()
		if best < 0 {
			return false
		}
		accepted[best] = 0
		sibling, err := root.open(rep.name + encodings[best].extension)
		if err != nil {
			continue
		}
		if !sibling.mode.IsRegular() || sibling.mtime < rep.mtime {
			sibling.Close()
			continue
		}
		rep.sibling, rep.encoding, rep.suffix = sibling, encodings[best].name, "-"+encodings[best].name
		return true
	}
}

// serveFile answers with the file, or the requested part of it.
func (h *Handler) serveFile(a *answer, r *http.Request, f *opened) {
	// A file that changes while it is read is read again, as long as nothing is sent.
	for range maxAttempts {
		if h.serveVersion(a, r, f) {
			return
		}
		m, err := f.stat()
		if err != nil {
			break
		}
		f.meta = m
		a.Header().Del("Content-Range")
	}
	h.fail(a, r, http.StatusServiceUnavailable, "the file keeps changing")
}

// serveVersion answers with a version of the file, or returns false if that has changed before anything was sent.
func (h *Handler) serveVersion(a *answer, r *http.Request, f *opened) bool {
	now := a.started
	if time.Duration(now.UnixNano()-f.changed()) < racyTime {
		now = time.Now()
	}
	rep := h.represent(a, r, f)
	defer rep.close()
	m := &rep.body().meta
	header := a.Header()
	tag := m.tag(now, rep.suffix)
	header["Etag"] = []string{tag}
	if date := m.lastModified(now); date != "" {
		header["Last-Modified"] = []string{date}
	}
	if rep.varies {
		addVary(header, "Accept-Encoding")
	}
	if status := precondition(r.Header, tag, m); status != 0 {
		if status == http.StatusPreconditionFailed {
			h.fail(a, r, status, "")
		} else {
			a.WriteHeader(status)
		}
		return true
	}
	header["Content-Type"] = []string{rep.contentType}
	if rep.encoding != "" {
		header["Content-Encoding"] = []string{rep.encoding}
	}
	size := rep.length()
	var parts []part
	if rep.ranged() {
		header["Accept-Ranges"] = acceptRanges
		if ranges := r.Header["Range"]; len(ranges) > 0 && rangeApplies(r.Header, tag) {
			var err error
			if parts, err = parseRange(ranges, size); err != nil {
				header.Del("Etag")
				header.Del("Last-Modified")
				header["Content-Range"] = []string{"bytes */" + strconv.FormatInt(size, 10)}
				h.fail(a, r, http.StatusRequestedRangeNotSatisfiable, "")
				return true
			}
		}
	}
	switch {
	case rep.data != nil:
		a.sendBytes(r, http.StatusOK, rep.data)
	case len(parts) > 1:
		a.sendParts(r, rep.body(), rep.contentType, parts)
	case len(parts) == 1:
		header["Content-Range"] = []string{parts[0].contentRange(size)}
		return a.sendFile(r, http.StatusPartialContent, rep.body(), parts[0])
	default:
		return a.sendFile(r, http.StatusOK, rep.body(), part{0, size})
	}
	return true
}

var acceptRanges = []string{"bytes"}

// addVary adds the name of a header to those that the answer depends on.
func addVary(header http.Header, name string) {
	for _, value := range header["Vary"] {
		if value == name {
			return
		}
	}
	header.Add("Vary", name)
}
