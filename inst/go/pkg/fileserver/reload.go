package fileserver

import (
	"bytes"
	_ "embed"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// reloadName is the name, below each prefix, of the script that loads a page again, and of its stream of events.
const reloadName = ".mangoro/reload"

//go:embed reload.js
var reloadScript string

// reloadTag returns the markup that loads the script in a page.
func reloadTag(r *http.Request, m *mount) string {
	return `<script src="` + toTop(r.URL.Path, m.prefix) + reloadName + `" async></script>` + "\n"
}

// withReload returns a page of a mount with the script that loads it again.
func withReload(r *http.Request, m *mount, page []byte) []byte {
	end := len(page)
	for i := len(page) - len("</body"); i >= 0; i-- {
		if page[i] == '<' && bytes.EqualFold(page[i:i+len("</body")], []byte("</body")) {
			end = i
			break
		}
	}
	return slices.Concat(page[:end], []byte(reloadTag(r, m)), page[end:])
}

// heartbeat is how often something is sent when nothing changes: it tells whether the client is there.
const heartbeat = 15 * time.Second

// serveReload answers with the stream of events if the client asks for one, or else with the script.
// An event is a version, and the script has the one of when it was sent: nothing is missed in between.
func (h *Handler) serveReload(a *answer, r *http.Request, m *mount) {
	header := a.Header()
	addVary(header, "Accept")
	if !strings.Contains(strings.Join(r.Header["Accept"], ","), "text/event-stream") {
		header.Set("Content-Type", "text/javascript; charset=utf-8")
		header.Set("Cache-Control", "no-store")
		fmt.Fprint(a, strings.Replace(reloadScript, "VERSION", m.root.version().String(), 1))
		return
	}
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store")
	a.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	connection := http.NewResponseController(a)
	w := h.reloads.join(m)
	defer w.leave()
	for sent := (filesVersion{}); ; {
		now, changed := w.state()
		if now != sent {
			fmt.Fprintf(a, "data: %v\n\n", now)
			sent = now
		}
		if connection.Flush() != nil {
			return
		}
		select {
		case <-changed:
		case <-beat.C:
			fmt.Fprint(a, ":\n\n")
		case <-r.Context().Done():
			return
		case <-w.ended:
			return
		}
	}
}

// reloads are the observers of a handler.
type reloads struct {
	mu        sync.Mutex
	observers map[*mount]*observer
	ended     chan struct{} // nil until it is needed
	closed    bool
}

// join returns the observer of a mount, which runs until all who joined have left.
func (l *reloads) join(m *mount) *observer {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.observers == nil {
		l.observers = make(map[*mount]*observer)
	}
	w := l.observers[m]
	if w == nil {
		w = &observer{root: m.root, ended: l.end(), changed: make(chan struct{})}
		l.observers[m] = w
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.listeners++
	if !w.running {
		w.running = true
		go w.run()
	}
	return w
}

// end returns the channel that is closed at the end. Call it with l.mu held.
func (l *reloads) end() chan struct{} {
	if l.ended == nil {
		l.ended = make(chan struct{})
	}
	return l.ended
}

// close ends all streams.
func (l *reloads) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.closed = true
		close(l.end())
	}
}
