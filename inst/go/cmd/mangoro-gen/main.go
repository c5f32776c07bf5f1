// Command mangoro-gen makes a server of Go functions:
//
//	mangoro-gen REQUEST
//
// REQUEST is a JSON file {"out": DIRECTORY, "directory", "tags", "files": [{"name",
// "text", "line", "inline"}]}, see package gen. The sources of the program are written to the
// directory, and the answer is printed as JSON. The exit status is 0, or 1 if there are
// diagnostics and so no program, or 2 if the request is invalid or files cannot be
// written.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"mangoro.local/internal/gen"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintf(os.Stderr, "usage: %s REQUEST\n", os.Args[0])
		os.Exit(2)
	}
	answer, err := run(os.Args[1], os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mangoro-gen:", err)
		os.Exit(2)
	}
	if len(answer.Diagnostics) > 0 {
		os.Exit(1)
	}
}

// run answers the request in a file.
func run(path string, out io.Writer) (gen.Answer, error) {
	request, err := read(path)
	if err != nil {
		return gen.Answer{}, err
	}
	answer, sources := gen.Generate(request.Files, request.Choice)
	for _, s := range sources {
		if err := os.WriteFile(filepath.Join(request.Out, s.Name), []byte(s.Text), 0o666); err != nil {
			return answer, err
		}
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	return answer, encoder.Encode(answer)
}

// request is what mangoro-gen is asked.
type request struct {
	Out   string     `json:"out"`
	Files []gen.File `json:"files"`
	gen.Choice
}

func read(path string) (request, error) {
	var r request
	text, err := os.ReadFile(path)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("%s is not a request: %w", path, err)
	}
	if r.Out == "" || len(r.Files) == 0 {
		return r, errors.New("a request needs `out` and at least one of `files`")
	}
	for i, f := range r.Files {
		if f.Name == "" || strings.ContainsAny(f.Name, "\n\r") {
			return r, fmt.Errorf("file %d cannot be called %q", i+1, f.Name)
		}
		if f.Line < 0 {
			return r, fmt.Errorf("file %d cannot begin on line %d", i+1, f.Line)
		}
	}
	return r, nil
}
