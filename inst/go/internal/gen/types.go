package gen

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"reflect"
	"slices"
	"strings"
)

// checked is what go/types knows of the files. Types of packages other than
// those of stubTexts are invalid: nothing is known of them.
type checked struct {
	pkg  *types.Package
	info types.Info
}

func (p *program) checkTypes() {
	c := &checked{info: types.Info{Defs: make(map[*ast.Ident]types.Object)}}
	config := types.Config{
		Importer:         stubs{},
		IgnoreFuncBodies: true,
		Error:            func(error) {}, // the compiler says it better
	}
	var files []*ast.File
	for _, s := range p.sources {
		files = append(files, s.ast)
	}
	c.pkg, _ = config.Check("main", p.fset, files, &c.info)
	p.types = c
}

// stubTexts are packages reduced to their types that rgoipc takes and some that are often
// used with them.
var stubTexts = map[string]string{
	"context":            "package context; type Context interface { Err() error }",
	"time":               "package time; type Time struct{ wall int }; type Duration int64; type Month int; type Weekday int",
	arrowPath:            "package arrow; type Array interface { Len() int }; type RecordBatch interface { NumRows() int64 }; type Record = RecordBatch",
	arrowPath + "/array": "package array; type RecordReader interface { Next() bool }",
	gonumPath:            "package mat; type Matrix interface { Dims() (r, c int) }; type Vector interface { AtVec(int) float64 }; type Symmetric interface { SymmetricDim() int }; type Triangular interface { Triangle() (int, bool) }; type Diagonal interface { Diag() int }; type Dense struct{ m int }; type SymDense struct{ m int }; type VecDense struct{ m int }; type TriDense struct{ m int }; type DiagDense struct{ m int }",
	rgoipcPath:           "package rgoipc; type Null[T any] struct { V T; Valid bool }; type Nulls[T any] struct { Values []T; Valid []bool }; type Date int32; type Matrix[T any] struct { Data []T }; type Frame struct{}",
}

// stubs imports the packages of stubTexts. No other package can be imported, which go/types
// tolerates.
type stubs map[string]*types.Package

func (s stubs) Import(path string) (*types.Package, error) {
	path = strings.Replace(path, "github.com/apache/arrow/go/v18/", "github.com/apache/arrow-go/v18/", 1) // aliases
	if pkg := s[path]; pkg != nil {
		return pkg, nil
	}
	text, ok := stubTexts[path]
	if !ok {
		return nil, fmt.Errorf("nothing is known of package %q", path)
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", text, 0)
	if err != nil {
		return nil, err
	}
	pkg, err := new(types.Config).Check(path, fset, []*ast.File{file}, nil)
	s[path] = pkg
	return pkg, err
}

// verdict is what rgoipc will make of a type.
type verdict struct {
	reason  string // why rgoipc does not take it: "type int8, which is not supported"; or ""
	unknown bool   // it cannot be judged: there are types in it of which nothing is known
	scalar  bool   // one element of an R vector
	na      bool   // it shows NA: a pointer or a Null
	arrow   string // a type of Arrow's own, by its name
	gonum   string // a type of gonum's, by its name
	dynamic bool   // any, which only a result can be
	table   bool   // a struct, or one with NA
	tables  bool   // there is a map of structs within it, which only a parameter can be
	vector  bool   // a slice or Nulls
	matrix  bool   // a matrix, or a struct with one
}

// unfitParameter returns why a parameter cannot be of its type, or "".
func (v value) unfitParameter() string {
	if v.dynamic {
		return unsupported(v.t)
	}
	if v.gonum != "" && gonumTypes[v.gonum] == "" {
		return unsupported(v.t) + gonumAdvice
	}
	return v.reason
}

// unfitResult returns why a result cannot be of its type, or "".
func (v value) unfitResult() string {
	if v.tables && v.reason == "" {
		return unsupported(v.t) + ": R cannot read a map of structs"
	}
	return v.reason
}

// judge judges the type of a parameter or result.
func judge(t types.Type) verdict {
	switch name := qualified(t); name {
	case arrowPath + ".Array", arrowPath + ".RecordBatch", arrowPath + "/array.RecordReader":
		return verdict{arrow: name}
	}
	if name := gonumType(t); name != "" {
		return verdict{gonum: name}
	}
	if i, ok := t.Underlying().(*types.Interface); ok && i.Empty() {
		return verdict{dynamic: true}
	}
	return judgeWithin(t, nil)
}

// qualified returns the name of a named type with its path, or "".
func qualified(t types.Type) string {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return ""
	}
	return named.Obj().Pkg().Path() + "." + named.Obj().Name()
}

