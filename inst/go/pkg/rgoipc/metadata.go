package rgoipc

import (
	"encoding/json"
	"sync/atomic"
	"time"
)

// maxTimeout is the longest time that a call is given: beyond it there might as
// well be no limit.
const maxTimeout = 365 * 24 * time.Hour

// metadata is what a request says of its call: {"call_id": "5f0a", "timeout_ms": 500}.
// Anything else in there is not ours to judge.
type metadata struct {
	id    string        // a cancel names it; empty: the call cannot be cancelled
	limit time.Duration // the time that the call has; 0: there is no limit
}

func parseMetadata(text string) metadata {
	var m struct {
		ID        string  `json:"call_id"`
		TimeoutMS float64 `json:"timeout_ms"`
	}
	// What does not fit stays empty.
	_ = json.Unmarshal([]byte(text), &m)
	limit := m.TimeoutMS * float64(time.Millisecond)
	if !(limit > 0 && limit < float64(maxTimeout)) {
		limit = 0
	}
	return metadata{id: m.ID, limit: time.Duration(limit)}
}

// maxRemembered is the length of the longest metadata that is kept.
const maxRemembered = 256

// metadataReader reads metadata and remembers what it has read last: one call's is
// mostly the next one's.
type metadataReader struct{ last atomic.Pointer[readMetadata] }

type readMetadata struct {
	text string
	metadata
}

func (r *metadataReader) read(text string) metadata {
	if last := r.last.Load(); last != nil && last.text == text {
		return last.metadata
	}
	m := parseMetadata(text)
	if len(text) <= maxRemembered {
		r.last.Store(&readMetadata{text, m})
	}
	return m
}
