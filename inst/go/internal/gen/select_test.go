package gen

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// other is a system that the tests do not run on.
func other() string {
	if runtime.GOOS == "windows" {
		return "linux"
	}
	return "windows"
}

// randomFiles makes files of all that Go's rules look at.
func randomFiles(r *rand.Rand) []File {
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	names := make(map[string]bool)
	var files []File
	for i := range 12 {
		name := pick("", "", "", "_", ".") + pick("a", "b", "linux", "test", fmt.Sprint("f", i)) +
			pick("", "", "_"+runtime.GOOS, "_"+other(), "_"+runtime.GOARCH, "_"+other()+"_"+runtime.GOARCH, "_test", "_unix", "_"+other()+"_test") + ".go"
		if names[name] {
			continue
		}
		names[name] = true
		text := pick("", "", "// Copyright.\n\n", "/* A\ncomment */\n\n", "\n\n") +
			pick("", "", "//go:build ignore\n\n", "//go:build "+runtime.GOOS+"\n\n", "//go:build !"+runtime.GOOS+"\n\n", "//go:build mytag && !"+other()+"\n\n",
				"//go:build cgo\n\n", "//go:build go1.1\n\n", "//go:build go1.999\n\n", "// +build ignore\n\n", "//go:build ignore\n") +
			pick("package main\n", "package main\n", "package main\n", "package main\n", "package documentation\n", "package main; ") +
			pick("", "", "", "\nimport \"C\"\n", "\nimport (\n\t\"fmt\"\n\t\"C\"\n)\n", "\n//go:build ignore\n", "\nimport fmt\n", "\nfunc (")
		files = append(files, File{Name: name, Text: text})
	}
	return files
}

// The files that are taken are those of `go list`, whatever is in them.
func TestChoiceIsGos(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		dir := t.TempDir()
		files := randomFiles(r)
		for _, f := range append(files, File{Name: "go.mod", Text: "module x\n\ngo 1.25\n"}) {
			if err := os.WriteFile(filepath.Join(dir, f.Name), []byte(f.Text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		list := exec.CommandContext(t.Context(), "go", "list", "-e", "-tags=mytag", "-f", `{{join .GoFiles "\n"}}`, ".")
		list.Dir = dir
		list.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
		out, err := list.Output()
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Fields(string(out))
		p := newProgram()
		var got []string
		for _, f := range p.choose(files, Choice{Directory: true, Tags: []string{"mytag"}}) {
			got = append(got, f.Name)
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("took %q and not %q of %+v", got, want, files)
		}
	}
}

func TestNamedFilesAreTaken(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       string // in the source, or of what is complained
	}{
		{"a.go", "package main\n", "package main"},
		{"a_" + other() + ".go", "package main\n", "package main"},
		{"a.go", "//go:build ignore\n\npackage main\n", "//go build ignore\n\npackage main"},
		{"a.go", "// +build ignore\n\npackage main\n", "// -build ignore\n\npackage main"},
		{"a.go", "//go:build " + runtime.GOOS + "\n\npackage main\n", "//go:build " + runtime.GOOS},
		{"a.go", "//go:build go1.21\n\npackage main\n", "//go:build go1.21"},
		{"a.go", "package main\n\n//go:build ignore\n", "\n//go:build ignore"},
		{"a_test.go", "package main\n", "a_test.go:1:1: by its name this is a test, which Go leaves out of a program"},
		{"_a.go", "package main\n", `_a.go:1:1: Go takes no file whose name begins with "_"`},
		{"a.go", "package documentation\n", "a.go:1:1: Go leaves this file out of a program"},
		{"a.go", "package main\n\nimport (\n\t\"C\"\n)\n", `a.go:4:2: the file imports "C", and mangoro builds without cgo`},
	} {
		p := newProgram()
		var got string
		for _, f := range p.choose([]File{{Name: tt.name, Text: tt.text}}, Choice{}) {
			got = f.Text
		}
		for _, d := range p.answer.Diagnostics {
			got = fmt.Sprintf("%s:%d:%d: %s", d.File, d.Line, d.Column, d.Message)
		}
		if !strings.Contains(got, tt.want) || len(p.answer.Diagnostics) > 1 {
			t.Errorf("%s: got %q", tt.name, got)
		}
	}
}

func TestInlineCodeIsTaken(t *testing.T) {
	for text, want := range map[string]string{
		"//go:build ignore\n\npackage main\n\nfunc A() {}": "",
		"import \"C\"\nfunc A() {}":                        `a.R:3:8: the file imports "C", and mangoro builds without cgo`,
		"package main\nimport \"C\"\nfunc A() {}":          `a.R:4:8: the file imports "C", and mangoro builds without cgo`,
	} {
		answer, _ := Generate([]File{{Name: "a.R", Text: text, Line: 3, Inline: true}}, Choice{})
		got := ""
		for _, d := range answer.Diagnostics {
			got = fmt.Sprintf("%s:%d:%d: %s", d.File, d.Line, d.Column, d.Message)
		}
		if got != want {
			t.Errorf("%q: got %q", text, got)
		}
	}
}

func TestDirectoryTellsWhatItLeavesOut(t *testing.T) {
	answer, sources := Generate([]File{
		{Name: "/d/a.go", Text: "package main\n\nfunc A() {}\n"},
		{Name: "/d/c.go", Text: "package main\n\nimport \"C\"\n\nfunc C() {}\n\nfunc c() {}\n"},
		{Name: "/d/w_" + other() + ".go", Text: "package main\n\nfunc W() {}\n"},
	}, Choice{Directory: true})
	want := LeftOut{"C", `its file imports "C", and mangoro builds without cgo`, "/d/c.go", 5}
	if len(answer.LeftOut) != 1 || answer.LeftOut[0] != want || !slices.Equal(answer.Files, []string{"/d/a.go"}) {
		t.Errorf("got %+v", answer)
	}
	if said := `registry.LeaveOut("C", "its file imports \"C\", and mangoro builds without cgo", "/d/c.go", 5)`; !strings.Contains(sources[len(sources)-1].Text, said) {
		t.Errorf("the program does not say it:\n%s", answer.Main)
	}

	answer, _ = Generate([]File{{Name: "/d/a_test.go", Text: "package main\n"}}, Choice{Directory: true})
	if len(answer.Diagnostics) != 1 || answer.Diagnostics[0].File != "" {
		t.Errorf("got %+v", answer)
	}
}

// Where there is nothing to call, a place that the user has written is shown.
func TestNothingToCall(t *testing.T) {
	for text, want := range map[string]string{
		"\n\nfunc f() {}":            "5:6",
		"\nvar x = 1\nfunc f() {}":   "5:6",
		"\n\nvar x = 1":              "5:1",
		"\n// nothing\npackage main": "5:1",
		"\n// nothing":               "0:0",
	} {
		answer, _ := Generate([]File{{Name: "a.R", Text: text, Line: 3, Inline: true}}, Choice{})
		if len(answer.Diagnostics) != 1 || fmt.Sprintf("%d:%d", answer.Diagnostics[0].Line, answer.Diagnostics[0].Column) != want {
			t.Errorf("%q: got %+v", text, answer.Diagnostics)
		}
	}
}
