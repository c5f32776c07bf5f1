package fileserver

import (
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"sync"
	"time"
)

// answer is the answer to a request: it knows what has been sent of it.
type answer struct {
	http.ResponseWriter
	headers *headers
	started time.Time
	mount   *mount // what the path belongs to, nil if nothing
	status  int    // 0 until the answer has begun
	bytes   int64  // of the body
	cut     bool   // the answer was broken off
}

var answers = sync.Pool{New: func() any { return new(answer) }}

// begun tells whether the status of the answer has been sent.
func (a *answer) begun() bool { return a.status != 0 }

// WriteHeader begins the answer, unless the status is informational.
func (a *answer) WriteHeader(status int) {
	if status >= http.StatusOK {
		a.begin(status)
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	a.begin(http.StatusOK)
	n, err := a.ResponseWriter.Write(p)
	a.bytes += int64(n)
	return n, err
}

// ReadFrom lets the kernel copy a file to a connection.
func (a *answer) ReadFrom(src io.Reader) (int64, error) {
	a.begin(http.StatusOK)
	n, err := io.Copy(a.ResponseWriter, src)
	a.bytes += n
	return n, err
}

func (a *answer) begin(status int) {
	if a.status == 0 {
		a.status = status
		a.headers.finish(a.Header(), status)
	}
}

// Unwrap gives http.ResponseController access to the original writer.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// abort breaks the answer off, so that the client does not take it for complete.
func (a *answer) abort() {
	a.cut = true
	panic(http.ErrAbortHandler)
}

// ServeHTTP answers a request, logs it and counts it. If it panics, the answer is status 500, or is
// aborted if it has begun.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := answers.Get().(*answer)
	*a = answer{ResponseWriter: w, headers: h.headers, started: time.Now()}
	defer h.finish(a, r)
	if r.ContentLength != 0 {
		// The body of a request is never read, but http.Server would wait for it.
		_ = http.NewResponseController(w).SetReadDeadline(a.started)
	}
	h.respond(a, r)
}

// finish must be deferred: it recovers.
func (h *Handler) finish(a *answer, r *http.Request) {
	p := recover()
	if p != nil && p != http.ErrAbortHandler {
		h.config.logf("panic while serving %s: %s\n%s", escapeControls(r.URL.Path), escapeControls(fmt.Sprint(p)), debug.Stack())
		if a.begun() {
			p = http.ErrAbortHandler
		} else {
			clear(a.Header())
			h.headers.begin(a.Header(), r)
			h.fail(a, r, http.StatusInternalServerError, "")
			p = nil
		}
	}
	if p == nil && !a.begun() {
		a.WriteHeader(http.StatusOK)
	}
	a.cut = a.cut || p != nil
	h.record(a, r)
	*a = answer{}
	answers.Put(a)
	if p != nil {
		panic(p)
	}
}
