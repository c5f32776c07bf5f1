package fileserver

import (
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Request is a request that has been answered.
type Request struct {
	Time     time.Time // of its start
	Method   string
	Path     string // without the query
	Range    string // the header as sent
	Client   string // host and port
	Status   int
	Bytes    int64 // of the body of the answer
	Duration time.Duration
}

// Stats counts what has been answered for a directory since the start.
type Stats struct {
	Prefix, Dir string
	Missing     bool  // the directory is not there
	Requests    int64 // all of them
	Bytes       int64 // of the bodies of the answers
	Errors      int64 // answers with status 500 and above, and those broken off
}

// counts are those of a mount.
type counts struct{ requests, bytes, errors atomic.Int64 }

// maxRequests is the number of requests that are remembered, maxText that of the bytes of a text of theirs.
const (
	maxRequests = 1000
	maxText     = 2048
)

// recent remembers the last requests.
type recent struct {
	next  atomic.Uint64
	slots [maxRequests]struct {
		mu      sync.Mutex
		request Request
	}
}

func (l *recent) add(request Request) {
	slot := &l.slots[(l.next.Add(1)-1)%maxRequests]
	slot.mu.Lock()
	slot.request = request
	slot.mu.Unlock()
}

// last returns the last n requests, the oldest first.
func (l *recent) last(n int) []Request {
	end := l.next.Load()
	requests := make([]Request, 0, min(uint64(max(n, 0)), end, maxRequests))
	for i := end - uint64(cap(requests)); i < end; i++ {
		slot := &l.slots[i%maxRequests]
		slot.mu.Lock()
		if !slot.request.Time.IsZero() {
			requests = append(requests, slot.request)
		}
		slot.mu.Unlock()
	}
	return requests
}

// record counts a request that is answered, remembers it, and writes it to the log.
func (h *Handler) record(a *answer, r *http.Request) {
	duration := time.Since(a.started)
	if m := a.mount; m != nil {
		m.counts.requests.Add(1)
		m.counts.bytes.Add(a.bytes)
		if a.cut || a.status >= http.StatusInternalServerError {
			m.counts.errors.Add(1)
		}
	}
	h.recent.add(Request{
		Time: a.started, Method: clip(r.Method), Path: clip(r.URL.Path), Range: clip(r.Header.Get("Range")),
		Client: r.RemoteAddr, Status: a.status, Bytes: a.bytes, Duration: duration,
	})
	if h.config.Log != nil {
		h.config.logf("%s %s %s %v", r.Method, escapeControls(r.URL.Path), r.RemoteAddr, duration)
	}
}

func clip(text string) string { return text[:min(len(text), maxText)] }

// Stats returns the counts of each directory, in the order of the configuration.
func (h *Handler) Stats() []Stats {
	var stats []Stats
	for _, m := range h.mounts {
		info, err := os.Stat(m.root.path)
		stats = append(stats, Stats{
			Prefix: m.prefix, Dir: m.root.path, Missing: err != nil || !info.IsDir(),
			Requests: m.counts.requests.Load(), Bytes: m.counts.bytes.Load(), Errors: m.counts.errors.Load(),
		})
	}
	return stats
}

// Requests returns the last n requests, of at most 1,000, the oldest first.
func (h *Handler) Requests(n int) []Request { return h.recent.last(n) }

// Stats is that of [Handler].
func (s *Server) Stats() []Stats { return s.handler.Stats() }

// Requests is that of [Handler].
func (s *Server) Requests(n int) []Request { return s.handler.Requests(n) }
