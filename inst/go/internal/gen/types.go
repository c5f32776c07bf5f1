package gen

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"reflect"
	"slices"
	"strings"

	"mangoro.local/internal/gotype"
)

// checked is what go/types knows of the files. Types of packages other than
// those of stubTexts are invalid: nothing is known of them.
type checked struct {
	pkg  *types.Package
	info types.Info
}

func (p *program) checkTypes() {
	c := &checked{info: types.Info{
		Defs:  make(map[*ast.Ident]types.Object),
		Uses:  make(map[*ast.Ident]types.Object),
		Types: make(map[ast.Expr]types.TypeAndValue),
	}}
	config := types.Config{
		Importer: stubs{},
		Error:    func(error) {}, // the compiler says it better
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
	"iter":               "package iter; type Seq[V any] func(yield func(V) bool); type Seq2[K, V any] func(yield func(K, V) bool)",
	"encoding/json":      "package json; type RawMessage []byte; type Number string",
	"math/big":           "package big; type Int struct { neg bool }; type Float struct { neg bool }; type Rat struct { a Int }" + textMethods("Int", "Float", "Rat"),
	"net/netip":          "package netip; type Addr struct { z int }; type AddrPort struct { z int }; type Prefix struct { z int }" + textMethods("Addr", "AddrPort", "Prefix"),
	"time":               "package time; type Time struct{ wall int }; type Duration int64; type Month int; type Weekday int" + textMethods("Time"),
	arrowPath:            "package arrow; type Array interface { Len() int }; type RecordBatch interface { NumRows() int64 }; type Record = RecordBatch",
	arrowPath + "/array": "package array; type RecordReader interface { Next() bool }",
	gonumPath:            "package mat; type Matrix interface { Dims() (r, c int) }; type Vector interface { AtVec(int) float64 }; type Symmetric interface { SymmetricDim() int }; type Triangular interface { Triangle() (int, bool) }; type Diagonal interface { Diag() int }; type Dense struct{ m int }; type SymDense struct{ m int }; type VecDense struct{ m int }; type TriDense struct{ m int }; type DiagDense struct{ m int }",
	rgoipcPath:           "package rgoipc; type Null[T any] struct { V T; Valid bool }; type Nulls[T any] struct { Values []T; Valid []bool }; type Date int32; type Matrix[T any] struct { Rows, Cols int; Data []T; RowNames, ColNames []string }; func (Matrix[T]) At(i, j int) (v T); func (Matrix[T]) Col(j int) (c []T); func (Matrix[T]) Row(i int) (r []T); func (Matrix[T]) Dims() (r, c int); func (Matrix[T]) Set(i, j int, v T); type Frame struct{}",
}

// textMethods declares the methods of types that read and write text.
func textMethods(names ...string) string {
	var text strings.Builder
	for _, name := range names {
		fmt.Fprintf(&text, "; func (*%[1]s) MarshalText() ([]byte, error); func (*%[1]s) UnmarshalText([]byte) error", name)
	}
	return text.String()
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
	reason  string // why rgoipc does not take it: "type uintptr, which is not supported"; or ""
	unknown bool   // it cannot be judged: there are types in it of which nothing is known
	scalar  bool   // one element of an R vector, or a struct of scalars
	na      bool   // it shows NA: a pointer or a Null
	arrow   string // a type of Arrow's own, by its name
	gonum   string // a type of gonum's, by its name
	dynamic bool   // any
	table   bool   // a struct, or one with NA
	vector  bool   // a slice or Nulls
	matrix  bool   // a matrix, or a struct with one
	fn      bool   // an R function
	stream  bool   // it is read or written part by part
	object  bool   // it stays in Go
	lacks   string // a method without which there is a type that cannot be read, or cannot be written
}

// unfitParameter returns why a parameter cannot be of its type, or "".
func (v value) unfitParameter() string {
	if v.gonum != "" && gonumTypes[v.gonum] == "" {
		return unsupported(v.t) + gonumAdvice
	}
	return v.unfit("MarshalText")
}

// unfitResult returns why a result cannot be of its type, or "".
func (v value) unfitResult() string { return v.unfit("UnmarshalText") }

// unfit returns why a value cannot be of its type, of which one method is not needed.
func (v value) unfit(unneeded string) string {
	if v.reason == "" && v.lacks != "" && v.lacks != unneeded {
		return unsupported(v.t) + gotype.HalfText(v.lacks)
	}
	return v.reason
}

// judge judges the type of a result, or of a parameter.
func judge(t types.Type, result bool) verdict {
	switch name := qualified(t); name {
	case arrowPath + ".Array", arrowPath + ".RecordBatch", arrowPath + "/array.RecordReader":
		return verdict{arrow: name}
	}
	if name := gonumType(t); name != "" {
		return verdict{gonum: name}
	}
	if v, is := judgeObject(t); is {
		return v
	}
	if v, is := judgeSequence(t, result); is {
		return v
	}
	if v, is := judgeFunction(t); is && !result {
		return v
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
		return verdict{reason: nameOfType(t) + ", which contains itself" + gotype.Recursive}
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
	if is, lacks := textType(t); is {
		return verdict{scalar: true, lacks: lacks}
	}
	if v, is := judgeObject(t); is {
		return v
	}
	if isDynamic(t) {
		_, is := t.Underlying().(*types.Interface)
		return verdict{na: true, dynamic: is, lacks: lacksOfKeys(t)}
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
	case *types.Array:
		if types.Identical(u.Elem(), types.Typ[types.Byte]) {
			return verdict{scalar: true}
		}
		return listOf(t, judgeWithin(u.Elem(), within))
	case *types.Struct:
		return judgeStruct(t, u, within)
	case *types.Map:
		key := judgeKey(t, u.Key())
		if key.reason != "" {
			return key
		}
		v := listOf(t, judgeWithin(u.Elem(), within))
		v.unknown, v.lacks = v.unknown || key.unknown, cmp.Or(v.lacks, key.lacks)
		return v
	default:
		return verdict{reason: unsupported(t) + gotype.Unsupported(kindOf(u))}
	}
}

// judgeKey judges the type of the keys of a map.
func judgeKey(t, key types.Type) verdict {
	if is, lacks := textType(key); is {
		return verdict{lacks: lacks}
	}
	if u, ok := key.Underlying().(*types.Basic); ok {
		switch {
		case u.Kind() == types.Invalid:
			return verdict{unknown: true}
		case u.Kind() == types.String, u.Info()&types.IsInteger != 0 && u.Kind() != types.Uintptr:
			return verdict{}
		}
	}
	return verdict{reason: unsupported(t) + gotype.Key}
}

// kindOf returns the kind of an underlying type that has no place in R.
func kindOf(t types.Type) reflect.Kind {
	switch t.(type) {
	case *types.Chan:
		return reflect.Chan
	case *types.Signature:
		return reflect.Func
	case *types.Interface:
		return reflect.Interface
	default:
		return reflect.Invalid
	}
}

// isDynamic tells whether a type is any, or slices, arrays and maps of nothing but any.
func isDynamic(t types.Type, within ...types.Type) bool {
	if slices.ContainsFunc(within, func(w types.Type) bool { return types.Identical(w, t) }) {
		return false
	}
	within = append(slices.Clone(within), t)
	switch u := t.Underlying().(type) {
	case *types.Interface:
		return u.Empty()
	case *types.Map:
		key := judgeKey(t, u.Key())
		return key.reason == "" && !key.unknown && isDynamic(u.Elem(), within...)
	case *types.Slice:
		return isDynamic(u.Elem(), within...)
	case *types.Array:
		return isDynamic(u.Elem(), within...)
	default:
		return false
	}
}

// lacksOfKeys returns the method that the keys of a map of any lack, or of the maps in it.
func lacksOfKeys(t types.Type) string {
	switch u := t.Underlying().(type) {
	case *types.Map:
		return cmp.Or(judgeKey(t, u.Key()).lacks, lacksOfKeys(u.Elem()))
	case *types.Slice:
		return lacksOfKeys(u.Elem())
	case *types.Array:
		return lacksOfKeys(u.Elem())
	default:
		return ""
	}
}

// textType tells whether a type has methods for its text, and which of the two it lacks.
func textType(t types.Type) (is bool, lacks string) {
	if qualified(t) == "encoding/json.RawMessage" {
		return true, ""
	}
	switch t.Underlying().(type) {
	case *types.Interface, *types.Pointer:
		return false, ""
	}
	methods := types.NewMethodSet(types.NewPointer(types.Unalias(t)))
	writes := hasMethod(methods, "MarshalText", "func() ([]byte, error)")
	reads := hasMethod(methods, "UnmarshalText", "func([]byte) error")
	switch {
	case !reads:
		lacks = "UnmarshalText"
	case !writes:
		lacks = "MarshalText"
	}
	return writes || reads, lacks
}

func hasMethod(methods *types.MethodSet, name, signature string) bool {
	method := methods.Lookup(nil, name)
	if method == nil {
		return false
	}
	sig := method.Type().(*types.Signature)
	// Without the names of parameters.
	return signature == types.TypeString(types.NewSignatureType(nil, nil, nil, unnamed(sig.Params()), unnamed(sig.Results()), sig.Variadic()), nil)
}

func unnamed(tuple *types.Tuple) *types.Tuple {
	var vars []*types.Var
	for v := range tuple.Variables() {
		vars = append(vars, types.NewParam(token.NoPos, nil, "", v.Type()))
	}
	return types.NewTuple(vars...)
}

func judgeBasic(t types.Type, u *types.Basic) verdict {
	switch u.Kind() {
	case types.Invalid:
		return verdict{unknown: true}
	case types.Uintptr, types.UnsafePointer:
		return verdict{reason: unsupported(t) + gotype.Unsupported(reflect.Uintptr)}
	default:
		return verdict{scalar: true}
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
	return verdict{reason: v.reason, unknown: v.unknown, lacks: v.lacks}
}

// vectorOf is the verdict on a slice or Nulls.
func vectorOf(t types.Type, v verdict) verdict {
	v = listOf(t, v)
	v.vector = true
	return v
}

func matrixOf(t types.Type, v verdict) verdict {
	if (!v.scalar || v.table) && !v.unknown && v.reason == "" {
		v.reason = unsupported(t) + ": its elements must be scalars"
	}
	return verdict{reason: v.reason, unknown: v.unknown, matrix: true}
}

// isMarked tells whether a struct is one of columns: it, or a struct that it embeds,
// embeds a Frame, or has one as a blank field.
func isMarked(t types.Type, u *types.Struct) bool {
	return gotype.AnyField(structType{t, u}, func(s gotype.Struct, i int) bool {
		field := s.(structType).u.Field(i)
		return isFrame(field.Type()) && (field.Embedded() || field.Name() == "_")
	})
}

func isFrame(t types.Type) bool { return qualified(t) == rgoipcPath+".Frame" }

func judgeStruct(t types.Type, u *types.Struct, within []types.Type) verdict {
	frame := isMarked(t, u)
	v := verdict{table: !frame, scalar: !frame}
	fields, err := gotype.Fields(structType{t, u})
	if err != nil {
		return verdict{reason: fmt.Sprintf("%s, which has %v", nameOfType(t), err)}
	}
	reason := "" // why it is no data frame, unless something else is wrong
	for _, f := range fields {
		field := fieldAt(u, f.Index)
		inner := judgeWithin(field.Type(), within)
		v.unknown, v.matrix, v.lacks = v.unknown || inner.unknown, v.matrix || inner.matrix, cmp.Or(v.lacks, inner.lacks)
		v.scalar = v.scalar && (inner.scalar || inner.unknown)
		if inner.reason != "" {
			return verdict{reason: fmt.Sprintf("%s, whose field %s is of %s", nameOfType(t), field.Name(), inner.reason)}
		}
		if frame && f.Pointer && reason == "" {
			reason = fmt.Sprintf("%s: it is a data frame, so field `%s` must not be embedded by a pointer", unsupported(t), f.Name)
		}
		if frame && !inner.vector && !inner.unknown && reason == "" {
			reason = fmt.Sprintf("%s: it is a data frame, so field `%s` must be a slice", unsupported(t), f.Name)
		}
	}
	if len(fields) == 0 {
		return verdict{reason: unsupported(t) + gotype.NoFields}
	}
	v.reason = reason
	return v
}

// fieldAt returns the field of a struct at an index as gotype has it.
func fieldAt(u *types.Struct, index []int) *types.Var {
	field := u.Field(index[0])
	for _, i := range index[1:] {
		inner, _ := structOf(field.Type())
		field = inner.Underlying().(*types.Struct).Field(i)
	}
	return field
}

// structOf returns the struct that a type is or points to.
func structOf(t types.Type) (of types.Type, pointer bool) {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		return p.Elem(), true
	}
	return t, false
}

// structType is a struct as go/types has it.
type structType struct {
	t types.Type
	u *types.Struct
}

func (s structType) Type() any { return types.TypeString(s.t, nil) }

func (s structType) NumField() int { return s.u.NumFields() }

func (s structType) Field(i int) gotype.StructField {
	f := s.u.Field(i)
	return gotype.StructField{Name: f.Name(), Exported: f.Exported(), Embedded: f.Embedded(), Tag: reflect.StructTag(s.u.Tag(i))}
}

// Embedded: what rgoipc has a codec for is not promoted, nor can a struct be made that
// has no name outside of its package.
func (s structType) Embedded(i int) (gotype.Struct, bool, bool) {
	f := s.u.Field(i)
	t, pointer := structOf(f.Type())
	u, ok := t.Underlying().(*types.Struct)
	if !ok || pointer && !f.Exported() {
		return nil, false, false
	}
	text, _ := textType(t)
	switch qualified(t) {
	case "time.Time", rgoipcPath + ".Null", rgoipcPath + ".Nulls", rgoipcPath + ".Matrix":
		return nil, false, false
	}
	return structType{t, u}, pointer, !text
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
