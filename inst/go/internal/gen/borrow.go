package gen

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// A slice of numbers need not be copied for a function that neither keeps nor changes it.
// Here this is proven: each use of a parameter, and of whatever shares its memory, must be
// one of a few that are known to do neither. All others count as keeping it.

// lender knows of each parameter of the program's functions what they do with it.
type lender struct {
	*checked
	decls  map[*types.Func]*ast.FuncDecl
	params map[*types.Var]use
}

// use is what a function does with a parameter.
type use struct {
	keeps   bool // it may keep or change the memory
	returns bool // its result may share the memory
}

// lend proves what it can about all functions. It begins with the assumption that none keeps
// anything, so that functions may call themselves and each other, and goes on until nothing
// contradicts what is left of it.
func (p *program) lend() *lender {
	l := &lender{checked: p.types, decls: make(map[*types.Func]*ast.FuncDecl), params: make(map[*types.Var]use)}
	for _, s := range p.sources {
		for _, decl := range s.ast.Decls {
			fn, _ := decl.(*ast.FuncDecl)
			if fn == nil || fn.Body == nil {
				continue
			}
			if object, ok := l.info.Defs[fn.Name].(*types.Func); ok {
				l.decls[object] = fn
			}
		}
	}
	for changed := true; changed; {
		changed = false
		for object, fn := range l.decls {
			for _, param := range receives(object) {
				if found := l.follow(fn, object.Signature(), param); found != l.params[param] {
					l.params[param], changed = found, true
				}
			}
		}
	}
	return l
}

// receives returns the receiver and the parameters of a function.
func receives(fn *types.Func) []*types.Var {
	vars := slices.Collect(fn.Signature().Params().Variables())
	if recv := fn.Signature().Recv(); recv != nil {
		vars = append(vars, recv)
	}
	return vars
}

// borrows returns the parameters of a function that it neither keeps nor changes, of those
// whose memory can be the argument's own.
func (l *lender) borrows(f *function) []string {
	object, _ := l.info.Defs[f.decl.Name].(*types.Func)
	// Nothing is known of an instance of a generic type.
	if l.decls[object] == nil || object.Signature() != f.sig || f.returnsStream() {
		return nil
	}
	var out []string
	for i, v := range f.params {
		param := f.sig.Params().At(f.sig.Params().Len() - len(f.params) + i)
		if gonumTypes[v.gonum] == "denseOf" || !v.scalar && isNumbers(v.t) && !l.params[param].keeps {
			out = append(out, v.name)
		}
	}
	return out
}

// isNumbers tells whether a type is a slice of numbers other than bytes, which are one
// value, or a matrix.
func isNumbers(t types.Type) bool {
	var elem types.Type
	if slice, ok := t.Underlying().(*types.Slice); ok && !types.Identical(slice.Elem(), types.Typ[types.Byte]) {
		elem = slice.Elem()
	} else if qualified(t) == rgoipcPath+".Matrix" {
		elem = types.Unalias(t).(*types.Named).TypeArgs().At(0)
	} else {
		return false
	}
	basic, ok := elem.Underlying().(*types.Basic)
	return ok && basic.Info()&types.IsNumeric != 0
}

// trail follows the memory of one parameter through its function.
type trail struct {
	*lender
	sig    *types.Signature
	shares map[*types.Var]bool // local variables that may share the memory
	grown  bool                // there is a new one of them
	found  use
}

// follow returns what a function does with a parameter.
func (l *lender) follow(fn *ast.FuncDecl, sig *types.Signature, param *types.Var) use {
	t := &trail{lender: l, sig: sig, shares: map[*types.Var]bool{param: true}}
	for t.grown = true; t.grown && !t.found.keeps; {
		t.grown = false
		var path []ast.Node
		ast.Inspect(fn.Body, func(node ast.Node) bool {
			switch {
			case t.found.keeps:
				return false
			case node == nil:
				path = path[:len(path)-1]
				return true
			}
			path = append(path, node)
			if name, ok := node.(*ast.Ident); ok && t.isShared(name, path) {
				t.share(path)
			}
			return true
		})
	}
	return t.found
}

// isShared tells whether a name is a variable that shares the memory. So is one of which
// nothing is known, since it could be one.
func (t *trail) isShared(name *ast.Ident, path []ast.Node) bool {
	if object := t.info.Uses[name]; object != nil {
		v, ok := object.(*types.Var)
		return ok && t.shares[v]
	}
	if t.info.Defs[name] != nil {
		return false
	}
	if selector, ok := above(path).(*ast.SelectorExpr); ok && selector.Sel == name {
		return false
	}
	for v := range t.shares {
		if v.Name() == name.Name {
			return true
		}
	}
	return false
}

func above(path []ast.Node) ast.Node {
	if len(path) < 2 {
		return nil
	}
	return path[len(path)-2]
}

