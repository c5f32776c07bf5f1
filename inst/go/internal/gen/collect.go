package gen

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"mangoro.local/internal/gotype"
)

// function is a function that is registered.
type function struct {
	decl       *ast.FuncDecl
	receiver   types.Type // of a method: the pointer of its object; nil: it is a function
	sig        *types.Signature
	name       string // in R
	context    bool   // the first parameter is a context
	fails      bool   // the last result is an error
	params     []value
	results    []value
	named      bool // the results have names
	directives directives
	loop       string // the name of its loop, or ""
	adapter    string // the name of the function around it, or ""
}

// value is a parameter other than the context, or a result other than the error.
type value struct {
	name string
	t    types.Type
	verdict
}

// collect finds the functions to register.
func (p *program) collect() {
	used := make(map[*ast.Comment]bool)
	var method *ast.FuncDecl // one that is exported
	for _, s := range p.sources {
		for _, decl := range s.ast.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			switch {
			case !ok:
			case fn.Recv != nil:
				if fn.Name.IsExported() {
					method = fn
				}
			case fn.Name.Name == "main":
				p.complain(fn.Name.Pos(), "the program has a main function of its own: start it with mangoro_start()")
			case fn.Name.IsExported():
				p.add(fn, used)
			}
		}
	}
	p.collectMethods(used)
	p.strayDirectives(used)
	if len(p.functions) == 0 && p.fine() {
		if method != nil {
			p.leaveOut(method, methodName(method), "R calls methods of objects, and there is no function that returns one")
		}
		p.complainOfNothing()
	}
}

func (p *program) complainOfNothing() {
	message := "there is no exported function: R can only call those whose names begin with a capital letter"
	if n := len(p.answer.LeftOut); n > 0 {
		s := p.answer.LeftOut[0]
		message = fmt.Sprintf("there is no function that R can call: %s is left out because %s", s.Name, s.Reason)
	}
	p.complainAt(p.firstPosition(), message)
}

// firstPosition is the position of the user's first function, or else of the first
// declaration or the package clause. It is no position if the user has written nothing.
func (p *program) firstPosition() token.Position {
	var first token.Pos
	for _, s := range p.sources {
		for _, decl := range s.ast.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok {
				return p.fset.Position(fn.Name.Pos())
			}
			if first == token.NoPos {
				first = decl.Pos()
			}
		}
		if first == token.NoPos && hasPackage(s.Text) {
			first = s.ast.Package
		}
	}
	return p.fset.Position(first)
}

func methodName(fn *ast.FuncDecl) string {
	return strings.TrimLeft(types.ExprString(fn.Recv.List[0].Type), "*") + "." + fn.Name.Name
}

// add adds an exported function, or records why it is left out.
func (p *program) add(fn *ast.FuncDecl, used map[*ast.Comment]bool) {
	d := p.readDirectives(fn, used)
	object, known := p.types.info.Defs[fn.Name].(*types.Func)
	if d.skip {
		p.leaveOut(fn, fn.Name.Name, "//mangoro:skip says so")
		return
	}
	if !known { // declared twice, say: the compiler complains
		return
	}
	f := newFunction(fn, object.Signature(), d)
	if reason := f.unfit(); reason != "" {
		p.leaveOut(fn, fn.Name.Name, reason)
		return
	}
	if slices.ContainsFunc(p.functions, func(other *function) bool { return other.name == f.name }) {
		p.complain(fn.Name.Pos(), fmt.Sprintf("there are two functions `%s`", f.name))
		return
	}
	p.checkDirectives(f)
	p.functions = append(p.functions, f)
	p.answer.Functions = append(p.answer.Functions, Function{f.name})
}

func newFunction(fn *ast.FuncDecl, sig *types.Signature, d directives) *function {
	f := &function{decl: fn, sig: sig, name: fn.Name.Name, directives: d}
	if d.name != "" {
		f.name = d.name
	}
	params, results := sig.Params(), sig.Results()
	first, last := 0, results.Len()
	if params.Len() > 0 && qualified(params.At(0).Type()) == "context.Context" {
		f.context, first = true, 1
	}
	if last > 0 && types.Identical(results.At(last-1).Type(), types.Universe.Lookup("error").Type()) {
		f.fails, last = true, last-1
	}
	f.params = values(params, first, params.Len(), false)
	if sig.Variadic() {
		f.params[len(f.params)-1].scalar = false // not even of bytes
	}
	f.results = values(results, 0, last, true)
	f.named = last > 0 && results.At(0).Name() != ""
	return f
}

// values returns variables [from, to) of a tuple, which are results or parameters. Those
// without a name have a number.
func values(tuple *types.Tuple, from, to int, result bool) []value {
	other := "x"
	if result {
		other = "result"
	}
	taken := make(map[string]bool)
	for v := range tuple.Variables() {
		taken[v.Name()] = true
	}
	var out []value
	for i := from; i < to; i++ {
		v := tuple.At(i)
		name := v.Name()
		if name == "" || name == "_" {
			name = fmt.Sprintf("%s%d", other, i-from+1)
			for taken[name] {
				name += "_"
			}
		}
		out = append(out, value{name, v.Type(), judge(v.Type(), result)})
	}
	return out
}

// unfit returns why R cannot call the function, or "".
func (f *function) unfit() string {
	if f.sig.TypeParams().Len() > 0 {
		return gotype.GenericFunction
	}
	for _, v := range f.params {
		if reason := v.unfitParameter(); reason != "" {
			return fmt.Sprintf("parameter `%s` is of %s", v.name, reason)
		}
	}
	for _, v := range f.results {
		if reason := v.unfitResult(); reason != "" {
			return fmt.Sprintf("result `%s` is of %s", v.name, reason)
		}
		if v.isStream() && len(f.results) > 1 {
			return fmt.Sprintf("result `%s` is a stream, which must be the only result", v.name)
		}
	}
	return ""
}

// elementwise tells whether the function runs once for each element, and whether that
// is known.
func (f *function) elementwise() (is, known bool) {
	is, known = len(f.params) > 0 && !f.directives.once, true
	values := f.params
	if !f.directives.each {
		values = slices.Concat(f.params, f.results)
	}
	for _, v := range values {
		is, known = is && (v.scalar || v.unknown), known && !v.unknown
	}
	return is, known || !is
}

// loops tells whether the function gets a loop of its own, which the compiler can
// inline it into: not if it takes a context or shows NA.
func (f *function) loops() bool {
	is, known := f.elementwise()
	for _, v := range f.params {
		known = known && !v.na
	}
	return is && known && !f.directives.each && !f.context && len(f.results) > 0
}
