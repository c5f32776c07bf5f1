package gen

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

const directivePrefix = "//mangoro:"

// directives are what the doc comment of a function says to the generator.
type directives struct {
	name     string
	skip     bool
	parallel bool
	once     bool
	each     bool
	defaults []fallback
	paths    []pathParam
	at       map[string]token.Pos // of those that stand alone
}

// fallback is the default of a parameter.
type fallback struct {
	param string
	text  string         // as Go code
	value constant.Value // nil for NULL
	pos   token.Pos
}

// pathParam is a parameter that is the path of a file.
type pathParam struct {
	param string
	pos   token.Pos
}

// verbs are the directives, as messages list them.
var verbs = []string{"default", "each", "name", "once", "parallel", "path", "skip"}

// readDirectives reads the doc comment of a function, and marks the comments that
// are directives as used.
func (p *program) readDirectives(fn *ast.FuncDecl, used map[*ast.Comment]bool) directives {
	var d directives
	if fn.Doc == nil {
		return d
	}
	for _, comment := range fn.Doc.List {
		text, found := strings.CutPrefix(comment.Text, directivePrefix)
		if !found {
			p.spacedDirective(comment)
			continue
		}
		used[comment] = true
		verb, rest := strings.TrimSpace(text), ""
		if end := strings.IndexAny(verb, " \t"); end >= 0 {
			verb, rest = verb[:end], verb[end:]
		}
		if err := d.set(verb, strings.TrimSpace(rest), comment.Pos()); err != nil {
			p.complain(comment.Pos(), directivePrefix+verb+" "+err.Error())
		}
	}
	return d
}

// spacedDirective complains about a comment that would be a directive without its
// space.
func (p *program) spacedDirective(comment *ast.Comment) {
	text, line := strings.CutPrefix(comment.Text, "//")
	words := strings.Fields(text)
	if !line || len(words) == 0 {
		return
	}
	verb, found := strings.CutPrefix(words[0], "mangoro:")
	if found && slices.Contains(verbs, verb) {
		p.complain(comment.Pos(), fmt.Sprintf("write %s%s, without the space", directivePrefix, verb))
	}
}

func (d *directives) set(verb, rest string, pos token.Pos) error {
	flag := map[string]*bool{"skip": &d.skip, "parallel": &d.parallel, "once": &d.once, "each": &d.each}[verb]
	switch {
	case flag != nil:
		*flag = true
		if d.at == nil {
			d.at = make(map[string]token.Pos)
		}
		d.at[verb] = pos
		if rest != "" {
			return fmt.Errorf("takes nothing after it, not %q", rest)
		}
	case verb == "name":
		if d.name = rest; rest == "" || strings.ContainsAny(rest, " \t") {
			return fmt.Errorf("takes one name, not %q", rest)
		}
	case verb == "default":
		return d.setDefault(rest, pos)
	case verb == "path":
		return d.setPaths(rest, pos)
	default:
		last := len(verbs) - 1
		return fmt.Errorf("is unknown; the directives are %s and %s", strings.Join(verbs[:last], ", "), verbs[last])
	}
	return nil
}

func (d *directives) setPaths(text string, pos token.Pos) error {
	names := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' })
	if len(names) == 0 || slices.ContainsFunc(names, func(name string) bool { return !token.IsIdentifier(name) }) {
		return fmt.Errorf("takes the names of parameters, not %q", text)
	}
	for _, name := range names {
		d.paths = append(d.paths, pathParam{name, pos})
	}
	return nil
}

