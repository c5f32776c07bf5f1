package rgoipc

import (
	"strings"
	"testing"
	"time"
)

func TestMetadata(t *testing.T) {
	tests := []struct {
		metadata string
		id       string
		want     time.Duration // 0: no deadline
	}{
		{``, "", 0},
		{`{}`, "", 0},
		{`{"id": "abc"}`, "", 0},
		{`{"timeout_ms": 1500}`, "", 1500 * time.Millisecond},
		{`{"timeout_ms": 0.5, "id": 7}`, "", 500 * time.Microsecond},
		{`{"timeout_ms": 0}`, "", 0},
		{`{"timeout_ms": -1}`, "", 0},
		{`{"timeout_ms": 1e300}`, "", 0},
		{`{"timeout_ms": 1e999}`, "", 0},
		{`{"timeout_ms": "soon"}`, "", 0},
		{`{"timeout_ms": null}`, "", 0},
		{`{"timeout_ms": [1]}`, "", 0},
		{`{"timeout_ms": 5`, "", 0},
		{`{"call_id": "a1", "timeout_ms": 2}`, "a1", 2 * time.Millisecond},
		{`{"call_id": 7, "timeout_ms": 2}`, "", 2 * time.Millisecond},
		{`{"call_id": "a1", "timeout_ms": "soon"}`, "a1", 0},
		{`{"call_id": "a1"`, "", 0},
		{`[]`, "", 0},
		{`no JSON`, "", 0},
	}
	for _, tt := range tests {
		m := parseMetadata(tt.metadata)
		if m.id != tt.id {
			t.Errorf("%s: id %q, want %q", tt.metadata, m.id, tt.id)
		}
		if m.limit != tt.want {
			t.Errorf("%s: limit %v, want %v", tt.metadata, m.limit, tt.want)
		}
	}
}

// What is remembered is what would have been read.
func TestMetadataIsRemembered(t *testing.T) {
	var reader metadataReader
	long := `{"timeout_ms": 7, "id": "` + strings.Repeat("x", maxRemembered) + `"}`
	for _, metadata := range []string{"", `{"timeout_ms": 5}`, `{"timeout_ms": 5}`, long, `{"timeout_ms": 6}`, "", long, long} {
		if got, want := reader.read(metadata), parseMetadata(metadata); got != want {
			t.Errorf("%s: %+v, want %+v", metadata, got, want)
		}
	}
	if got := reader.last.Load().text; got == long {
		t.Error("long metadata is kept")
	}
}
