package rgoipc

import (
	"encoding/json"
	"errors"
	"path"
	"runtime"
	"strings"
)

const (
	// maxDetail is how long the JSON detail of an error is at most, in bytes.
	maxDetail = 64 << 10
	// maxFrames and maxChain are how many frames and causes it has at most, and
	// maxCause is how much of the text of each.
	maxFrames = 50
	maxChain  = 20
	maxCause  = 2 << 10
	// mainFile is the file with the main function that mangoro-gen writes.
	mainFile = "mangoro_main.go"
)

// detail is what R learns of an error beyond its message.
type detail struct {
	Code   Code     `json:"code"`
	Stack  string   `json:"stack,omitempty"`  // of a panic
	Frames []frame  `json:"frames,omitempty"` // of a panic: the user's part of the stack, innermost first
	Chain  []string `json:"chain,omitempty"`  // the error and its causes, outermost first
}

// frame is a place in the user's code.
type frame struct {
	Func string `json:"func"`
	File string `json:"file"`
	Line int    `json:"line"`
}

func detailOf(err error) detail {
	d := detail{Code: CodeOf(err), Chain: chain(err)}
	var e *Error
	if errors.As(err, &e) {
		d.Stack, d.Frames = e.Stack, e.frames
	}
	return d
}

// chain returns the texts of an error and all its causes, each before its own.
// A cause that says the same as what it has caused is left out.
func chain(err error) []string {
	var texts []string
	var add func(err error, above string)
	add = func(err error, above string) {
		if _, internal := err.(*cellError); err == nil || internal || len(texts) == maxChain {
			return
		}
		text := err.Error()
		if text != above {
			texts = append(texts, shortened(text, maxCause))
		}
		switch err := err.(type) {
		case interface{ Unwrap() error }:
			add(err.Unwrap(), text)
		case interface{ Unwrap() []error }:
			for _, cause := range err.Unwrap() {
				add(cause, text)
			}
		}
	}
	add(err, "")
	return texts
}

// userFrames returns the user's part of the stack of this goroutine: what lies
// in package main, without the main function that mangoro-gen writes.
func userFrames() []frame {
	pcs := make([]uintptr, 1024)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	var out []frame
	for more := true; more && len(out) < maxFrames; {
		var f runtime.Frame
		f, more = frames.Next()
		name, found := strings.CutPrefix(f.Function, "main.")
		if found && path.Base(f.File) != mainFile {
			out = append(out, frame{name, path.Clean(f.File), f.Line}) // -trimpath has ./analysis.R
		}
	}
	return out
}

// marshal returns the detail as JSON of at most maxDetail bytes. What it has to
// leave out is the end of the stack, and then all but the code.
func (d detail) marshal() []byte {
	payload := d.json()
	for len(payload) > maxDetail && d.Stack != "" {
		d.Stack = strings.ToValidUTF8(d.Stack[:len(d.Stack)*7/8], "")
		payload = d.json()
	}
	if len(payload) > maxDetail {
		payload = detail{Code: d.Code}.json()
	}
	return payload
}

func (d detail) json() []byte {
	payload, err := json.Marshal(d)
	if err != nil { // texts and numbers: cannot happen, and the message says it all
		return nil
	}
	return payload
}

// shortened returns a text of at most n bytes and three dots.
func shortened(text string, n int) string {
	if len(text) <= n {
		return strings.ToValidUTF8(text, "\uFFFD")
	}
	return strings.ToValidUTF8(text[:n], "") + "..."
}
