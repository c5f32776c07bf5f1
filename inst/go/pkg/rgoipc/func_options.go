package rgoipc

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
