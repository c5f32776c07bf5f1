package rgoipc

// FuncOption says what reflection does not know about a function given to
// [Registry.Func].
type FuncOption func(*funcOptions)

type funcOptions struct {
	args        []string
	results     []string
	parallel    bool
	once        bool
	each        bool
	columns     bool
	loop        any
	description string
	signature   string
	optional    []string
	paths       []string
	borrowed    []string
	bind        any
	at          int // of a method that was found by reflection, from 1
	defaults    []namedValue
}

func newFuncOptions(opts []FuncOption) (o funcOptions) {
	for _, opt := range opts {
		opt(&o)
	}
	return o
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

// Once has an elementwise function called once a call, with vectors of length 1. The
// default is elementwise.
func Once() FuncOption { return func(o *funcOptions) { o.once = true } }

// Each has a function whose parameters are all scalars called elementwise, whatever its
// results are, except a stream. R gets a list with an element for each row, which is NULL
// where an argument is NA. By default a function is elementwise if its results are scalars
// too, and is called once if not.
func Each() FuncOption { return func(o *funcOptions) { o.each = true } }

// Columns has a function called once a call, with the record that a handler of
// [Registry.Register] would take and return: for callers that know of records only. Each
// argument is a column of one row; without parameters, any columns are taken. The result
// must be a struct, or several results, and its fields are the columns. By default an
// argument is one row, whatever its length, and the result is a column "result".
func Columns() FuncOption { return func(o *funcOptions) { o.once, o.columns = true, true } }

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

// Paths says which parameters are paths of files: strings, slices of them, or those that
// may be NA. R expands a ~ and makes a relative path absolute, because its working
// directory may have changed since the program was started. The default is none.
func Paths(names ...string) FuncOption {
	return func(o *funcOptions) { o.paths = append(o.paths, names...) }
}

// Borrow promises that a function that is called once neither keeps nor changes arguments:
// it does not write to their memory, and nothing that it leaves behind refers to that, be it
// a variable, a goroutine or a closure. Its result may. Slices of numbers, and matrices, are
// then not copied but lie in the request's own memory, which cannot be written to if it is
// shared with R. In programs that mangoro writes, it is proven for each function whether it
// does so. The default is copies.
func Borrow(names ...string) FuncOption {
	return func(o *funcOptions) { o.borrowed = append(o.borrowed, names...) }
}

// Bind gives a method, see [Registry.Method], a function that returns it for an object, which
// is faster than reflection if the method is elementwise:
//
//	Bind(func(x *Index) any { return x.Lookup })
//
// The default, nil, finds it by reflection.
func Bind(fn any) FuncOption { return func(o *funcOptions) { o.bind = fn } }

// Describe sets the text that R shows about the function, the "description" of
// its metadata. The default is none.
func Describe(text string) FuncOption { return func(o *funcOptions) { o.description = text } }

// Signature sets the function's declaration as R shows it, the "signature" of
// its metadata: "func Mean(x []float64) float64". The default is none.
func Signature(text string) FuncOption { return func(o *funcOptions) { o.signature = text } }

// Loop gives an elementwise function, one without contexts, pointers and
// [Null], its loop over rows. The compiler can inline the function into a loop
// that names it, which is far faster where it does little:
//
//	func add(x, y float64) float64 { return x + y }
//
//	func loopAdd(n int, x, y, out []float64) {
//		for i := range n {
//			out[i] = add(x[i], y[i])
//		}
//	}
//
// The parameters are the number of rows, a slice for each parameter of the
// function and one for each result, all of exactly its types. The loop of a
// function that returns an error returns the row, from 0, and the error of the
// first that has one. It is called for some rows at a time, of which none is
// NA, and must not change or keep the slices but for writing the results. The
// default, nil, calls the function for each row.
func Loop(fn any) FuncOption { return func(o *funcOptions) { o.loop = fn } }