// share judges what is done with an expression, the last node of a path, that shares the
// memory: a slice, a matrix, or a function that uses one.
func (t *trail) share(path []ast.Node) {
	for i := len(path) - 1; i >= 0; i-- { // what is used in a function is used wherever that is called
		if literal, ok := path[i].(*ast.FuncLit); ok && literal != path[len(path)-1] {
			t.share(path[:i+1])
			break
		}
	}
	expr, up := path[len(path)-1], path[:len(path)-1]
	switch parent := above(path).(type) {
	case *ast.ParenExpr:
		t.share(up)
	case *ast.SliceExpr:
		t.share(up)
	case *ast.IndexExpr:
		t.element(up)
	case *ast.RangeStmt: // its elements are numbers
		t.keepUnless(parent.X == expr)
	case *ast.BinaryExpr: // with nil
	case *ast.ExprStmt, *ast.DeferStmt:
	case *ast.CallExpr:
		t.call(parent, up, slices.Index(parent.Args, expr.(ast.Expr)))
	case *ast.SelectorExpr:
		t.selected(parent, up)
	case *ast.AssignStmt:
		t.assign(parent.Lhs, parent.Rhs, expr)
	case *ast.ValueSpec:
		var names []ast.Expr
		for _, name := range parent.Names {
			names = append(names, name)
		}
		t.assign(names, parent.Values, expr)
	case *ast.ReturnStmt:
		t.returned(parent, up, expr)
	default:
		t.found.keeps = true
	}
}

func (t *trail) keepUnless(fine bool) { t.found.keeps = t.found.keeps || !fine }

// element judges what is done with an element, the last node of a path. It may be read.
func (t *trail) element(path []ast.Node) {
	switch parent := above(path).(type) {
	case *ast.ParenExpr:
		t.element(path[:len(path)-1])
	case *ast.UnaryExpr:
		t.keepUnless(parent.Op != token.AND)
	case *ast.AssignStmt:
		t.keepUnless(!slices.Contains(parent.Lhs, path[len(path)-1].(ast.Expr)))
	case *ast.IncDecStmt, *ast.SelectorExpr: // a method may change it
		t.found.keeps = true
	case *ast.RangeStmt: // over the elements of an element, or the target of the assignment
		t.found.keeps = true
	}
}

// assign judges an assignment of expr, if it is not what is assigned to.
func (t *trail) assign(to, from []ast.Expr, expr ast.Node) {
	i := slices.Index(from, expr.(ast.Expr))
	if i < 0 {
		return
	}
	if len(to) != len(from) { // the compiler complains
		t.found.keeps = true
		return
	}
	name, ok := to[i].(*ast.Ident)
	if !ok {
		t.found.keeps = true
		return
	}
	if name.Name == "_" {
		return
	}
	object := t.info.Defs[name]
	if object == nil {
		object = t.info.Uses[name]
	}
	v, ok := object.(*types.Var)
	switch {
	case !ok || v.Parent() == nil || v.Parent() == t.pkg.Scope():
		t.found.keeps = true
	case slices.Contains(slices.Collect(t.sig.Results().Variables()), v):
		t.result(v.Type())
	}
	if ok && !t.shares[v] {
		t.shares[v], t.grown = true, true
	}
}

// returned judges a return, unless it is that of a function within.
func (t *trail) returned(parent *ast.ReturnStmt, path []ast.Node, expr ast.Node) {
	within := slices.ContainsFunc(path, func(node ast.Node) bool { _, ok := node.(*ast.FuncLit); return ok })
	if i := slices.Index(parent.Results, expr.(ast.Expr)); !within && len(parent.Results) == t.sig.Results().Len() {
		t.result(t.sig.Results().At(i).Type())
	} else {
		t.found.keeps = true
	}
}

// result judges a result of a type. That of a slice or a matrix is known to share the memory.
func (t *trail) result(of types.Type) {
	_, ok := of.Underlying().(*types.Slice)
	t.keepUnless(ok || qualified(of) == rgoipcPath+".Matrix")
	t.found.returns = true
}

// call judges a call, the last node of a path, of which the memory is argument i, or that
// calls a function that uses it if there is none.
func (t *trail) call(call *ast.CallExpr, path []ast.Node, i int) {
	if _, ok := above(path).(*ast.GoStmt); ok {
		t.found.keeps = true
		return
	}
	if i < 0 {
		return
	}
	spread := call.Ellipsis.IsValid() && i == len(call.Args)-1
	if t.info.Types[call.Fun].IsType() { // a conversion
		t.share(path)
		return
	}
	switch fn := t.callee(call.Fun).(type) {
	case *types.Builtin:
		switch fn.Name() {
		case "len", "cap":
		case "copy", "append":
			t.keepUnless(i == 1 && (spread || fn.Name() == "copy"))
		default:
			t.found.keeps = true
		}
	case *types.Func:
		params := fn.Signature().Params()
		element := fn.Signature().Variadic() && i >= params.Len()-1 && !spread
		if t.decls[fn] == nil || params.Len() == 0 || element || t.isMethodExpr(call) {
			t.found.keeps = true
			return
		}
		t.passed(t.params[params.At(min(i, params.Len()-1))], fn, path)
	default:
		t.standard(call, path, i)
	}
}

