package rgoipc

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"

	"mangoro.local/internal/arrowipc"
	"mangoro.local/internal/codec"
)

// FunctionHandler is a function that R calls: a record of arguments in, a
// record of results out. A server that [Serve] runs gives it exactly the
// columns of its signature, in that order. The handler may keep that record, and what
// it returns: neither is released.
type FunctionHandler func(arrow.RecordBatch) (arrow.RecordBatch, error)

// Function is a registered function.
type Function struct {
	Name      string
	Handler   FunctionHandler
	Signature FunctionSignature

	// typed is what stands behind the handler of [Registry.Func]: it binds its
	// arguments itself and takes a context. Nil: there is only the handler.
	typed *typedFunc
	// writer writes the results of a registered function.
	writer *arrowipc.Writer
	// method is what a method has besides. Nil: it is a function.
	method *method
}

// invoke runs the function on a record of arguments, and hands over its result. No
// result is a record without columns.
func (f *Function) invoke(ctx context.Context, rec arrow.RecordBatch, take func(context.Context, returned) error) error {
	if f.typed != nil {
		return f.typed.invoke(ctx, rec, take)
	}
	arguments, err := f.Signature.arguments(rec)
	if err != nil {
		return err
	}
	arguments.Retain() // for good: the handler may keep it
	defer arguments.Release()
	result, err := f.Handler(arguments)
	if err != nil {
		return err
	}
	if result == nil {
		if result, err = readRecord(nil, nil); err != nil {
			return err
		}
	}
	if result != arguments {
		restored := codec.Restore(result, arguments)
		defer restored.Release()
		result = restored
	}
	return take(ctx, returned{record: result})
}

// mayKeepArguments tells whether the function gets Arrow data, which it may retain. Go values
// are copies, or are not kept.
func (f *Function) mayKeepArguments() bool {
	return f.typed == nil || slices.ContainsFunc(f.typed.params, func(p parameter) bool {
		_, values := p.kind.(codec.Values)
		return !values
	})
}

// Registry holds the functions of a server. Make one with [NewRegistry]; its
// methods may be called from several goroutines.
type Registry struct {
	mu        sync.RWMutex // protects what follows
	functions map[string]*Function
	names     []string // in the order of registration
	leftOut   []leftOut
	objects   objectTypes

	completing sync.Mutex // is held while methods are registered that nobody has
}

// NewRegistry returns a registry without functions.
func NewRegistry() *Registry {
	return &Registry{functions: make(map[string]*Function)}
}

// Register adds a function under a unique name. It fails if the name is
// empty or taken, if there is no handler, or if an argument has no name or
// that of another.
func (r *Registry) Register(name string, handler FunctionHandler, signature FunctionSignature) error {
	return r.add(&Function{Name: name, Handler: handler, Signature: signature})
}

func (r *Registry) add(fn *Function) error {
	if err := checkRegistration(fn.Name, fn.Handler, fn.Signature); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, taken := r.functions[fn.Name]; taken {
		return fmt.Errorf("rgoipc: function %q is registered already", fn.Name)
	}
	fn.writer = new(arrowipc.Writer)
	r.functions[fn.Name] = fn
	r.names = append(r.names, fn.Name)
	if fn.typed != nil {
		r.objects.found(fn.typed.objectTypes())
	}
	r.leftOut = slices.DeleteFunc(r.leftOut, func(l leftOut) bool { return l.Name == fn.Name })
	return nil
}

func checkRegistration(name string, handler FunctionHandler, signature FunctionSignature) error {
	if name == "" || !utf8.ValidString(name) {
		return fmt.Errorf("rgoipc: %q cannot be the name of a function", name)
	}
	if handler == nil {
		return fmt.Errorf("rgoipc: function %q has no handler", name)
	}
	seen := make(map[string]bool, len(signature.Args))
	for i, arg := range signature.Args {
		if arg.Name == "" {
			return fmt.Errorf("rgoipc: function %q: argument %d has no name", name, i+1)
		}
		if seen[arg.Name] {
			return fmt.Errorf("rgoipc: function %q has two arguments %q", name, arg.Name)
		}
		seen[arg.Name] = true
	}
	if _, err := json.Marshal(signature); err != nil {
		return fmt.Errorf("rgoipc: function %q: its signature cannot be written as JSON: %w", name, err)
	}
	return nil
}

// Get returns the function of that name, and whether there is one.
func (r *Registry) Get(name string) (*Function, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	fn, ok := r.functions[name]
	return fn, ok
}

// List returns the names of all functions in the order of registration.
func (r *Registry) List() []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clone(r.names)
}

// Manifest returns the description of the functions as JSON: an object with a
// [FunctionSignature] for each name.
func (r *Registry) Manifest() ([]byte, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	signatures := make(map[string]FunctionSignature, len(r.functions))
	for name, fn := range r.functions {
		signatures[name] = fn.Signature
	}
	return json.Marshal(signatures)
}
