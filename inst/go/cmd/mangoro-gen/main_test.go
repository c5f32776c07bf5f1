package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	tests := []struct {
		name, request string
		want          string // in what is printed
		failure       string // in the error
		written       string // files, in order
	}{
		{
			"a program", `{"out": "OUT", "files": [{"name": "a.R", "text": "func Add(x, y float64) float64 { return x + y }", "line": 41, "inline": true}]}`,
			`"functions":[{"name":"Add"}],"left_out":[],"diagnostics":[],"main":"// Code generated`, "", "mangoro_main.go source_1.go",
		},
		{
			"a mistake", `{"out": "OUT", "files": [{"name": "<a>.R", "text": "x", "line": 41, "inline": true}]}`,
			`"diagnostics":[{"file":"<a>.R","line":41,"column":1,"message":"expected declaration, found x"}],"main":""}`, "", "",
		},
		{"no JSON", `{`, "", "is not a request: unexpected end of JSON input", ""},
		{"no files", `{"out": "OUT"}`, "", "needs `out` and at least one of `files`", ""},
		{"no directory", `{"files": [{"name": "a", "text": ""}]}`, "", "needs `out` and at least one of `files`", ""},
		{"no name", `{"out": "OUT", "files": [{"text": ""}]}`, "", `file 1 cannot be called ""`, ""},
		{"two lines", `{"out": "OUT", "files": [{"name": "a\nb"}]}`, "", `file 1 cannot be called "a\nb"`, ""},
		{"no line", `{"out": "OUT", "files": [{"name": "a", "line": -1}]}`, "", "file 1 cannot begin on line -1", ""},
		{"not to be written", `{"out": "OUT/none", "files": [{"name": "a.R", "text": "func A() {}", "inline": true}]}`, "", "none", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, file := t.TempDir(), filepath.Join(t.TempDir(), "request.json")
			quoted, err := json.Marshal(out)
			if err != nil {
				t.Fatal(err)
			}
			request := strings.Replace(tt.request, "OUT", strings.Trim(string(quoted), `"`), 1)
			if err := os.WriteFile(file, []byte(request), 0o600); err != nil {
				t.Fatal(err)
			}
			var printed strings.Builder
			_, err = run(file, &printed)
			if tt.failure == "" && err != nil || tt.failure != "" && (err == nil || !strings.Contains(err.Error(), tt.failure)) {
				t.Errorf("the error is %v", err)
			}
			if !strings.Contains(printed.String(), tt.want) {
				t.Errorf("printed %s", printed.String())
			}
			entries, err := os.ReadDir(out)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, entry := range entries {
				names = append(names, entry.Name())
			}
			if got := strings.Join(names, " "); got != tt.written {
				t.Errorf("wrote %q", got)
			}
		})
	}
	if _, err := run(filepath.Join(t.TempDir(), "none"), &strings.Builder{}); err == nil {
		t.Error("a request that is not there is answered")
	}
}
