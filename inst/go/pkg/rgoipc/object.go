package rgoipc

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"mangoro.local/internal/arrowipc"
	"mangoro.local/internal/codec"
	"mangoro.local/internal/gotype"
	"mangoro.local/internal/object"
)

// objectTypes are the types of objects of a registry, by their pointers.
type objectTypes struct {
	types    []*objectType
	methods  map[string]*Function // by their whole names: "Index.Lookup"
	complete int                  // how many types have all of their methods
}

// objectType is a type of objects.
type objectType struct {
	t    reflect.Type // *T
	name string
	doc  string
}

// method is what a method has besides what a function has.
type method struct {
	of   *objectType
	name string // without that of its type
	at   int    // where reflection has it
	bind reflect.Value
}

// objectClass describes a type of objects in the manifest.
type objectClass struct {
	Doc     string `json:",omitempty"`
	Methods map[string]FunctionSignature
}

// Object gives a type of objects a text that R shows, by the option [Describe]. Example is a
// value of the type, which may be nil: (*Index)(nil). Types need not be registered: those
// that functions and methods take and return are known.
func (r *Registry) Object(example any, opts ...FuncOption) error {
	t := reflect.TypeOf(example)
	if t == nil || !codec.IsObject(t) {
		return fmt.Errorf("rgoipc: %T is no type of objects: it must be a pointer to a struct with a name that has exported methods", example)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.objects.add(t).doc = newFuncOptions(opts).description
	return nil
}

// Method says of a method of objects what [Registry.Func] says of a function, such as the names
// of its parameters. It is given as an expression:
//
//	registry.Method("Lookup", (*Index).Lookup, rgoipc.Args("key"))
//
// The name is that in R. All other exported methods of a type of objects are registered under
// their own names, without options.
func (r *Registry) Method(name string, expression any, opts ...FuncOption) error {
	fn, err := newMethod(name, expression, newFuncOptions(opts))
	if err != nil {
		if fn.Name != "" {
			r.LeaveOut(fn.Name, err.Error(), "", 0)
		}
		return fmt.Errorf("rgoipc: method %q: %w", name, err)
	}
	return r.addMethod(fn)
}

// newMethod returns a method, or an error with its name, if that is known.
func newMethod(name string, expression any, o funcOptions) (*Function, error) {
	value := reflect.ValueOf(expression)
	if !value.IsValid() || value.Kind() != reflect.Func || value.Type().NumIn() == 0 || !codec.IsObject(value.Type().In(0)) {
		return new(Function), fmt.Errorf("%T is not a method of objects, as (*Index).Lookup is", expression)
	}
	t := value.Type()
	of := &objectType{t: t.In(0), name: codec.ObjectName(t.In(0))}
	fn := &Function{Name: of.name + "." + name, method: &method{of: of, name: name}}
	at := o.at - 1
	if at < 0 {
		at = methodAt(of.t, value)
	}
	fn.method.at = at
	if o.bind != nil {
		fn.method.bind = reflect.ValueOf(o.bind)
		if want := reflect.FuncOf([]reflect.Type{of.t}, []reflect.Type{reflect.TypeFor[any]()}, false); fn.method.bind.Type() != want {
			return fn, fmt.Errorf("its Bind must be a %v, not a %T", want, o.bind)
		}
	} else if fn.method.at < 0 {
		return fn, fmt.Errorf("*%s has no such method of the type %v: give it a Bind", of.name, t)
	}
	typed, err := newTypedFuncOf(reflect.Zero(withoutReceiver(t)), o)
	if err != nil {
		return fn, err
	}
	typed.objects = true
	fn.typed, fn.Signature = typed, typed.signature(o)
	return fn, nil
}

// methodAt returns where reflection has a method, or -1. The name of its expression is
// "main.(*Index).Lookup".
func methodAt(t reflect.Type, expression reflect.Value) int {
	name := runtime.FuncForPC(expression.Pointer()).Name()
	m, ok := t.MethodByName(name[strings.LastIndexByte(name, '.')+1:])
	if !ok || m.Type != expression.Type() {
		return -1
	}
	return m.Index
}

// withoutReceiver returns the type of a method as one of its objects has it.
func withoutReceiver(t reflect.Type) reflect.Type {
	var in, out []reflect.Type
	for i := 1; i < t.NumIn(); i++ {
		in = append(in, t.In(i))
	}
	for i := range t.NumOut() {
		out = append(out, t.Out(i))
	}
	return reflect.FuncOf(in, out, t.IsVariadic())
}

func (r *Registry) addMethod(fn *Function) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, taken := r.objects.methods[fn.Name]; taken {
		return fmt.Errorf("rgoipc: method %q is registered already", fn.Name)
	}
	fn.method.of = r.objects.add(fn.method.of.t)
	fn.writer = new(arrowipc.Writer)
	r.objects.methods[fn.Name] = fn
	r.objects.found(fn.typed.objectTypes())
	r.leftOut = slices.DeleteFunc(r.leftOut, func(l leftOut) bool { return l.Name == fn.Name })
	return nil
}

