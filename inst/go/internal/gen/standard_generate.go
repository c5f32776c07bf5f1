//go:build ignore

// This program writes standard.txt, a line for each package of the standard library:
// its name, its path and, where several have the name, what it exports. The most
// usual comes first. Run by go generate.
package main

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// usual are the packages that are meant by a name that several have.
var usual = []string{"encoding/json", "math/rand/v2", "crypto/rand", "math/rand", "net/http/pprof", "text/scanner", "text/template"}

type pkg struct{ name, path, dir string }

func main() {
	packages, err := list()
	if err != nil {
		log.Fatal(err)
	}
	var b bytes.Buffer
	for i, p := range packages {
		fields := []string{p.name, p.path}
		before, after := i > 0 && packages[i-1].name == p.name, i+1 < len(packages) && packages[i+1].name == p.name
		if before || after {
			fields = append(fields, exports(p.dir)...)
		}
		fmt.Fprintln(&b, strings.Join(fields, " "))
	}
	if err := os.WriteFile("standard.txt", b.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
}

// list returns the packages that a program may import, by name.
func list() ([]pkg, error) {
	out, err := exec.Command("go", "list", "-f", "{{.Name}} {{.ImportPath}} {{.Dir}}", "std").Output()
	if err != nil {
		return nil, err
	}
	var packages []pkg
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		elements := strings.Split(fields[1], "/")
		if !slices.Contains(elements, "internal") && !slices.Contains(elements, "vendor") {
			packages = append(packages, pkg{fields[0], fields[1], fields[2]})
		}
	}
	slices.SortFunc(packages, func(a, b pkg) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(rank(a), rank(b)), cmp.Compare(a.path, b.path))
	})
	return packages, nil
}

func rank(p pkg) int {
	if i := slices.Index(usual, p.path); i >= 0 {
		return i
	}
	return len(usual)
}

// exports returns what the package in a directory exports on any system.
func exports(dir string) []string {
	tests := func(f fs.FileInfo) bool { return !strings.HasSuffix(f.Name(), "_test.go") }
	packages, err := parser.ParseDir(token.NewFileSet(), dir, tests, 0)
	if err != nil {
		log.Fatal(err)
	}
	var names []string
	for _, p := range packages {
		for _, file := range p.Files {
			for name := range file.Scope.Objects {
				if ast.IsExported(name) {
					names = append(names, name)
				}
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
