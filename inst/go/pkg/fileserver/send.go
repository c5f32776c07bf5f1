package fileserver

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

const (
	// heldBack is what is sent of a large part of a file only once that is known not to have changed meanwhile.
	heldBack = 1 << 10
	// partBuffer is what is read at a time when parts are sent and no buffer is free.
	partBuffer = 4 << 10
)

// errChanged tells that a file has changed while it was read.
var errChanged = errors.New("the file has changed meanwhile")

// sendBytes answers with bytes.
func (a *answer) sendBytes(r *http.Request, status int, data []byte) {
	a.Header()["Content-Length"] = []string{strconv.Itoa(len(data))}
	a.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = a.Write(data)
	}
}

// sendFile answers with a part of a file. It returns false, and has sent nothing, if the file is not
// what it was any more. If that shows once the answer has begun, the answer is broken off: a client must
// not take a mixture of two versions for a file.
func (a *answer) sendFile(r *http.Request, status int, f *opened, p part) bool {
	if r.Method == http.MethodHead {
		a.sendHead(status, p.length)
		return true
	}
	var data []byte
	switch {
	case p.length <= heldBack:
		data = make([]byte, p.length)
	case p.length <= maxBuffered:
		if b := buffers.take(); b != nil {
			defer buffers.give(b)
			data = b[:p.length]
		}
	}
	if data == nil {
		a.sendHead(status, p.length)
		a.copyLarge(f, p)
		return true
	}
	if f.readVersion(data, p.start) != nil {
		return false
	}
	a.sendHead(status, p.length)
	_, _ = a.Write(data)
	return true
}

func (a *answer) sendHead(status int, length int64) {
	a.Header()["Content-Length"] = []string{strconv.FormatInt(length, 10)}
	a.WriteHeader(status)
}

// readVersion fills the buffer from the version of the file that was opened.
func (f *opened) readVersion(data []byte, offset int64) error {
	if n, err := f.readAt(data, offset); err != nil || n < len(data) {
		return errChanged
	}
	return f.unchanged()
}

func (f *opened) unchanged() error {
	m, err := f.stat()
	if err != nil || !m.sameContent(&f.meta) {
		return errChanged
	}
	return nil
}

// copyLarge sends a part of a file by the kernel's own copy where it has one.
func (a *answer) copyLarge(f *opened, p part) {
	std := f.stdFile()
	if _, err := std.Seek(p.start, io.SeekStart); err != nil {
		a.abort()
	}
	most := p.length - heldBack
	n, err := a.ReadFrom(&io.LimitedReader{R: std, N: most})
	if err != nil {
		return // the client has gone
	}
	last := make([]byte, heldBack)
	if n < most || f.readVersion(last, p.start+most) != nil {
		a.abort()
	}
	_, _ = a.Write(last)
}

// sendParts answers with several parts of a file.
func (a *answer) sendParts(r *http.Request, f *opened, contentType string, parts []part) {
	boundary := rand.Text()
	end := "\r\n--" + boundary + "--\r\n"
	heads := make([]string, len(parts))
	length := int64(len(end))
	for i, p := range parts {
		heads[i] = fmt.Sprintf("\r\n--%s\r\nContent-Type: %s\r\nContent-Range: %s\r\n\r\n", boundary, contentType, p.contentRange(f.size))
		length += int64(len(heads[i])) + p.length
	}
	a.Header()["Content-Type"] = []string{"multipart/byteranges; boundary=" + boundary}
	a.sendHead(http.StatusPartialContent, length)
	if r.Method == http.MethodHead {
		return
	}
	var whole []byte
	if b := buffers.take(); b != nil {
		defer buffers.give(b)
		whole = b[:]
	} else {
		whole = make([]byte, partBuffer)
	}
	for i, p := range parts {
		if _, err := io.WriteString(a, heads[i]); err != nil {
			return
		}
		for p.length > 0 {
			data := whole[:min(p.length, int64(len(whole)))]
			if f.readVersion(data, p.start) != nil {
				a.abort()
			}
			if _, err := a.Write(data); err != nil {
				return
			}
			p.start, p.length = p.start+int64(len(data)), p.length-int64(len(data))
		}
	}
	_, _ = io.WriteString(a, end)
}

// readAll returns the version of the file that was opened.
func readAll(f *opened) ([]byte, error) {
	data := make([]byte, f.size)
	return data, f.readVersion(data, 0)
}
