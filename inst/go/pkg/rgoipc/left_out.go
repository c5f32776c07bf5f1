package rgoipc

import (
	"encoding/json"
	"fmt"
	"slices"

	"mangoro.local/internal/lane"
)

// leftOut is a function that R cannot call.
type leftOut struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
	File   string `json:"file,omitempty"` // where it is, if that is known
	Line   int    `json:"line,omitempty"`
	found  bool   // by reflection only: a method that nobody has registered
}

func (l leftOut) String() string {
	if l.File == "" {
		return fmt.Sprintf("%s: %s", l.Name, l.Reason)
	}
	return fmt.Sprintf("%s at %s:%d: %s", l.Name, l.File, l.Line, l.Reason)
}

// LeaveOut has R told that it cannot call a function, and why. The function must not be
// registered. Its file and line are optional, "" and 0 if they are not known.
// [Registry.Func] itself leaves out a function that it fails to add.
func (r *Registry) LeaveOut(name, reason, file string, line int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leftOut = append(r.leftOut, leftOut{Name: cleanText(name), Reason: cleanText(reason), File: cleanText(file), Line: line})
}

// allLeftOut returns the functions that R cannot call.
func (r *Registry) allLeftOut() []leftOut {
	r.complete()
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clone(r.leftOut)
}

// manifestMetadata returns what a manifest's reply has in its field error, as JSON:
// which functions are left out, and what a connection may do.
func (r *Registry) manifestMetadata(shared bool, maxCalls int) (string, error) {
	m := struct {
		LeftOut      []leftOut              `json:"left_out,omitempty"`
		SharedMemory int                    `json:"shared_memory,omitempty"` // the version of the lane
		MaxCalls     int                    `json:"max_calls"`
		Objects      map[string]objectClass `json:"objects,omitempty"` // by the names of their types
	}{LeftOut: r.allLeftOut(), MaxCalls: maxCalls, Objects: r.objectClasses()}
	if shared {
		m.SharedMemory = lane.Version
	}
	text, err := json.Marshal(m)
	return string(text), err
}

// noFunction returns the error of a call of a function that is not registered.
func (r *Registry) noFunction(name string) error {
	for _, l := range r.allLeftOut() {
		if l.Name == name {
			return errorf(CodeNotFound, "R cannot call the function %q: %s", name, l.Reason)
		}
	}
	return errorf(CodeNotFound, "there is no function %q; the functions are %q", name, r.List())
}