// judgeWithin judges a type that lies in others, as rgoipc's newCodec does.
func judgeWithin(t types.Type, within []types.Type) verdict {
	u := types.Unalias(t)
	if slices.ContainsFunc(within, func(w types.Type) bool { return types.Identical(w, u) }) {
		return verdict{reason: nameOfType(t) + ", which contains itself"}
	}
	within = append(slices.Clone(within), u)
	switch qualified(t) {
	case "time.Time", "time.Duration":
		return verdict{scalar: true}
	case rgoipcPath + ".Date":
		return verdict{scalar: true}
	case rgoipcPath + ".Null":
		return orNA(t, judgeWithin(u.(*types.Named).TypeArgs().At(0), within))
	case rgoipcPath + ".Nulls":
		return vectorOf(t, orNA(t, judgeWithin(u.(*types.Named).TypeArgs().At(0), within)))
	case rgoipcPath + ".Matrix":
		return matrixOf(t, judgeWithin(u.(*types.Named).TypeArgs().At(0), within))
	case rgoipcPath + ".Frame":
		return verdict{reason: unsupported(t) + ": it marks a struct whose fields are columns"}
	}
	if strings.HasPrefix(qualified(t), gonumPath+".") {
		return verdict{reason: unsupported(t) + gonumAdvice}
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return judgeBasic(t, u)
	case *types.Pointer:
		return orNA(t, judgeWithin(u.Elem(), within))
	case *types.Slice:
		if types.Identical(u.Elem(), types.Typ[types.Byte]) {
			return verdict{scalar: true}
		}
		return vectorOf(t, judgeWithin(u.Elem(), within))
	case *types.Struct:
		return judgeStruct(t, u, within)
	case *types.Map:
		key, ok := u.Key().Underlying().(*types.Basic)
		if !ok || key.Kind() != types.String && key.Kind() != types.Invalid {
			return verdict{reason: unsupported(t) + ": its keys must be strings"}
		}
		elem := judgeWithin(u.Elem(), within)
		v := listOf(t, elem)
		v.tables, v.unknown = v.tables || elem.table, v.unknown || key.Kind() == types.Invalid
		return v
	default:
		return verdict{reason: unsupported(t)}
	}
}

func judgeBasic(t types.Type, u *types.Basic) verdict {
	switch u.Kind() {
	case types.Invalid:
		return verdict{unknown: true}
	case types.Float64, types.Int32, types.Int64, types.Int, types.String, types.Bool, types.Complex128:
		return verdict{scalar: true}
	case types.Float32:
		return verdict{reason: unsupported(t) + ": use float64"}
	case types.Complex64, types.Uintptr, types.UnsafePointer:
		return verdict{reason: unsupported(t)}
	default:
		return verdict{reason: unsupported(t) + ": use int32, int64 or int"}
	}
}

// orNA is the verdict on a type that adds NA to another.
func orNA(t types.Type, v verdict) verdict {
	if v.na && v.reason == "" {
		v.reason = nameOfType(t) + ", which has NA twice"
	}
	v.na = true
	return v
}

// listOf is the verdict on a type that has elements.
func listOf(t types.Type, v verdict) verdict {
	if v.matrix && v.reason == "" {
		v.reason = unsupported(t) + ": a matrix cannot be an element: use several results, or a field for each"
	}
	return verdict{reason: v.reason, unknown: v.unknown, tables: v.tables}
}

// vectorOf is the verdict on a slice or Nulls.
func vectorOf(t types.Type, v verdict) verdict {
	v = listOf(t, v)
	v.vector = true
	return v
}

func matrixOf(t types.Type, v verdict) verdict {
	if !v.scalar && !v.unknown && v.reason == "" {
		v.reason = unsupported(t) + ": its elements must be scalars"
	}
	return verdict{reason: v.reason, unknown: v.unknown, matrix: true}
}

// isMarked tells whether a struct is one of columns: it embeds a Frame, or has one as a
// blank field.
func isMarked(u *types.Struct) bool {
	for field := range u.Fields() {
		if isFrame(field.Type()) && (field.Embedded() || field.Name() == "_") {
			return true
		}
	}
	return false
}

func isFrame(t types.Type) bool { return qualified(t) == rgoipcPath+".Frame" }

func judgeStruct(t types.Type, u *types.Struct, within []types.Type) verdict {
	frame := isMarked(u)
	v := verdict{table: !frame}
	var taken []string
	reason := "" // why it is no data frame, unless something else is wrong
	for i := range u.NumFields() {
		field := u.Field(i)
		name, tagged := reflect.StructTag(u.Tag(i)).Lookup("r")
		if !field.Exported() || name == "-" || field.Embedded() && isFrame(field.Type()) {
			continue
		}
		if !tagged || name == "" {
			name = field.Name()
		}
		if slices.Contains(taken, name) {
			return verdict{reason: fmt.Sprintf("%s, which has two fields `%s`", nameOfType(t), name)}
		}
		taken = append(taken, name)
		inner := judgeWithin(field.Type(), within)
		v.unknown, v.tables, v.matrix = v.unknown || inner.unknown, v.tables || inner.tables, v.matrix || inner.matrix
		if inner.reason != "" {
			return verdict{reason: fmt.Sprintf("%s, whose field %s is of %s", nameOfType(t), field.Name(), inner.reason)}
		}
		if frame && !inner.vector && !inner.unknown && reason == "" {
			reason = fmt.Sprintf("%s: it is a data frame, so field `%s` must be a slice", unsupported(t), name)
		}
	}
	if len(taken) == 0 {
		return verdict{reason: unsupported(t) + ": it has no exported fields"}
	}
	v.reason = reason
	return v
}

func unsupported(t types.Type) string { return nameOfType(t) + ", which is not supported" }

func nameOfType(t types.Type) string {
	return "type " + types.TypeString(t, func(pkg *types.Package) string {
		if pkg.Path() == "main" {
			return ""
		}
		return pkg.Name()
	})
}
