package gen

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"path/filepath"
	"strings"
)

// source is a file on its way into the program.
type source struct {
	File
	file string // its name in the program
	text string // its text there
	ast  *ast.File
}

// lineDirective makes the line after it line number of name: for the compiler,
// in stacks and for go/token. Without a column they would have none.
func lineDirective(name string, number int) string {
	return fmt.Sprintf("//line %s:%d:1\n", name, number)
}

func (f File) lineDirective() string { return lineDirective(f.lineName(), f.Line) }

// lineName is the name in line directives. One that is not a path is put at the root:
// the compiler would put it in the directory of the build, which is a temporary one,
// and stacks would show that.
func (f File) lineName() string {
	if f.Inline && !filepath.IsAbs(f.Name) {
		return "/" + f.Name
	}
	return f.Name
}

// parse reads the files, and complains about the first syntax error of each line.
func (p *program) parse(files []File) {
	for i, f := range files {
		s := &source{File: f, file: fmt.Sprintf("source_%d.go", i+1)}
		p.sources = append(p.sources, s)
		s.text = f.lineDirective() + f.Text
		if f.Inline && !hasPackage(f.Text) {
			s.text = "package main\n\n" + s.text
		}
		p.parseSource(s)
	}
}

func (p *program) parseSource(s *source) {
	var err error
	s.ast, err = parser.ParseFile(p.fset, s.file, s.text, parser.ParseComments|parser.AllErrors)
	var list scanner.ErrorList
	switch {
	case errors.As(err, &list):
		list.RemoveMultiples() // of a line: the others follow from the first
		for _, e := range list {
			p.complainAt(e.Pos, e.Msg)
		}
	case err != nil: // only files that cannot be read have another error
		p.complainAt(token.Position{Filename: s.Name, Line: s.Line, Column: 1}, err.Error())
	case s.ast.Name.Name != "main":
		p.complain(s.ast.Name.Pos(), fmt.Sprintf("the package must be main, but is %s", s.ast.Name.Name))
	}
}

// hasPackage tells whether a text begins with a package clause, comments aside.
func hasPackage(text string) bool {
	var s scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(text))
	s.Init(file, []byte(text), func(token.Position, string) {}, 0)
	_, tok, _ := s.Scan()
	return tok == token.PACKAGE
}

// withImports returns the text of an inline source with imports added before the
// user's code, which keeps its lines and columns.
func (p *program) withImports(s *source, paths []string) string {
	var b strings.Builder
	b.WriteString("package main\n\nimport (\n")
	for _, path := range paths {
		fmt.Fprintf(&b, "\t%q\n", path)
	}
	b.WriteString(")\n\n" + s.lineDirective())
	if !hasPackage(s.Text) {
		return b.String() + s.Text
	}
	// Spaces replace the user's package clause.
	start := len(s.lineDirective())
	offset := func(pos token.Pos) int { return p.fset.File(pos).Offset(pos) - start }
	from, to := offset(s.ast.Package), offset(s.ast.Name.End())
	rest := s.Text[to:]
	if after := strings.TrimLeft(rest, " \t"); strings.HasPrefix(after, ";") {
		to += len(rest) - len(after) + 1
	}
	blank := []byte(s.Text[from:to])
	for i, c := range blank {
		if c != '\n' && c != '\r' && c != '\t' {
			blank[i] = ' '
		}
	}
	return b.String() + s.Text[:from] + string(blank) + s.Text[to:]
}