func (d *directives) setDefault(text string, pos token.Pos) error {
	param, code, found := strings.Cut(text, "=")
	param, code = strings.TrimSpace(param), strings.TrimSpace(code)
	if _, err := time.Parse(time.DateOnly, code); err == nil {
		code = strconv.Quote(code)
	}
	value, code := literal(code)
	switch {
	case !found || !token.IsIdentifier(param) || value == nil && code != "NULL":
		return fmt.Errorf("takes a parameter and a value that is a number, a \"string\", a date, true, false or NULL, as in n=10, not %q", text)
	case slices.ContainsFunc(d.defaults, func(f fallback) bool { return f.param == param }):
		return fmt.Errorf("gives `%s` a second default", param)
	}
	d.defaults = append(d.defaults, fallback{param, code, value, pos})
	return nil
}

// literal returns the value of a number, a string or a logical, or nil, and the
// code for it, without the comment that may come after it.
func literal(code string) (constant.Value, string) {
	expr, err := parser.ParseExpr(code)
	if err != nil {
		return nil, code
	}
	return valueOf(expr), types.ExprString(expr)
}

func valueOf(expr ast.Expr) constant.Value {
	switch expr := expr.(type) {
	case *ast.BasicLit:
		if expr.Kind != token.CHAR && expr.Kind != token.IMAG {
			return constant.MakeFromLiteral(expr.Value, expr.Kind, 0)
		}
	case *ast.UnaryExpr:
		number, ok := expr.X.(*ast.BasicLit)
		if ok && expr.Op == token.SUB && (number.Kind == token.INT || number.Kind == token.FLOAT) {
			return constant.UnaryOp(token.SUB, valueOf(number), 0)
		}
	case *ast.Ident:
		if expr.Name == "true" || expr.Name == "false" {
			return constant.MakeBool(expr.Name == "true")
		}
	}
	return nil
}

// checkDirectives complains of directives that do not fit the function.
func (p *program) checkDirectives(f *function) {
	d := f.directives
	if d.each {
		p.checkEach(f)
	}
	if is, known := f.elementwise(); d.parallel && known && !is {
		p.complain(d.at["parallel"], directivePrefix+"parallel needs a function that is called for each element: one of single values, or with //mangoro:each")
	}
	for _, def := range d.defaults {
		if v, ok := p.param(f, "default", def.param, def.pos); ok && !v.unknown && !def.fits(v) {
			p.complain(def.pos, fmt.Sprintf("%sdefault: parameter `%s` of %s cannot be %s", directivePrefix, def.param, nameOfType(v.t), def.text))
		}
	}
	for _, given := range d.paths {
		if v, ok := p.param(f, "path", given.param, given.pos); ok && !v.unknown && !holdsText(v.t) {
			p.complain(given.pos, fmt.Sprintf("%spath: parameter `%s` of %s is no string", directivePrefix, given.param, nameOfType(v.t)))
		}
	}
}

// param returns the parameter that a directive names, or complains that there is none.
func (p *program) param(f *function, verb, name string, pos token.Pos) (value, bool) {
	i := slices.IndexFunc(f.params, func(v value) bool { return v.name == name })
	if i < 0 {
		p.complain(pos, fmt.Sprintf("%s%s: `%s` has no parameter `%s`", directivePrefix, verb, f.decl.Name.Name, name))
		return value{}, false
	}
	return f.params[i], true
}

// checkEach complains if the function cannot be called for each element of its arguments.
func (p *program) checkEach(f *function) {
	complain := func(why string) { p.complain(f.directives.at["each"], directivePrefix+"each: "+why) }
	switch {
	case f.directives.once:
		complain("the function cannot be called for each element and once")
	case len(f.params) == 0:
		complain("the function has no parameters, and so no elements to be called for")
	}
	for _, v := range f.params {
		if !v.scalar && !v.unknown {
			complain(fmt.Sprintf("parameter `%s` of %s is not a single value", v.name, nameOfType(v.t)))
		}
	}
	for _, v := range f.results {
		if v.isStream() {
			complain("the result is a stream")
		}
	}
}

