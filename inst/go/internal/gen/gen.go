// Package gen makes a server of a user's Go functions: it writes the main
// function that registers the exported ones with rgoipc.
package gen

import (
	"cmp"
	"go/ast"
	"go/token"
	"slices"
)

// File is one of the user's source files, or Go code from elsewhere.
type File struct {
	// Name is what messages call the file. No default.
	Name string `json:"name"`
	// Text is the Go code. The default is none.
	Text string `json:"text"`
	// Line is the line of Name on which Text begins. 0, the default, is 1.
	Line int `json:"line"`
	// Inline: the package clause and the usual imports are added where they are
	// missing. The default is a whole Go file, taken as it is.
	Inline bool `json:"inline"`
}

// Answer says what was made of the files.
type Answer struct {
	// Files are the names of the files that belong to the program, in the order of
	// its sources.
	Files []string `json:"files"`
	// Functions are those that R may call, in the order of the sources.
	Functions []Function `json:"functions"`
	// LeftOut are exported functions that R cannot call, or that the user left out.
	LeftOut []LeftOut `json:"left_out"`
	// Diagnostics are mistakes in the files. If there are none, there is a Main.
	Diagnostics []Diagnostic `json:"diagnostics"`
	// Main is the text of the file with the main function.
	Main string `json:"main"`
}

// Function is a function that R may call.
type Function struct {
	// Name is its name in R.
	Name string `json:"name"`
}

// LeftOut is a function that is left out.
type LeftOut struct {
	// Name is its name in Go.
	Name string `json:"name"`
	// Reason says why R cannot call it.
	Reason string `json:"reason"`
	// File and Line say where it is.
	File string `json:"file"`
	Line int    `json:"line"`
}

// Diagnostic is a mistake and its location.
type Diagnostic struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
}

// Source is a file to write, a part of the program.
type Source struct{ Name, Text string }

// mainFile is the name of the file that is generated, on disk and in stacks.
const mainFile = "mangoro_main.go"

// Generate returns what was made of the files and, unless there are diagnostics,
// the sources of the program.
func Generate(files []File, choice Choice) (Answer, []Source) {
	p := newProgram()
	files = p.choose(files, choice)
	if p.fine() {
		p.parse(files)
	}
	if p.fine() {
		p.addImports()
		p.checkTypes()
		p.collect()
	}
	if !p.fine() {
		slices.SortStableFunc(p.answer.Diagnostics, func(a, b Diagnostic) int {
			return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
		})
		return p.answer, nil
	}
	p.answer.Main = p.main()
	return p.answer, p.output()
}

// program is what is known of the files.
type program struct {
	fset      *token.FileSet
	sources   []*source
	names     map[string]string // the user's names of files by those that go/token has made of them
	types     *checked
	functions []*function
	objects   []*objectType
	answer    Answer
}

func newProgram() *program {
	return &program{
		fset:  token.NewFileSet(),
		names: make(map[string]string),
		answer: Answer{
			Files:       []string{},
			Functions:   []Function{},
			LeftOut:     []LeftOut{},
			Diagnostics: []Diagnostic{},
		},
	}
}

func (p *program) fine() bool { return len(p.answer.Diagnostics) == 0 }

func (p *program) complain(pos token.Pos, message string) {
	p.complainAt(p.fset.Position(pos), message)
}

func (p *program) complainAt(at token.Position, message string) {
	p.answer.Diagnostics = append(p.answer.Diagnostics, Diagnostic{p.userName(at.Filename), at.Line, at.Column, message})
}

// leaveOut leaves a function out.
func (p *program) leaveOut(decl *ast.FuncDecl, name, reason string) {
	at := p.fset.Position(decl.Name.Pos())
	p.answer.LeftOut = append(p.answer.LeftOut, LeftOut{name, reason, p.userName(at.Filename), at.Line})
}

// userName undoes what go/token does to the names in line directives.
func (p *program) userName(file string) string {
	if name, ok := p.names[file]; ok {
		return name
	}
	return file
}

// output returns the files of the program.
func (p *program) output() []Source {
	var out []Source
	for _, s := range p.sources {
		out = append(out, Source{s.file, s.text})
	}
	return append(out, Source{mainFile, lineDirective(mainFile, 1) + p.answer.Main})
}
