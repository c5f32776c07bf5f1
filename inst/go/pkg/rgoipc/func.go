package rgoipc

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"

	"mangoro.local/internal/codec"
)

// Func adds a Go function under a unique name, as it is: its parameters and
// results are converted from and to Arrow. See the package documentation for
// the types and what they mean. Func fails if a type is not supported, if an
// option does not fit the function, or as [Registry.Register] does. R is told why a
// function is missing, see [Registry.LeaveOut].
func (r *Registry) Func(name string, fn any, opts ...FuncOption) error {
	o := newFuncOptions(opts)
	f, err := newTypedFunc(fn, o)
	if err != nil {
		r.LeaveOut(name, err.Error(), "", 0)
		return fmt.Errorf("rgoipc: function %q: %w", name, err)
	}
	owner := f
	if len(o.borrowed) > 0 { // a handler's result may be kept longer than its record
		o.borrowed = nil
		if owner, err = newTypedFunc(fn, o); err != nil {
			return fmt.Errorf("rgoipc: function %q: %w", name, err)
		}
	}
	handler := func(rec arrow.RecordBatch) (arrow.RecordBatch, error) {
		var result arrow.RecordBatch
		err := owner.invoke(context.Background(), rec, func(_ context.Context, r returned) (err error) {
			result, err = r.whole()
			return err
		})
		return result, err
	}
	return r.add(&Function{Name: name, Handler: handler, Signature: f.signature(o), typed: f})
}

// typedFunc is a Go function with what its type and options say about its calls.
type typedFunc struct {
	fn        reflect.Value
	context   bool // the first parameter is a context
	fails     bool // the last result is an error
	params    []parameter
	args      FunctionSignature // has only Args, which calls are checked against
	streams   bool              // there is a stream among the parameters
	objects   bool              // a call uses objects: among the parameters or results, or its own
	results   []result
	returns   TypeSpec
	list      bool  // the results are a named list
	loop      *loop // called once for each row; nil: called once
	each      bool  // the results of the rows are a list, see [Each]
	workers   bool  // on several goroutines
	asColumns bool  // arguments and results are columns, see [Columns]

	onlyValues bool                          // all results are Go values
	knowsNaN   bool                          // it is known whether a number among the results is NaN
	last       *atomic.Pointer[arrow.Schema] // of a result
}

// parameter is a parameter other than the context.
type parameter struct {
	arg  ArgSpec
	t    reflect.Type
	kind codec.Kind
	// fallback is what a missing argument stands for. The default is the zero value.
	fallback codec.Column
	borrowed bool // see [Borrow]
}

// result is a result other than the error.
type result struct {
	name string
	t    reflect.Type
	kind codec.Kind
}

func newTypedFunc(fn any, o funcOptions) (*typedFunc, error) {
	value := reflect.ValueOf(fn)
	if !value.IsValid() || value.Kind() != reflect.Func || value.IsNil() {
		return nil, fmt.Errorf("%T is not a function", fn)
	}
	return newTypedFuncOf(value, o)
}

// newTypedFuncOf returns the same of a function that may be nil: a method without its object.
func newTypedFuncOf(value reflect.Value, o funcOptions) (*typedFunc, error) {
	f := &typedFunc{fn: value, asColumns: o.columns, last: new(atomic.Pointer[arrow.Schema])}
	for _, step := range []func(reflect.Type, funcOptions) error{f.setParams, f.setOptional, f.setPaths, f.setBorrowed, f.setResults, f.setElementwise} {
		if err := step(value.Type(), o); err != nil {
			return nil, err
		}
	}
	for i := range f.params {
		p := &f.params[i]
		p.arg.Type = f.typeOf(p.kind)
		f.args.Args = append(f.args.Args, p.arg)
		f.streams = f.streams || p.arg.Type.Type == TypeStream
	}
	f.returns = f.returnType()
	f.objects = len(f.objectTypes()) > 0
	if f.asColumns && (f.returns.Type != TypeStruct || f.returns.Nullable) {
		return nil, errors.New("with Columns it must return a struct, or several results")
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
		if p.kind, err = codec.Parameter(p.t); err != nil {
			return fmt.Errorf("parameter %d `%s`: %w", i+1, p.arg.Name, err)
		}
		if t.IsVariadic() && i == t.NumIn()-1 {
			p.arg.Variadic, p.arg.Optional = true, true
		}
		f.params = append(f.params, p)
	}
	return nil
}