// isMethodExpr tells whether a call names a method of a type, whose first argument is the
// receiver.
func (t *trail) isMethodExpr(call *ast.CallExpr) bool {
	selector, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	return ok && !t.info.Types[selector.X].IsValue()
}

// callee returns the function that is called, as it was declared, or nil.
func (t *trail) callee(fun ast.Expr) types.Object {
	switch fun := ast.Unparen(fun).(type) {
	case *ast.Ident:
		return origin(t.info.Uses[fun])
	case *ast.SelectorExpr:
		return origin(t.info.Uses[fun.Sel])
	case *ast.IndexExpr:
		return t.callee(fun.X)
	case *ast.IndexListExpr:
		return t.callee(fun.X)
	default:
		return nil
	}
}

func origin(object types.Object) types.Object {
	if fn, ok := object.(*types.Func); ok {
		return fn.Origin()
	}
	return object
}

// passed judges a call of a function that uses the memory so.
func (t *trail) passed(by use, fn *types.Func, path []ast.Node) {
	t.keepUnless(!by.keeps)
	if by.returns {
		t.keepUnless(fn.Signature().Results().Len() == 1)
		t.share(path)
	}
}

// selected judges the selection of a method or a field.
func (t *trail) selected(selector *ast.SelectorExpr, path []ast.Node) {
	call, _ := above(path).(*ast.CallExpr)
	called := call != nil && call.Fun == selector
	name := selector.Sel.Name
	if qualified(t.info.TypeOf(selector.X)) == rgoipcPath+".Matrix" {
		switch {
		case name == "Data":
			t.share(path)
		case name == "Col" && called:
			t.share(path[:len(path)-1])
		case slices.Contains([]string{"At", "Row", "Dims"}, name) && called:
		case slices.Contains([]string{"Rows", "Cols", "RowNames", "ColNames"}, name):
		default:
			t.found.keeps = true
		}
		return
	}
	fn, _ := t.callee(selector).(*types.Func)
	if fn == nil || !called || t.decls[fn] == nil {
		t.found.keeps = true
		return
	}
	t.call(call, path[:len(path)-1], -1)
	t.passed(t.params[fn.Signature().Recv()], fn, path[:len(path)-1])
}

// standard judges a call of a function of another package.
func (t *trail) standard(call *ast.CallExpr, path []ast.Node, i int) {
	fun := ast.Unparen(call.Fun)
	if index, ok := fun.(*ast.IndexExpr); ok {
		fun = index.X
	}
	selector, ok := fun.(*ast.SelectorExpr)
	if !ok {
		t.found.keeps = true
		return
	}
	name, _ := selector.X.(*ast.Ident)
	pkg, ok := t.info.Uses[name].(*types.PkgName)
	if !ok {
		t.found.keeps = true
		return
	}
	for _, r := range readers {
		if r.path == pkg.Imported().Path() && i >= r.from && slices.Contains(strings.Fields(r.names), selector.Sel.Name) {
			if r.returns {
				t.share(path)
			}
			return
		}
	}
	t.found.keeps = true
}

// readers are functions of other packages that only read their arguments, those from some
// position on, and only call them if they are functions.
var readers = []struct {
	path    string
	from    int
	returns bool // the result reads them, too
	names   string
}{
	{"slices", 0, false, "BinarySearch BinarySearchFunc Clone Collect Compare CompareFunc Concat Contains ContainsFunc Equal EqualFunc Index IndexFunc IsSorted IsSortedFunc Max MaxFunc Min MinFunc Repeat Sorted SortedFunc SortedStableFunc"},
	{"slices", 1, false, "AppendSeq DeleteFunc SortFunc SortStableFunc"},
	{"slices", 0, true, "All Backward Values"},
	{"sort", 0, false, "Float64sAreSorted IntsAreSorted SearchFloat64s SearchInts"},
	{"sort", 1, false, "Find Search Slice SliceStable"},
	{"gonum.org/v1/gonum/floats", 0, false, "Distance Dot Equal EqualApprox HasNaN Max MaxIdx Min MinIdx Norm Prod Same Sum"},
	{"gonum.org/v1/gonum/stat", 0, false, "Correlation Covariance ExKurtosis GeometricMean HarmonicMean LinearRegression Mean MeanStdDev MeanVariance PopMeanStdDev PopMeanVariance PopStdDev PopVariance Quantile Skew StdDev Variance"},
}
