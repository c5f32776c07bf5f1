package rgoipc

import (
	"encoding/json"
	"fmt"
	"path"
	"runtime"
	"strings"
	"unicode/utf8"

	"mangoro.local/internal/codec"
)

const (
	// maxDetail is how long the JSON detail of an error is at most, in bytes.
	maxDetail = 64 << 10
	// maxText is how long the text of an error is at most.
	maxText = 1 << 20
	// maxFrames and maxChain are how many frames and causes it has at most, and
	// maxCause is how much of the text of each.
	maxFrames = 50
	maxChain  = 20
	maxCause  = 2 << 10
	// mainFile is the file with the main function that mangoro-gen writes.
	mainFile = "mangoro_main.go"
)

// detail is what R is told about an error beside its message.
type detail struct {
	Code   Code     `json:"code"`
	Arg    string   `json:"arg,omitempty"`     // the argument that is wrong
	Result string   `json:"result,omitempty"`  // the result that cannot be sent
	Row    int      `json:"row,omitempty"`     // where it failed, from 1
	Value  any      `json:"value,omitempty"`   // what is there: a text, or a map if there are several arguments
	Stack  string   `json:"stack,omitempty"`   // of a panic
	Frames []frame  `json:"frames,omitempty"`  // of a panic: the user's part of the stack, innermost first
	Chain  []string `json:"chain,omitempty"`   // the error and its causes, outermost first
	RError int      `json:"r_error,omitempty"` // the number of the R condition among them
}

// frame is a location in the user's code.
type frame struct {
	Func string `json:"func"`
	File string `json:"file"`
	Line int    `json:"line"`
}

// described returns the text of an error and its detail. A part that cannot be found out,
// because a method of the error fails, is left out.
func described(err error) (text string, d detail) {
	text, d.Code = noText(err), CodeHandler
	for _, step := range []func(){
		func() { d.Code = CodeOf(err) },
		func() {
			if e := firstError(err); e != nil {
				d.Stack, d.Frames = cleanText(e.Stack), e.frames
			}
		},
		func() { d.locate(err) },
		func() { text = shortened(textOf(err), maxText) },
		func() { d.Chain = chain(err) },
		func() { d.RError = numberOf(err) },
	} {
		isolated(step)
	}
	return text, d
}

// isolated calls f on a goroutine of its own: f calls methods of the user's errors, which
// may panic or end their goroutine.
func isolated(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = recover() }()
		f()
	}()
	<-done
}

// locate says where the error is, if one of its causes knows.
func (d *detail) locate(err error) {
	for cause := range causes(err) {
		switch cause := cause.(type) {
		case *rowError:
			d.Row = cause.row + 1
			if cause.values != nil {
				d.Value = cause.values
			}
			return
		case *codec.Error:
			d.Arg, d.Result = cause.Arg, cause.Result
			if cause.Row >= 0 {
				d.Row, d.Value = cause.Row+1, shortened(cause.Value, maxValue)
			}
			return
		}
	}
}

// numberOf returns the number of the R condition among the causes of an error, or 0.
func numberOf(err error) int {
	for cause := range causes(err) {
		if e, ok := cause.(*RError); ok && e != nil {
			return e.number
		}
	}
	return 0
}

// textOf returns the text of an error, even if its method panics.
func textOf(err error) (text string) {
	defer func() {
		if p := recover(); p != nil {
			text = fmt.Sprintf("%s: its method panicked: %v", noText(err), p)
		}
	}()
	return err.Error()
}

func noText(err error) string { return fmt.Sprintf("an error of type %T without a text", err) }

// chain returns the texts of an error and all its causes, each before its own. A cause
// with the same text as the error that wraps it is left out. So is the error that a
// function returned for a row: the error that wraps it has its text.
func chain(err error) []string {
	var texts []string
	var add func(err error, above string)
	depth := 0
	add = func(err error, above string) {
		if _, internal := err.(*codec.Error); err == nil || internal || len(texts) == maxChain || depth == maxCauses {
			return
		}
		depth++
		text := textOf(err)
		if text != above {
			texts = append(texts, shortened(text, maxCause))
		}
		if row, ok := err.(*rowError); ok {
			err, text = row.err, textOf(row.err)
		}
		for _, cause := range unwrapped(err) {
			add(cause, text)
		}
	}
	add(err, "")
	return texts
}

// userFrames returns the user's part of the stack of this goroutine: the functions of
// package main, except the main function that mangoro-gen writes.
func userFrames() []frame {
	pcs := make([]uintptr, 1024)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	var out []frame
	for more := true; more && len(out) < maxFrames; {
		var f runtime.Frame
		f, more = frames.Next()
		name, found := strings.CutPrefix(f.Function, "main.")
		if found && path.Base(f.File) != mainFile {
			out = append(out, frame{cleanText(name), cleanText(path.Clean(f.File)), f.Line}) // -trimpath has ./analysis.R
		}
	}
	return out
}

// marshal returns the detail as JSON of at most maxDetail bytes. To get there it cuts off
// the end of the stack, and then keeps only the code, the row and the R condition.
func (d detail) marshal() []byte {
	payload := d.json()
	for len(payload) > maxDetail && d.Stack != "" {
		d.Stack = strings.ToValidUTF8(d.Stack[:len(d.Stack)*7/8], "")
		payload = d.json()
	}
	if len(payload) > maxDetail {
		payload = detail{Code: d.Code, Row: d.Row, RError: d.RError}.json()
	}
	return payload
}

func (d detail) json() []byte {
	payload, _ := json.Marshal(d) // cannot fail for texts and numbers
	return payload
}

// shortened returns at most n bytes of a text, and says how many more there are.
func shortened(text string, n int) string {
	if len(text) <= n {
		return cleanText(text)
	}
	for range utf8.UTFMax - 1 { // do not split a character
		if utf8.RuneStart(text[n]) {
			break
		}
		n--
	}
	return cleanText(text[:n]) + fmt.Sprintf("... (%d bytes more)", len(text)-n)
}

// cleanText returns a text that a string in R can hold: UTF-8, without NUL.
func cleanText(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", `\x00`)
}
