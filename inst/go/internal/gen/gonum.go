package gen

import (
	"fmt"
	"go/types"
	"slices"
	"strings"
)

// rgoipc does not know gonum, so a function on gonum's matrices gets another one around
// it, which has rgoipc's in their place.

const gonumPath = "gonum.org/v1/gonum/mat"

const gonumAdvice = ": use *mat.Dense, *mat.SymDense or *mat.VecDense, as a parameter or a result of its own"

// gonumTypes are the types of gonum that parameters and results can have, with the helper
// that makes one of a parameter. Those without a helper are results only.
var gonumTypes = map[string]string{
	"*Dense": "denseOf", "Matrix": "denseOf",
	"*SymDense": "symDenseOf", "Symmetric": "symDenseOf",
	"*VecDense": "vecDenseOf", "Vector": "vecDenseOf",
	"*TriDense": "", "Triangular": "",
	"*DiagDense": "", "Diagonal": "",
}

// gonumType returns the name of a type in gonumTypes, or "".
func gonumType(t types.Type) string {
	star := ""
	if pointer, ok := types.Unalias(t).(*types.Pointer); ok {
		star, t = "*", pointer.Elem()
	}
	name, found := strings.CutPrefix(qualified(t), gonumPath+".")
	if _, known := gonumTypes[star+name]; found && known {
		return star + name
	}
	return ""
}

// onGonum tells whether the function takes or returns types of gonum.
func (f *function) onGonum() bool {
	return slices.ContainsFunc(slices.Concat(f.params, f.results), func(v value) bool { return v.gonum != "" })
}

// adapter writes the function around one on gonum's types.
func (w *writer) adapter(f *function) {
	var ins, outs, args, results, converted []string
	var before strings.Builder
	fails := f.fails
	if f.context {
		ins, args = append(ins, "ctx "+w.use("context")+".Context"), append(args, "ctx")
	}
	for i, v := range f.params {
		name, t := fmt.Sprintf("x%d", i+1), w.adapted(v, "")
		arg := name
		if f.sig.Variadic() && i+1 == len(f.params) {
			t, arg = "..."+strings.TrimPrefix(t, "[]"), name+"..."
		}
		switch helper := gonumTypes[v.gonum]; helper {
		case "":
		case "symDenseOf":
			fails, arg = true, fmt.Sprintf("arg%d", i+1)
			fmt.Fprintf(&before, "%s, err := %s(%q, %s)\nif err != nil {\nreturn\n}\n", arg, w.helper(helper), v.name, name)
		default:
			arg = w.helper(helper) + "(" + name + ")"
		}
		ins, args = append(ins, name+" "+t), append(args, arg)
	}
	for i, v := range f.results {
		result := fmt.Sprintf("result%d", i+1)
		outs, results = append(outs, fmt.Sprintf("out%d %s", i+1, w.adapted(v, "*"))), append(results, result)
		switch {
		case strings.Contains(v.gonum, "Vec"):
			result = w.helper("numbersOf") + "(" + result + ")"
		case v.gonum != "":
			result = w.helper("matrixOf") + "(" + result + ")"
		}
		converted = append(converted, result)
	}
	if fails {
		outs, converted = append(outs, "err error"), append(converted, "nil")
	}
	if f.fails {
		results = append(results, "err")
	}
	call, returns := f.decl.Name.Name+"("+strings.Join(args, ", ")+")", "return "+strings.Join(converted, ", ")
	if len(results) > 0 {
		assign := " := "
		if len(f.results) == 0 {
			assign = " = "
		}
		call = strings.Join(results, ", ") + assign + call
	}
	if f.fails {
		call += "\nif err != nil {\nreturn\n}"
	}
	w.line("\nfunc %s(%s) (%s) {\n%s%s\n%s\n}", f.adapter, strings.Join(ins, ", "), strings.Join(outs, ", "), before.String(), call, returns)
}

// adapted returns the type that a parameter or result has in the function around another
// one. A result that is nil is NULL.
func (w *writer) adapted(v value, pointer string) string {
	switch {
	case v.gonum == "":
		return w.typeName(v.t)
	case strings.Contains(v.gonum, "Vec"):
		return pointer + "[]float64"
	default:
		return pointer + w.use(rgoipcPath) + ".Matrix[float64]"
	}
}

// helper returns the name of a helper, which is written at the end.
func (w *writer) helper(name string) string {
	if w.helpers[name] == "" {
		w.helpers[name] = w.free(name)
	}
	return w.helpers[name]
}

// writeHelpers writes those that adapters have used.
func (w *writer) writeHelpers() {
	for _, h := range helpers {
		if name := w.helpers[h.name]; name != "" {
			w.line("\n%s", strings.NewReplacer("NAME", name, "mat.", w.use(gonumPath)+".", "rgoipc.", w.use(rgoipcPath)+".").Replace(h.text))
		}
	}
}

// helpers convert between rgoipc's matrices, which have their elements column by column,
// and gonum's, which have them row by row. gonum has none without elements but its zero
// values.
var helpers = []struct{ name, text string }{
	{"denseOf", `func NAME(m rgoipc.Matrix[float64]) *mat.Dense {
	if len(m.Data) == 0 {
		return new(mat.Dense)
	}
	return mat.DenseCopyOf(mat.NewDense(m.Cols, m.Rows, m.Data).T())
}`},
	{"symDenseOf", `func NAME(arg string, m rgoipc.Matrix[float64]) (*mat.SymDense, error) {
	if len(m.Data) == 0 {
		return new(mat.SymDense), nil
	}
	symmetric := m.Rows == m.Cols
	for i := 0; symmetric && i < m.Rows; i++ {
		for j := 0; symmetric && j < i; j++ {
			a, b := m.At(i, j), m.At(j, i)
			symmetric = a == b || a != a && b != b
		}
	}
	if !symmetric {
		return nil, &rgoipc.Error{Code: rgoipc.CodeInvalidArgument, Message: "argument ` + "`\" + arg + \"`" + ` must be a symmetric matrix"}
	}
	return mat.NewSymDense(m.Rows, m.Data), nil
}`},
	{"vecDenseOf", `func NAME(x []float64) *mat.VecDense {
	if len(x) == 0 {
		return new(mat.VecDense)
	}
	return mat.NewVecDense(len(x), x)
}`},
	{"matrixOf", `func NAME[M interface {
	comparable
	mat.Matrix
}](m M) *rgoipc.Matrix[float64] {
	if m == *new(M) {
		return nil
	}
	rows, cols := m.Dims()
	out := rgoipc.NewMatrix[float64](rows, cols)
	if len(out.Data) > 0 {
		mat.NewDense(cols, rows, out.Data).Copy(m.T())
	}
	return &out
}`},
	{"numbersOf", `func NAME[V interface {
	comparable
	mat.Vector
}](v V) *[]float64 {
	if v == *new(V) {
		return nil
	}
	out := make([]float64, v.Len())
	for i := range out {
		out[i] = v.AtVec(i)
	}
	return &out
}`},
}
