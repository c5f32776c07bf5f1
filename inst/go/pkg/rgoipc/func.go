package rgoipc

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
)

// FuncOption says what reflection does not know about a function given to
// [Registry.Func].
type FuncOption func(*funcOptions)

type funcOptions struct {
	args        []string
	results     []string
	parallel    bool
	once        bool
	description string
	optional    []string
	defaults    []namedValue
}

type namedValue struct {
	name  string
	value any
}

// Args names the parameters, without the context. The default is x, y, z for up
// to three of them and x1, x2, ... for more.
func Args(names ...string) FuncOption { return func(o *funcOptions) { o.args = names } }

// Results names the results, without the error, and makes them a named list
// even if there is but one. The default is result1, result2, ... for several.
func Results(names ...string) FuncOption { return func(o *funcOptions) { o.results = names } }

// Parallel has an elementwise function run on GOMAXPROCS goroutines at a time.
// The results keep their order. The default is one goroutine, since a function
// may have state.
func Parallel() FuncOption { return func(o *funcOptions) { o.parallel = true } }

// Once has a function of scalars called once a call, with vectors of length 1,
// instead of elementwise. The default is elementwise.
func Once() FuncOption { return func(o *funcOptions) { o.once = true } }

// Default makes an argument optional: a call without it uses value, which is
// of the parameter's type (for *T and [Null] of T), or a number that this type
// holds exactly.
func Default(name string, value any) FuncOption {
	return func(o *funcOptions) { o.defaults = append(o.defaults, namedValue{name, value}) }
}

// Optional makes arguments optional: a call without one gets a nil pointer,
// slice, map or interface, or the zero [Null] or [Nulls]. A parameter of
// another type needs a [Default].
func Optional(names ...string) FuncOption {
	return func(o *funcOptions) { o.optional = append(o.optional, names...) }
}

// Describe sets the text that R shows about the function, the "description" of
// its metadata. The default is none.
func Describe(text string) FuncOption { return func(o *funcOptions) { o.description = text } }

// Func adds a Go function under a name of its own, as it is: its parameters and
// results are converted from and to Arrow. See the package documentation for
// the types and what they mean. Func fails if a type is not supported, if an
// option does not fit the function, or as [Registry.Register] does.
func (r *Registry) Func(name string, fn any, opts ...FuncOption) error {
	var o funcOptions
	for _, opt := range opts {
		opt(&o)
	}
	f, err := newTypedFunc(fn, o)
	if err != nil {
		return fmt.Errorf("rgoipc: function %q: %w", name, err)
	}
	handler := func(rec arrow.RecordBatch) (arrow.RecordBatch, error) { return f.call(context.Background(), rec) }
	return r.add(&Function{Name: name, Handler: handler, Signature: f.signature(o.description), typed: f})
}

// typedFunc is a Go function that has been looked at.
type typedFunc struct {
	fn      reflect.Value
	context bool // the first parameter is a context
	fails   bool // the last result is an error
	params  []parameter
	args    FunctionSignature // the names that a call must have, and no more
	results []result
	list    bool // the results are a named list
	loop    loop // nil: not elementwise
	workers bool // on several goroutines
}

// parameter is a parameter other than the context.
type parameter struct {
	arg   ArgSpec
	t     reflect.Type
	codec codec // nil: raw
	raw   *raw  // nil: codec
	// fallback is what a missing argument stands for, as a column. Nil: the
	// zero value.
	fallback *vector
}

// result is a result other than the error.
type result struct {
	name  string
	codec codec // nil: raw
	raw   *raw  // nil: codec
}

func newTypedFunc(fn any, o funcOptions) (*typedFunc, error) {
	value := reflect.ValueOf(fn)
	if !value.IsValid() || value.Kind() != reflect.Func || value.IsNil() {
		return nil, fmt.Errorf("%T is no function", fn)
	}
	t := value.Type()
	if t.IsVariadic() {
		return nil, fmt.Errorf("parameter %d is variadic: use a slice", t.NumIn())
	}
	f := &typedFunc{fn: value}
	for _, step := range []func(reflect.Type, funcOptions) error{f.setParams, f.setOptional, f.setResults, f.setLoop} {
		if err := step(t, o); err != nil {
			return nil, err
		}
	}
	for _, p := range f.params {
		f.args.Args = append(f.args.Args, p.arg)
	}
	return f, nil
}