// add returns a type, which is added if it is not there.
func (s *objectTypes) add(t reflect.Type) *objectType {
	for _, of := range s.types {
		if of.t == t {
			return of
		}
	}
	if s.methods == nil {
		s.methods = make(map[string]*Function)
	}
	of := &objectType{t: t, name: codec.ObjectName(t)}
	s.types = append(s.types, of)
	return of
}

func (s *objectTypes) found(types []reflect.Type) {
	for _, t := range types {
		s.add(t)
	}
}

// complete registers the methods that nobody has, of all types that there are, and of those
// that come with them.
func (r *Registry) complete() {
	r.completing.Lock()
	defer r.completing.Unlock()
	for {
		of, known := r.next()
		if of == nil {
			return
		}
		for i := range of.t.NumMethod() {
			if m := of.t.Method(i); gotype.IsMethod(m.Name) && !slices.Contains(known, m.Name) {
				r.addFound(of, m)
			}
		}
	}
}

// addFound registers a method without options, or leaves it out.
func (r *Registry) addFound(of *objectType, m reflect.Method) {
	fn, err := newMethod(m.Name, m.Func.Interface(), funcOptions{at: m.Index + 1})
	if err == nil {
		err = r.addMethod(fn)
	}
	if err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.leftOut = append(r.leftOut, leftOut{Name: of.name + "." + m.Name, Reason: cleanText(err.Error()), found: true})
	}
}

// next returns the next type that is not complete, which then counts as one that is, and its
// methods that are registered or left out. Of several types of one name only the first has
// methods.
func (r *Registry) next() (of *objectType, known []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &r.objects
	for of == nil {
		if s.complete == len(s.types) {
			return nil, nil
		}
		of = s.types[s.complete]
		if slices.ContainsFunc(s.types[:s.complete], func(other *objectType) bool { return other.name == of.name }) {
			of = nil
		}
		s.complete++
	}
	for i := range of.t.NumMethod() {
		name := of.t.Method(i).Name
		whole := of.name + "." + name
		if slices.ContainsFunc(r.leftOut, func(l leftOut) bool { return l.Name == whole }) {
			known = append(known, name)
		}
	}
	for _, fn := range s.methods {
		if fn.method.of == of && fn.method.at >= 0 {
			known = append(known, of.t.Method(fn.method.at).Name)
		}
	}
	return of, known
}

// objectClasses returns the types of objects by their names.
func (r *Registry) objectClasses() map[string]objectClass {
	r.complete()
	r.mu.RLock()
	defer r.mu.RUnlock()
	classes := make(map[string]objectClass, len(r.objects.types))
	for _, of := range r.objects.types {
		if _, twice := classes[of.name]; !twice {
			classes[of.name] = objectClass{Doc: of.doc, Methods: make(map[string]FunctionSignature)}
		}
	}
	for _, fn := range r.objects.methods {
		classes[fn.method.of.name].Methods[fn.method.name] = fn.Signature
	}
	return classes
}

func (r *Registry) getMethod(name string) (*Function, bool) {
	r.complete()
	r.mu.RLock()
	defer r.mu.RUnlock()
	fn, ok := r.objects.methods[name]
	return fn, ok
}

// function returns the function of a call, or the method of an object.
func (c *connection) function(name, object string) (*Function, error) {
	if object == "" {
		if fn, ok := c.registry.Get(name); ok {
			return fn, nil
		}
	} else if fn, ok := c.registry.getMethod(name); ok {
		return fn, nil
	}
	return nil, c.registry.noFunction(name)
}

// errReleased is the error of a call of a method of an object that is not there.
var errReleased = errors.New("the object is not there any more")

// bound returns a method as that of an object, which the call uses.
func (f *Function) bound(uses *object.Uses, text string) (*Function, error) {
	if f.method == nil {
		return f, nil
	}
	id, ok := object.ParseID(text)
	var ptr any
	if ok {
		ptr, ok = uses.Find(id)
	}
	if !ok {
		return nil, &Error{Code: CodeNotFound, Err: errReleased}
	}
	value := reflect.ValueOf(ptr)
	if value.Type() != f.method.of.t {
		return nil, errorf(CodeNotFound, "a *%s has no method %q", codec.ObjectName(value.Type()), f.Name)
	}
	if _, closes := ptr.(io.Closer); closes && f.method.at >= 0 && value.Type().Method(f.method.at).Name == "Close" {
		uses.Closed()
	}
	fn, typed := *f, *f.typed
	fn.typed = &typed
	typed.fn = f.method.value(value)
	if typed.loop != nil {
		typed.loop = typed.newLoop()
	}
	return &fn, nil
}

// value returns the method of an object.
func (m *method) value(object reflect.Value) reflect.Value {
	if m.bind.IsValid() {
		return m.bind.Call([]reflect.Value{object})[0].Elem()
	}
	return object.Method(m.at)
}

// release lets go objects. The payload has 20 bytes for each: its id, and how often R has
// received it.
func (c *connection) release(payload []byte) error {
	released, err := object.ParseReleases(payload)
	if err != nil {
		return &Error{Code: CodeProtocol, Err: err}
	}
	c.objects.Release(released)
	return nil
}
