package gen

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Choice says which of the files belong to the program.
type Choice struct {
	// Directory: the files are all those of a directory, of which `go build` takes
	// some. The default is that each was named, and then it asks neither for build
	// constraints nor for systems in names.
	Directory bool `json:"directory"`
	// Tags are the build tags that are set. The default is none.
	Tags []string `json:"tags"`
}

// choose returns the files that `go build` takes, by the rules of go/build, and
// records what is left out.
func (p *program) choose(files []File, choice Choice) []File {
	var taken []File
	for _, f := range files {
		f.Text = strings.TrimPrefix(f.Text, "\uFEFF") // allowed at the beginning only, where the directive is
		f.Line = max(f.Line, 1)
		p.names[filepath.Clean(f.lineName())] = f.Name
		base := filepath.Base(f.Name)
		if choice.Directory {
			switch {
			case takes(base, f.Text, buildContext(choice.Tags, false)):
				taken = append(taken, f)
			case takes(base, f.Text, buildContext(choice.Tags, true)):
				p.leaveOutFile(f)
			}
			continue
		}
		all := buildContext(choice.Tags, false)
		all.UseAllFiles = true
		if needsCgo := importOfC(p.parseAlone(f, parser.ImportsOnly)) != token.NoPos; needsCgo || !f.Inline && !takes(base, f.Text, all) {
			p.complainOfFile(f, base)
			continue
		}
		if !takes("named.go", f.Text, buildContext(choice.Tags, false)) {
			f.Text = withoutConstraints(f.Text)
		}
		taken = append(taken, f)
	}
	if len(taken) == 0 && p.fine() {
		p.complainAt(token.Position{}, "Go takes none of its files here: each is a test, needs cgo, or is excluded by its name or build constraints")
	}
	for _, f := range taken {
		p.answer.Files = append(p.answer.Files, f.Name)
	}
	return taken
}

// buildContext is a context that builds for this system. The one that mangoro builds in is
// without cgo.
func buildContext(tags []string, cgo bool) build.Context {
	ctxt := build.Default
	ctxt.GOOS, ctxt.GOARCH, ctxt.CgoEnabled, ctxt.BuildTags = runtime.GOOS, runtime.GOARCH, cgo, tags
	return ctxt
}

// takes tells whether a file of this name and text belongs to the package of its
// directory.
func takes(name, text string, ctxt build.Context) bool {
	ctxt.IsDir = func(string) bool { return true }
	ctxt.ReadDir = func(string) ([]fs.FileInfo, error) { return []fs.FileInfo{fileName(name)}, nil }
	ctxt.OpenFile = func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
	pkg, _ := ctxt.ImportDir(".", 0) // an error is a mistake in the file, which the parser tells
	return len(pkg.GoFiles)+len(pkg.CgoFiles) > 0 ||
		slices.Contains(pkg.InvalidGoFiles, name) && !strings.HasSuffix(name, "_test.go")
}

// fileName is a file of which only the name matters.
type fileName string

func (n fileName) Name() string     { return string(n) }
func (fileName) Size() int64        { return 0 }
func (fileName) Mode() fs.FileMode  { return 0 }
func (fileName) ModTime() time.Time { return time.Time{} }
func (fileName) IsDir() bool        { return false }
func (fileName) Sys() any           { return nil }

// parseAlone parses a file that is not in the program, as far as possible.
func (p *program) parseAlone(f File, mode parser.Mode) *ast.File {
	text := f.lineDirective() + f.Text
	if f.Inline && !hasPackage(f.Text) {
		text = "package main\n\n" + text
	}
	file, _ := parser.ParseFile(p.fset, f.Name, text, mode)
	return file
}

const cgoReason = `imports "C", and mangoro builds without cgo`

// leaveOutFile leaves out the functions of a file that needs cgo.
func (p *program) leaveOutFile(f File) {
	for _, decl := range p.parseAlone(f, parser.SkipObjectResolution).Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.IsExported() {
			p.leaveOut(fn, fn.Name.Name, "its file "+cgoReason)
		}
	}
}

// complainOfFile says why Go does not take a file that was named.
func (p *program) complainOfFile(f File, base string) {
	at := token.Position{Filename: f.Name, Line: f.Line, Column: 1}
	file := p.parseAlone(f, parser.ImportsOnly)
	switch pos := importOfC(file); {
	case pos != token.NoPos:
		p.complain(pos, "the file "+cgoReason)
	case strings.HasSuffix(base, "_test.go"):
		p.complainAt(at, "by its name this is a test, which Go leaves out of a program")
	case strings.HasPrefix(base, "_"), strings.HasPrefix(base, "."):
		p.complainAt(at, fmt.Sprintf("Go takes no file whose name begins with %q", base[:1]))
	default:
		p.complainAt(at, "Go leaves this file out of a program")
	}
}

// importOfC returns the position of the import that is cgo, if there is one.
func importOfC(file *ast.File) token.Pos {
	for _, spec := range file.Imports {
		if spec.Path.Value == `"C"` {
			return spec.Path.Pos()
		}
	}
	return token.NoPos
}

var constraint = regexp.MustCompile(`(?m)^([ \t]*//)(go:build|[ \t]*\+build)\b`)

// withoutConstraints turns build constraints into ordinary comments. No byte moves.
func withoutConstraints(text string) string {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", text, parser.PackageClauseOnly)
	if err != nil {
		return text
	}
	end := fset.Position(file.Package).Offset
	return constraint.ReplaceAllStringFunc(text[:end], func(found string) string {
		return strings.NewReplacer("go:build", "go build", "+build", "-build").Replace(found)
	}) + text[end:]
}