func (f *typedFunc) setParams(t reflect.Type, o funcOptions) error {
	first := 0
	if t.NumIn() > 0 && t.In(0) == reflect.TypeFor[context.Context]() {
		f.context, first = true, 1
	}
	names, err := namesFor(o.args, t.NumIn()-first, "parameters", argName)
	if err != nil {
		return err
	}
	for i := first; i < t.NumIn(); i++ {
		p := parameter{t: t.In(i), arg: ArgSpec{Name: names[i-first]}}
		if p.codec, p.raw, err = crossing(p.t); err != nil {
			return fmt.Errorf("parameter %d `%s`: %w", i+1, p.arg.Name, err)
		}
		f.params = append(f.params, p)
	}
	return nil
}

// crossing returns how the values of a type cross.
func crossing(t reflect.Type) (codec, *raw, error) {
	if r, ok := rawType(t); ok {
		return nil, r, nil
	}
	c, err := newCodec(t)
	return c, nil, err
}

// namesFor returns the names given, or those that number gives to n of what.
func namesFor(given []string, n int, what string, number func(i, n int) string) ([]string, error) {
	if given == nil {
		for i := range n {
			given = append(given, number(i, n))
		}
	}
	if len(given) != n {
		return nil, fmt.Errorf("it has %d %s, and %d names for them: %q", n, what, len(given), given)
	}
	for i, name := range given {
		if name == "" || slices.Contains(given[:i], name) {
			return nil, fmt.Errorf("each of the %s needs a name of its own, and they are %q", what, given)
		}
	}
	return given, nil
}

func argName(i, n int) string {
	if n <= 3 {
		return []string{"x", "y", "z"}[i]
	}
	return fmt.Sprintf("x%d", i+1)
}

func resultName(i, _ int) string { return fmt.Sprintf("result%d", i+1) }

func (f *typedFunc) setResults(t reflect.Type, o funcOptions) error {
	n := t.NumOut()
	if n > 0 && t.Out(n-1) == reflect.TypeFor[error]() {
		f.fails, n = true, n-1
	}
	names, err := namesFor(o.results, n, "results", resultName)
	if err != nil {
		return err
	}
	f.list = n > 1 || o.results != nil
	for i := range n {
		r := result{name: names[i]}
		if r.codec, r.raw, err = crossing(t.Out(i)); err != nil {
			return fmt.Errorf("result %d `%s`: %w", i+1, r.name, err)
		}
		if r.raw != nil && r.raw.name == TypeStream && f.list {
			return fmt.Errorf("result %d `%s`: a stream must be the only result", i+1, r.name)
		}
		f.results = append(f.results, r)
	}
	return nil
}

