package gen

//go:generate go run standard_generate.go

import (
	_ "embed"
	"go/ast"
	"path"
	"slices"
	"strconv"
	"strings"
)

// standardPackages is what standard_generate.go says. R reads it too.
//
//go:embed standard.txt
var standardPackages string

// addImports adds the imports that inline sources lack.
func (p *program) addImports() {
	declared := make(map[string]bool)
	for _, s := range p.sources {
		for name := range s.ast.Scope.Objects {
			declared[name] = true
		}
	}
	for _, s := range p.sources {
		if !s.Inline {
			continue
		}
		if paths := missingImports(s.ast, declared); len(paths) > 0 {
			s.text = p.withImports(s, paths)
			p.parseSource(s)
		}
	}
}

// missingImports returns the paths of well-known packages that a file uses without
// importing or declaring them. The compiler complains about all others.
func missingImports(file *ast.File, declared map[string]bool) []string {
	var paths []string
	for name, selected := range packageUses(file) {
		if declared[name] || imports(file, name) {
			continue
		}
		if path := pathOf(name, selected); path != "" {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

// packageUses returns the exported names that are selected from each name that
// the file does not declare.
func packageUses(file *ast.File) map[string][]string {
	unresolved := make(map[*ast.Ident]bool)
	for _, ident := range file.Unresolved {
		unresolved[ident] = true
	}
	uses := make(map[string][]string)
	ast.Inspect(file, func(n ast.Node) bool {
		if selector, ok := n.(*ast.SelectorExpr); ok {
			if ident, ok := selector.X.(*ast.Ident); ok && unresolved[ident] && selector.Sel.IsExported() {
				uses[ident.Name] = append(uses[ident.Name], selector.Sel.Name)
			}
		}
		return true
	})
	return uses
}

// imports tells whether a file imports a package under a name.
func imports(file *ast.File, name string) bool {
	return slices.ContainsFunc(file.Imports, func(spec *ast.ImportSpec) bool {
		if spec.Name != nil {
			return spec.Name.Name == name
		}
		importPath, err := strconv.Unquote(spec.Path.Value)
		return err == nil && nameOf(importPath) == name
	})
}

// nameOf guesses the name of a package: the last element of its path, before
// that of a version.
func nameOf(importPath string) string {
	base := path.Base(importPath)
	if number, found := strings.CutPrefix(base, "v"); found {
		if _, err := strconv.Atoi(number); err == nil {
			return path.Base(path.Dir(importPath))
		}
	}
	return base
}

// pathOf returns the import path of a well-known package, or "". Of several of
// one name it is the first, the most usual, that exports all that is selected.
func pathOf(name string, selected []string) string {
	if path, ok := ownPaths[name]; ok {
		return path
	}
	first := ""
	for line := range strings.Lines(standardPackages) {
		fields := strings.Fields(line)
		if fields[0] != name {
			continue
		}
		path, exports := fields[1], fields[2:] // the exports are known where there are several
		if first == "" {
			first = path
		}
		if !slices.ContainsFunc(selected, func(s string) bool { return !slices.Contains(exports, s) }) {
			return path
		}
	}
	return first
}

// ownPaths are the paths of packages that travel with mangoro, by their names.
var ownPaths = map[string]string{
	"rgoipc": rgoipcPath,
	"arrow":  arrowPath,
	"array":  arrowPath + "/array",
	"memory": arrowPath + "/memory",
	"ipc":    arrowPath + "/ipc",
}

const (
	rgoipcPath = "mangoro.local/pkg/rgoipc"
	arrowPath  = "github.com/apache/arrow-go/v18/arrow"
)