// holdsText tells whether a type is that of strings, of a slice of them, or of those with NA.
func holdsText(t types.Type) bool {
	t = valueType(t)
	if slice, ok := t.Underlying().(*types.Slice); ok {
		t = valueType(slice.Elem())
	} else if qualified(t) == rgoipcPath+".Nulls" {
		t = types.Unalias(t).(*types.Named).TypeArgs().At(0)
	}
	basic, ok := t.Underlying().(*types.Basic)
	return ok && basic.Info()&types.IsString != 0
}

// canBeNil tells whether a type has a value for a missing argument, as rgoipc's Optional
// wants it.
func canBeNil(t types.Type) bool {
	switch t.Underlying().(type) {
	case *types.Pointer, *types.Slice, *types.Map, *types.Interface, *types.Signature:
		return true
	default:
		return slices.Contains([]string{rgoipcPath + ".Null", rgoipcPath + ".Nulls"}, qualified(t))
	}
}

// valueType returns the type of the values of t that are not NA.
func valueType(t types.Type) types.Type {
	if qualified(t) == rgoipcPath+".Null" {
		return types.Unalias(t).(*types.Named).TypeArgs().At(0)
	}
	if pointer, ok := t.Underlying().(*types.Pointer); ok {
		return pointer.Elem()
	}
	return t
}

// fits tells whether a parameter can hold the value.
func (f fallback) fits(v value) bool {
	if f.value == nil {
		return canBeNil(v.t)
	}
	if f.value.Kind() == constant.String && qualified(valueType(v.t)) == rgoipcPath+".Date" {
		_, err := time.Parse(time.DateOnly, constant.StringVal(f.value))
		return err == nil
	}
	if text, _ := textType(valueType(v.t)); text && f.value.Kind() == constant.String {
		return true
	}
	basic, ok := valueType(v.t).Underlying().(*types.Basic)
	if !ok {
		return false
	}
	switch info := basic.Info(); {
	case info&types.IsString != 0:
		return f.value.Kind() == constant.String
	case info&types.IsBoolean != 0:
		return f.value.Kind() == constant.Bool
	case info&types.IsInteger != 0:
		return fitsInteger(known(f.value), basic.Kind(), info&types.IsUnsigned != 0)
	case info&types.IsFloat != 0:
		number := f.value.Kind() == constant.Int || f.value.Kind() == constant.Float
		x, _ := constant.Float64Val(known(f.value))
		most := math.MaxFloat64
		if basic.Kind() == types.Float32 {
			most = math.MaxFloat32
		}
		return number && math.Abs(x) <= most
	default:
		return false
	}
}

// fitsInteger tells whether a number is one of an integer type. An int has 64 bits.
func fitsInteger(v constant.Value, kind types.BasicKind, unsigned bool) bool {
	size := map[types.BasicKind]uint{
		types.Int8: 8, types.Int16: 16, types.Int32: 32, types.Uint8: 8, types.Uint16: 16, types.Uint32: 32,
	}[kind]
	if size == 0 {
		size = 64
	}
	v = constant.ToInt(v)
	if unsigned {
		n, exact := constant.Uint64Val(v)
		return exact && constant.Sign(v) >= 0 && n>>(size-1)>>1 == 0
	}
	n, exact := constant.Int64Val(v)
	return exact && n>>(size-1) == n>>63
}

// known returns v if it is a number. For anything else, which go/constant does not
// convert, it returns 0.5, which is not an integer.
func known(v constant.Value) constant.Value {
	if v.Kind() == constant.Int || v.Kind() == constant.Float {
		return v
	}
	return constant.MakeFloat64(0.5)
}

// strayDirectives complains about directives that do not belong to a function.
func (p *program) strayDirectives(used map[*ast.Comment]bool) {
	for _, s := range p.sources {
		for _, group := range s.ast.Comments {
			for _, comment := range group.List {
				if strings.HasPrefix(comment.Text, directivePrefix) && !used[comment] {
					p.complain(comment.Pos(), "a "+directivePrefix+" line belongs in the comment right above an exported function")
				}
			}
		}
	}
}