func (f *typedFunc) setOptional(_ reflect.Type, o funcOptions) error {
	for _, name := range o.optional {
		p, err := f.param(name)
		if err != nil {
			return err
		}
		if !p.canBeAbsent() {
			return fmt.Errorf("parameter `%s` of type %v cannot be absent: use Default, or type *%v", name, p.t, p.t)
		}
		p.arg.Optional = true
	}
	for _, d := range o.defaults {
		p, err := f.param(d.name)
		if err == nil {
			err = p.setDefault(d.value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *typedFunc) param(name string) (*parameter, error) {
	for i := range f.params {
		if f.params[i].arg.Name == name {
			return &f.params[i], nil
		}
	}
	return nil, fmt.Errorf("it has no parameter `%s`", name)
}

// canBeAbsent tells whether the zero value says that there is no value.
func (p *parameter) canBeAbsent() bool {
	switch p.t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return true
	default:
		_, isNull := p.codec.(nullCodec)
		_, isList := p.codec.(listCodec)
		return isNull || isList
	}
}

// setDefault keeps the default as a column, so that each call reads a value of
// its own from it.
func (p *parameter) setDefault(value any) error {
	if p.codec == nil {
		return fmt.Errorf("parameter `%s` of type %v cannot have a default", p.arg.Name, p.t)
	}
	c := p.codec
	switch outer := c.(type) {
	case nullCodec:
		c = outer.codec
	case pointerCodec:
		c = outer.codec
	}
	v, ok := exactly(value, c.goType())
	if !ok {
		return fmt.Errorf("parameter `%s` of type %v cannot have the default %#v", p.arg.Name, p.t, value)
	}
	one := reflect.MakeSlice(reflect.SliceOf(c.goType()), 1, 1)
	one.Index(0).Set(v)
	fallback, err := c.write(one.Interface(), bitmap{})
	if err != nil {
		return placed(CodeInvalidArgument, "the default of parameter `"+p.arg.Name+"`", err)
	}
	p.fallback, p.arg.Optional, p.arg.Default = &fallback, true, value
	return nil
}

// exactly returns a value as one of type t, if that is the same value.
func exactly(value any, t reflect.Type) (reflect.Value, bool) {
	v := reflect.ValueOf(value)
	switch {
	case !v.IsValid():
		return v, false
	case v.Type().AssignableTo(t):
		return v, true
	case !isNumber(v.Kind()) || !isNumber(t.Kind()):
		return v, false
	}
	converted := v.Convert(t)
	back := converted.Convert(v.Type())
	return converted, back.Equal(v) && negative(converted) == negative(v)
}

// negative tells whether a number is below 0: a uint64 converted to an int64
// may be, and come back the same.
func negative(v reflect.Value) bool {
	return v.CanInt() && v.Int() < 0 || v.CanFloat() && v.Float() < 0
}

func isNumber(kind reflect.Kind) bool {
	return reflect.Int <= kind && kind <= reflect.Float64 && kind != reflect.Uintptr
}

// setLoop makes the function elementwise if it takes scalars only.
func (f *typedFunc) setLoop(_ reflect.Type, o funcOptions) error {
	scalars := len(f.params) > 0 && !o.once
	for _, p := range f.params {
		scalars = scalars && p.codec != nil && p.codec.scalar()
	}
	for _, r := range f.results {
		scalars = scalars && r.codec != nil
	}
	if scalars {
		f.loop = newLoop(f)
	}
	f.workers = o.parallel
	if o.parallel && !scalars {
		return errors.New("only an elementwise function can be Parallel")
	}
	return nil
}

// signature describes the function in the manifest.
func (f *typedFunc) signature(description string) FunctionSignature {
	elementwise := f.loop != nil
	s := FunctionSignature{Vectorized: elementwise, Recycles: elementwise, Boxed: !elementwise, ReturnType: f.returnType()}
	for _, p := range f.params {
		arg := p.arg
		arg.Type = typeOf(p.codec, p.raw, elementwise)
		s.Args = append(s.Args, arg)
	}
	if description != "" {
		s.Metadata = map[string]string{"description": description}
	}
	return s
}

func (f *typedFunc) returnType() TypeSpec {
	if len(f.results) == 0 {
		return TypeSpec{Type: TypeNull, Nullable: true}
	}
	def := &StructDef{}
	for _, r := range f.results {
		def.Fields = append(def.Fields, FieldDef{Name: r.name, Type: typeOf(r.codec, r.raw, f.loop != nil)})
	}
	if f.list {
		return TypeSpec{Type: TypeStruct, StructDef: def}
	}
	return def.Fields[0].Type
}

// typeOf describes a parameter or result. An elementwise one may be NA, which
// is handled for the function.
func typeOf(c codec, r *raw, elementwise bool) TypeSpec {
	if c == nil {
		return TypeSpec{Type: r.name, Nullable: true}
	}
	spec := c.spec()
	spec.Nullable = spec.Nullable || elementwise
	return spec
}
