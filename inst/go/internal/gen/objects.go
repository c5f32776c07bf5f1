package gen

import (
	"fmt"
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"mangoro.local/internal/gotype"
)

// objectType is a type whose values are objects: a pointer to a struct.
type objectType struct {
	t       types.Type // *T
	name    string     // in R
	doc     string
	methods []*function
}

// judgeObject judges a type whose values are objects, and tells whether it is one. If the
// struct embeds what nothing is known of, that is not known.
func judgeObject(t types.Type) (verdict, bool) {
	pointer, ok := types.Unalias(t).(*types.Pointer)
	if !ok {
		return verdict{}, false
	}
	named, ok := types.Unalias(pointer.Elem()).(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return verdict{}, false
	}
	if path := named.Obj().Pkg().Path(); path == rgoipcPath || gotype.HasOwnMeaning(path) {
		return verdict{}, false
	}
	u, ok := named.Underlying().(*types.Struct)
	if text, _ := textType(named); !ok || text {
		return verdict{}, false
	}
	var names []string
	for _, m := range exportedMethods(pointer) {
		names = append(names, m.Name())
	}
	fields, unknown := false, false
	for field := range u.Fields() {
		fields = fields || field.Exported()
		unknown = unknown || field.Embedded() && isUnknown(field.Type())
	}
	if gotype.IsObject(names, fields) {
		return verdict{object: true}, true
	}
	return verdict{unknown: true}, unknown
}

func isUnknown(t types.Type) bool {
	if pointer, ok := t.(*types.Pointer); ok {
		t = pointer.Elem()
	}
	basic, ok := t.Underlying().(*types.Basic)
	return ok && basic.Kind() == types.Invalid
}

// exportedMethods returns the methods of a type by name, those of what it embeds included.
func exportedMethods(t types.Type) []*types.Func {
	var out []*types.Func
	set := types.NewMethodSet(t)
	for i := range set.Len() {
		if fn, ok := set.At(i).Obj().(*types.Func); ok && fn.Exported() {
			out = append(out, fn)
		}
	}
	return out
}

// collectMethods finds the methods to register, and notes the directives that they use:
// those of all types of objects that functions take and return, and then their methods. What
// the program does not declare itself is left to rgoipc.
func (p *program) collectMethods(used map[*ast.Comment]bool) {
	for _, f := range p.functions {
		p.findObjects(f)
	}
	for i := 0; i < len(p.objects); i++ {
		of := p.objects[i]
		for _, fn := range exportedMethods(of.t) {
			if decl := p.declOf(fn); decl != nil && gotype.IsMethod(fn.Name()) {
				p.addMethod(of, decl, fn, used)
			}
		}
	}
}

// findObjects adds the types of objects among the parameters and results of a function.
func (p *program) findObjects(f *function) {
	for _, v := range slices.Concat(f.params, f.results) {
		for _, t := range objectsIn(v.t, nil) {
			if !slices.ContainsFunc(p.objects, func(of *objectType) bool { return types.Identical(of.t, t) }) {
				p.objects = append(p.objects, &objectType{t: t, name: p.objectName(t), doc: p.docOf(t)})
			}
		}
	}
}

// objectsIn returns the types of objects in a type.
func objectsIn(t types.Type, within []types.Type) []types.Type {
	t = types.Unalias(t)
	if v, _ := judgeObject(t); v.object {
		return []types.Type{t}
	}
	if slices.ContainsFunc(within, func(w types.Type) bool { return types.Identical(w, t) }) {
		return nil
	}
	within = append(slices.Clone(within), t)
	var out []types.Type
	if named, ok := t.(*types.Named); ok {
		for arg := range named.TypeArgs().Types() {
			out = append(out, objectsIn(arg, within)...)
		}
	}
	switch u := t.Underlying().(type) {
	case interface{ Elem() types.Type }: // pointers, slices, arrays, maps and channels
		return append(out, objectsIn(u.Elem(), within)...)
	case *types.Struct:
		for field := range u.Fields() {
			if field.Exported() || field.Embedded() {
				out = append(out, objectsIn(field.Type(), within)...)
			}
		}
	case *types.Signature:
		for _, tuple := range []*types.Tuple{u.Params(), u.Results()} {
			for v := range tuple.Variables() {
				out = append(out, objectsIn(v.Type(), within)...)
			}
		}
	}
	return out
}

// objectName returns the name that rgoipc has for a type of objects.
func (p *program) objectName(t types.Type) string {
	return types.TypeString(t.(*types.Pointer).Elem(), func(pkg *types.Package) string {
		if pkg == p.types.pkg {
			return ""
		}
		return pkg.Name()
	})
}

// docOf returns the text above the declaration of a type.
func (p *program) docOf(t types.Type) string {
	object := t.(*types.Pointer).Elem().(*types.Named).Obj()
	for _, s := range p.sources {
		for _, decl := range s.ast.Decls {
			decl, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range decl.Specs {
				if spec, ok := spec.(*ast.TypeSpec); ok && p.types.info.Defs[spec.Name] == object {
					if spec.Doc == nil && len(decl.Specs) == 1 {
						return strings.TrimSpace(decl.Doc.Text())
					}
					return strings.TrimSpace(spec.Doc.Text())
				}
			}
		}
	}
	return ""
}

// declOf returns the declaration of a method in the program, or nil.
func (p *program) declOf(fn *types.Func) *ast.FuncDecl {
	for _, s := range p.sources {
		for _, decl := range s.ast.Decls {
			if decl, ok := decl.(*ast.FuncDecl); ok && p.types.info.Defs[decl.Name] == fn.Origin() {
				return decl
			}
		}
	}
	return nil
}

// addMethod adds a method of a type of objects, or records why it is left out.
func (p *program) addMethod(of *objectType, decl *ast.FuncDecl, fn *types.Func, used map[*ast.Comment]bool) {
	d := p.readDirectives(decl, used)
	name := of.name + "." + fn.Name()
	f := newFunction(decl, fn.Signature(), d)
	f.receiver = of.t
	reason := f.unfit()
	switch {
	case d.skip:
		reason = "//mangoro:skip says so"
	case reason == "" && f.onGonum():
		reason = "it is a method on types of gonum: write a function that takes the object and calls it"
	}
	if reason != "" {
		p.leaveOut(decl, name, reason)
		return
	}
	if slices.ContainsFunc(of.methods, func(other *function) bool { return other.name == f.name }) {
		p.complain(decl.Name.Pos(), fmt.Sprintf("*%s has two methods `%s`", of.name, f.name))
		return
	}
	p.checkDirectives(f)
	of.methods = append(of.methods, f)
	p.findObjects(f)
}

// methods registers them.
func (w *writer) methods(rgoipc string) {
	for _, of := range w.objects {
		t := w.typeName(of.t)
		if of.doc != "" {
			w.line("registry.Object((%s)(nil), %s.Describe(%q)),", t, rgoipc, of.doc)
		}
		for _, f := range of.methods {
			w.line("registry.Method(%q, (%s).%s,\n%s,\n),", f.name, t, f.decl.Name.Name, strings.Join(w.options(f, rgoipc), ",\n"))
		}
	}
}
