package gen

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

const directivePrefix = "//mangoro:"

// directives are what the doc comment of a function says to the generator.
type directives struct {
	name     string
	skip     bool
	parallel bool
	once     bool
	defaults []fallback
	pos      token.Pos // of parallel
}

// fallback is the default of a parameter.
type fallback struct {
	param string
	text  string // as Go code
	value constant.Value
	pos   token.Pos
}

// readDirectives reads the doc comment of a function. The comments that it
// understands are used.
func (p *program) readDirectives(fn *ast.FuncDecl, used map[*ast.Comment]bool) directives {
	var d directives
	if fn.Doc == nil {
		return d
	}
	for _, comment := range fn.Doc.List {
		text, found := strings.CutPrefix(comment.Text, directivePrefix)
		if !found {
			continue
		}
		used[comment] = true
		verb, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
		if err := d.set(verb, strings.TrimSpace(rest), comment.Pos()); err != nil {
			p.complain(comment.Pos(), directivePrefix+verb+" "+err.Error())
		}
	}
	return d
}

func (d *directives) set(verb, rest string, pos token.Pos) error {
	flag := map[string]*bool{"skip": &d.skip, "parallel": &d.parallel, "once": &d.once}[verb]
	switch {
	case flag != nil:
		*flag = true
		if verb == "parallel" {
			d.pos = pos
		}
		if rest != "" {
			return fmt.Errorf("takes nothing after it, and has %q", rest)
		}
	case verb == "name":
		if d.name = rest; rest == "" || strings.ContainsAny(rest, " \t") {
			return fmt.Errorf("takes one name, and has %q", rest)
		}
	case verb == "default":
		return d.setDefault(rest, pos)
	default:
		return fmt.Errorf("is unknown: there are skip, name, parallel, once and default")
	}
	return nil
}

func (d *directives) setDefault(text string, pos token.Pos) error {
	param, code, found := strings.Cut(text, "=")
	param, code = strings.TrimSpace(param), strings.TrimSpace(code)
	value := literal(code)
	switch {
	case !found || !token.IsIdentifier(param) || value == nil:
		return fmt.Errorf("takes a parameter and a value that is a number, a \"string\", true or false, as in n=10, and has %q", text)
	case slices.ContainsFunc(d.defaults, func(f fallback) bool { return f.param == param }):
		return fmt.Errorf("gives `%s` a second default", param)
	}
	d.defaults = append(d.defaults, fallback{param, code, value, pos})
	return nil
}

// literal returns the value of a number, a string or a logical, or nil.
func literal(code string) constant.Value {
	expr, err := parser.ParseExpr(code)
	if err != nil {
		return nil
	}
	negative := false
	if unary, ok := expr.(*ast.UnaryExpr); ok && (unary.Op == token.SUB || unary.Op == token.ADD) {
		expr, negative = unary.X, unary.Op == token.SUB
	}
	switch expr := expr.(type) {
	case *ast.BasicLit:
		value := constant.MakeFromLiteral(expr.Value, expr.Kind, 0)
		switch {
		case value.Kind() == constant.Unknown || value.Kind() == constant.Complex || expr.Kind == token.CHAR:
			return nil
		case negative && value.Kind() == constant.String:
			return nil
		case negative:
			return constant.UnaryOp(token.SUB, value, 0)
		}
		return value
	case *ast.Ident:
		if code == "true" || code == "false" {
			return constant.MakeBool(code == "true")
		}
	}
	return nil
}

// checkDirectives complains of directives that do not fit the function.
func (p *program) checkDirectives(f *function) {
	d := f.directives
	if is, known := f.elementwise(); d.parallel && known && !is {
		p.complain(d.pos, directivePrefix+"parallel needs an elementwise function: one of scalars, and without //mangoro:once")
	}
	for _, def := range d.defaults {
		i := slices.IndexFunc(f.params, func(v value) bool { return v.name == def.param })
		if i < 0 {
			p.complain(def.pos, fmt.Sprintf("%sdefault: `%s` has no parameter `%s`", directivePrefix, f.decl.Name.Name, def.param))
		} else if v := f.params[i]; !v.unknown && !def.fits(plain(v.t)) {
			p.complain(def.pos, fmt.Sprintf("%sdefault: parameter `%s` of %s cannot be %s", directivePrefix, def.param, nameOfType(v.t), def.text))
		}
	}
}

// plain returns the type of a value that is not NA.
func plain(t types.Type) types.Type {
	if qualified(t) == rgoipcPath+".Null" {
		return types.Unalias(t).(*types.Named).TypeArgs().At(0)
	}
	if pointer, ok := t.Underlying().(*types.Pointer); ok {
		return pointer.Elem()
	}
	return t
}

// fits tells whether a type holds the value.
func (f fallback) fits(t types.Type) bool {
	basic, ok := t.Underlying().(*types.Basic)
	if !ok {
		return false
	}
	switch info := basic.Info(); {
	case info&types.IsString != 0:
		return f.value.Kind() == constant.String
	case info&types.IsBoolean != 0:
		return f.value.Kind() == constant.Bool
	case info&types.IsInteger != 0:
		n, exact := constant.Int64Val(constant.ToInt(known(f.value)))
		return exact && (basic.Kind() != types.Int32 || int64(int32(n)) == n)
	case info&types.IsFloat != 0:
		return f.value.Kind() == constant.Int || f.value.Kind() == constant.Float
	default:
		return false
	}
}

// known returns a number, or one that is no integer for what is none:
// Int64Val takes integers and unknown values only.
func known(v constant.Value) constant.Value {
	if v.Kind() == constant.Int || v.Kind() == constant.Float {
		return v
	}
	return constant.MakeFloat64(0.5)
}

// strayDirectives complains of directives that no function has.
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
