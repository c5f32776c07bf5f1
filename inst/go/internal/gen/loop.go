package gen

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// loop writes a loop over the rows of an elementwise function, which the
// compiler can inline into it. It keeps track of the row for a panic, unless the
// function cannot panic: such a function may be so small that even this would cost.
func (w *writer) loop(f *function) {
	var outs []string
	for i := range f.results {
		outs = append(outs, fmt.Sprintf("out%d", i+1))
	}
	if len(outs) == 1 {
		outs[0] = "out"
	}
	ins := f.loopNames(outs)
	all := append(slices.Clone(ins), outs...)
	returns := ""
	if f.fails {
		returns = " (row int, err error)"
	}
	w.line("\nfunc %s(n int, %s)%s {", f.loop, w.columns(all, append(slices.Clone(f.params), f.results...)), returns)
	w.line("%s = %s", strings.Join(all, ", "), each(all, "[:n]")) // no bounds to check below
	tracks := f.canPanic()
	if tracks {
		if !f.fails {
			w.line("row := 0")
		}
		w.line("defer %s.AtRow(&row)", w.use(rgoipcPath))
	}
	w.line("for i := range n {")
	if tracks {
		w.line("row = i")
	}
	call := fmt.Sprintf("%s(%s)", f.decl.Name.Name, each(ins, "[i]"))
	if f.fails {
		w.line("if %s, err = %s; err != nil {\nreturn i, err\n}\n}\nreturn n, nil\n}", each(outs, "[i]"), call)
	} else {
		w.line("%s = %s\n}\n}", each(outs, "[i]"), call)
	}
}

// canPanic tells whether a function may panic, as far as its syntax shows: one that
// has only arithmetic, comparisons and functions of package math cannot. Division is
// safe if all operands are parameters of type float64 or float32.
func (f *function) canPanic() bool {
	can, divides := false, false
	ast.Inspect(f.decl.Body, func(node ast.Node) bool {
		switch node := node.(type) {
		case nil, *ast.BlockStmt, *ast.ReturnStmt, *ast.IfStmt, *ast.AssignStmt, *ast.Ident, *ast.BasicLit, *ast.ParenExpr:
		case *ast.UnaryExpr:
			can = can || node.Op == token.ARROW
		case *ast.BinaryExpr:
			divides = divides || node.Op == token.QUO
			can = can || slices.Contains([]token.Token{token.REM, token.SHL, token.SHR}, node.Op)
		case *ast.CallExpr:
			can = can || !isSafeCall(node)
		case *ast.SelectorExpr:
			can = can || !isMath(node)
		default:
			can = true
		}
		if assign, ok := node.(*ast.AssignStmt); ok {
			divides = divides || assign.Tok == token.QUO_ASSIGN
			can = can || slices.Contains([]token.Token{token.REM_ASSIGN, token.SHL_ASSIGN, token.SHR_ASSIGN}, assign.Tok)
		}
		return !can
	})
	return can || divides && !f.onlyFloats()
}

// isSafeCall tells whether a call is one of package math, or a conversion between
// numbers.
func isSafeCall(call *ast.CallExpr) bool {
	if selector, ok := call.Fun.(*ast.SelectorExpr); ok {
		return isMath(selector)
	}
	name, ok := call.Fun.(*ast.Ident)
	return ok && slices.Contains(numberTypes, name.Name)
}

var numberTypes = []string{
	"int", "int8", "int16", "int32", "int64", "uint", "uint8", "uint16", "uint32", "uint64", "byte", "float32", "float64",
}

func isMath(selector *ast.SelectorExpr) bool {
	name, ok := selector.X.(*ast.Ident)
	return ok && name.Name == "math"
}

// onlyFloats tells whether a function uses only its parameters, all of type float64 or
// float32.
func (f *function) onlyFloats() bool {
	known := append([]string{"math", "float64", "float32"}, names(f.params)...)
	for _, p := range f.params {
		if !types.Identical(p.t, types.Typ[types.Float64]) && !types.Identical(p.t, types.Typ[types.Float32]) {
			return false
		}
	}
	only := true
	ast.Inspect(f.decl.Body, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.SelectorExpr: // of package math
			return false
		case *ast.Ident:
			only = only && slices.Contains(known, node.Name)
		}
		return true
	})
	return only
}

// loopNames returns the names of the parameters, or other ones if the loop
// uses one of these for something else.
func (f *function) loopNames(outs []string) []string {
	own := append([]string{"n", "i", "row", "err", f.decl.Name.Name}, outs...)
	ins := names(f.params)
	if !slices.ContainsFunc(ins, func(name string) bool { return slices.Contains(own, name) }) {
		return ins
	}
	for i := range ins {
		ins[i] = fmt.Sprintf("x%d", i+1)
	}
	return ins
}

// columns returns a list of parameters that are slices. Neighbours of the same type
// share it.
func (w *writer) columns(names []string, values []value) string {
	var b strings.Builder
	for i, name := range names {
		b.WriteString(name)
		last := i+1 == len(names)
		if last || !types.Identical(values[i].t, values[i+1].t) {
			b.WriteString(" []" + w.typeName(values[i].t))
		}
		if !last {
			b.WriteString(", ")
		}
	}
	return b.String()
}

func each(names []string, suffix string) string {
	return strings.Join(names, suffix+", ") + suffix
}