// namesFor returns the given names of n parameters or results, as what says. If none are
// given, number returns the name of each.
func namesFor(given []string, n int, what string, number func(i, n int) string) ([]string, error) {
	if given == nil {
		for i := range n {
			given = append(given, number(i, n))
		}
	}
	if len(given) != n {
		return nil, fmt.Errorf("it has %d %s, but %d names for them: %q", n, what, len(given), given)
	}
	for i, name := range given {
		if name == "" || slices.Contains(given[:i], name) {
			return nil, fmt.Errorf("each of the %s needs a unique name, but they are %q", what, given)
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
	f.list, f.onlyValues, f.knowsNaN = n > 1 || o.results != nil, true, true
	for i := range n {
		r := result{name: names[i], t: t.Out(i)}
		if r.kind, err = codec.Result(t.Out(i)); err != nil {
			return fmt.Errorf("result %d `%s`: %w", i+1, r.name, err)
		}
		if r.kind.Type().Name == TypeStream && f.list {
			return fmt.Errorf("result %d `%s`: a stream must be the only result", i+1, r.name)
		}
		f.results = append(f.results, r)
		_, values := r.kind.(codec.Values)
		f.onlyValues = f.onlyValues && values
		f.knowsNaN = f.knowsNaN && r.kind.Type().KnowsNaN()
	}
	return nil
}

func (f *typedFunc) setOptional(_ reflect.Type, o funcOptions) error {
	for _, name := range o.optional {
		p, err := f.param(name)
		if err != nil {
			return err
		}
		if !codec.CanBeAbsent(p.t) {
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

// setDefault sets what a missing argument stands for.
func (p *parameter) setDefault(value any) error {
	values, ok := p.kind.(codec.Values)
	if !ok {
		return fmt.Errorf("parameter `%s` of type %v cannot have a default", p.arg.Name, p.t)
	}
	fallback, ok, err := values.Default(value)
	if !ok {
		return fmt.Errorf("parameter `%s` of type %v cannot have the default %#v", p.arg.Name, p.t, value)
	}
	p.fallback, p.arg.Optional, p.arg.Default = fallback, true, value
	return placed(CodeInvalidArgument, "the default of parameter `"+p.arg.Name+"`", err)
}

func (f *typedFunc) setPaths(_ reflect.Type, o funcOptions) error {
	for _, name := range o.paths {
		p, err := f.param(name)
		if err != nil {
			return err
		}
		t := p.kind.Type()
		if t.Name == TypeList {
			t = *t.Elem
		}
		if t.Name != TypeString {
			return fmt.Errorf("parameter `%s` of type %v cannot be a path: it is no string", name, p.t)
		}
		p.arg.Path = true
	}
	return nil
}

func (f *typedFunc) setBorrowed(_ reflect.Type, o funcOptions) error {
	for _, name := range o.borrowed {
		p, err := f.param(name)
		if err != nil {
			return err
		}
		p.borrowed = true
	}
	return nil
}

// lives tells whether a call may say something before it returns.
func (f *typedFunc) lives() bool {
	return f.context || f.streams || f.has(TypeFunction) || f.returnsStream()
}

// has tells whether there are values of a type among the parameters or results.
func (f *typedFunc) has(name string) bool {
	return slices.ContainsFunc(f.params, func(p parameter) bool { return p.kind.Type().Has(name) }) ||
		slices.ContainsFunc(f.results, func(r result) bool { return r.kind.Type().Has(name) })
}

// objectTypes returns the types of objects among the parameters and results.
func (f *typedFunc) objectTypes() []reflect.Type {
	var out []reflect.Type
	for _, p := range f.params {
		out = append(out, p.kind.Type().Objects()...)
	}
	for _, r := range f.results {
		out = append(out, r.kind.Type().Objects()...)
	}
	return out
}

func (f *typedFunc) param(name string) (*parameter, error) {
	for i := range f.params {
		if f.params[i].arg.Name == name {
			return &f.params[i], nil
		}
	}
	return nil, fmt.Errorf("it has no parameter `%s`", name)
}

// setElementwise makes the function elementwise if it takes scalars only, and returns
// scalars only or has the option [Each].
func (f *typedFunc) setElementwise(_ reflect.Type, o funcOptions) error {
	if o.each {
		if err := f.checkEach(o); err != nil {
			return err
		}
		f.each = len(f.results) > 0
	}
	scalars := len(f.params) > 0 && !slices.ContainsFunc(f.params, func(p parameter) bool { return !p.scalar() })
	returnsScalars := !slices.ContainsFunc(f.results, func(r result) bool { return !isScalar(r.kind) })
	if scalars && !o.once && (returnsScalars || f.each) {
		f.loop = f.newLoop()
	}
	f.workers = o.parallel
	if o.parallel && f.loop == nil {
		return errors.New("only an elementwise function can be Parallel")
	}
	if o.loop != nil {
		return f.setLoop(o.loop)
	}
	return nil
}

// checkEach returns why the function cannot be called for each element of its arguments.
func (f *typedFunc) checkEach(o funcOptions) error {
	if o.once {
		return errors.New("it cannot be called for Each and Once")
	}
	if len(f.params) == 0 {
		return errors.New("without parameters it cannot be called for Each element of them")
	}
	for _, p := range f.params {
		if !p.scalar() {
			return fmt.Errorf("it cannot be called for Each element: parameter `%s` is of type %v, which is not a single value", p.arg.Name, p.t)
		}
	}
	for _, r := range f.results {
		if r.kind.Type().Name == TypeStream {
			return errors.New("it cannot be called for Each element: the result is a stream")
		}
	}
	return nil
}

// scalar tells whether each element of a vector can be the parameter.
func (p *parameter) scalar() bool { return isScalar(p.kind) && !p.arg.Variadic }

func isScalar(kind codec.Kind) bool {
	values, ok := kind.(codec.Values)
	return ok && values.Scalar()
}

// signature describes the function in the manifest.
func (f *typedFunc) signature(o funcOptions) FunctionSignature {
	rows := f.loop != nil
	s := FunctionSignature{Vectorized: rows, Recycles: rows, Each: f.each, Boxed: !rows && !f.asColumns, Lives: f.lives(), ReturnType: f.returns, Args: f.args.Args}
	metadata := map[string]string{"description": o.description, "signature": o.signature}
	maps.DeleteFunc(metadata, func(_, text string) bool { return text == "" })
	if len(metadata) > 0 {
		s.Metadata = metadata
	}
	return s
}

func (f *typedFunc) returnType() TypeSpec {
	if len(f.results) == 0 {
		return TypeSpec{Type: TypeNull, Nullable: true}
	}
	def := &StructDef{}
	for _, r := range f.results {
		def.Fields = append(def.Fields, FieldDef{Name: r.name, Type: f.typeOf(r.kind)})
	}
	spec := TypeSpec{Type: TypeStruct, StructDef: def}
	if !f.list {
		spec = def.Fields[0].Type
	}
	if f.each {
		return TypeSpec{Type: TypeList, ListSchema: &spec}
	}
	return spec
}

// typeOf describes a parameter or result. That of a row may be NA, which is handled for
// the function.
func (f *typedFunc) typeOf(kind codec.Kind) TypeSpec {
	spec := newTypeSpec(kind.Type())
	if f.loop != nil {
		return spec.nullable()
	}
	return spec
}
