// Package rgoipc makes a Go program a server whose functions R can call.
//
// A program registers its functions and hands over to [Main]:
//
//	func main() {
//		registry := rgoipc.NewRegistry()
//		err := registry.Func("add", func(x, y float64) float64 { return x + y })
//		if err != nil {
//			log.Fatal(err)
//		}
//		rgoipc.Main(registry)
//	}
//
// # Typed functions
//
// [Registry.Func] takes a Go function as it is. Its type determines the arguments that R
// may give and the result that R receives:
//
//	Go                                        R
//	string, bool, complex128, complex64       a vector
//	float64, int, int8 ... uint64, float32    a vector of numbers in its range
//	time.Time, time.Duration                  POSIXct or Date, difftime or hms
//	Date                                      Date
//	[]byte, [N]byte                           a raw vector, or a list of them
//	*big.Int, json.RawMessage, ...            a character vector
//	*T, Null[T] of one of these               a vector that may have NA
//	[]T, []*T, []Null[T], Nulls[T]            a whole vector
//	[N]T                                      a vector of N elements
//	Matrix[T] of one of these                 a matrix
//	struct of scalars                         a data frame, row by row, or a named list
//	other struct, []struct                    a named list, a data frame
//	struct of slices                          a data frame by its columns, or a named list
//	map[K]T, []map[K]T                        a named vector or list, a list of them
//	any, []any, map[string]any                a list, or a single value
//	arrow.Array                               a vector or list, as it came
//	arrow.RecordBatch                         a data frame, as it came, or a stream
//	array.RecordReader                        a stream of data frames
//	func(T, ...) (T, error), a parameter      an R function
//	*T, of a struct T with methods            an object, see below
//	iter.Seq[T]                               a stream: the values of []T, part by part
//	iter.Seq2[T, error], <-chan T             the same, of results
//	...T, the last parameter                  R's `...`: vectors, or rows, one after the other
//
// A context may come first and an error last. All other types are refused when they are
// registered.
//
//   - A named type is treated as its underlying type: time.Month is an int.
//   - Slices, structs and maps may be nested.
//   - Struct fields are matched by name, which the tag `r:"name"` sets, or else
//     `json:"name"`; "-" leaves a field out. Fields that are not exported are ignored, and
//     so are the columns of a data frame that have no field; a named list must not have
//     others. The fields of embedded structs are promoted as encoding/json does it. A field
//     that is a pointer, a [Null] or any may be missing, and is then NA or nil; one that is
//     tagged omitempty or omitzero may be missing too, and is then zero.
//   - A type with the methods MarshalText and UnmarshalText is its text: *big.Int,
//     netip.Addr, slog.Level. An argument needs UnmarshalText, a result MarshalText. Text
//     that cannot be read is an error that says in which row. A json.RawMessage is JSON.
//   - The keys of maps are strings, whole numbers or such text. Results have their names in
//     the order of the numbers, or else of the bytes.
//   - Arguments may be missing if [Optional] or [Default] say so. NULL is a missing
//     argument.
//   - Strings that are paths of files, as [Paths] says, are absolute.
//
// # Elementwise functions
//
// Scalars are the types of the first seven lines of the table, and structs whose fields are
// all scalars, and pointers and [Null] of them. A function whose parameters and results are
// all scalars is called once for each row of its arguments:
//
//   - Shorter vectors are recycled. Each length must divide the longest; if one is 0, so
//     is that of the result.
//   - If an argument is NA, or a field of one, the function is not called and the result is
//     NA. A parameter or field that is a pointer or a [Null] receives the NA instead.
//   - A named list is one row. If no other argument is a vector of more, a struct comes back
//     as a named list too, and otherwise as a row of a data frame.
//   - An error ends the call. R is told the row.
//   - [Parallel] runs on all processors, [Loop] brings a loop that the compiler can inline
//     the function into, and [Once] makes the function one that is called once.
//
// With the option [Each], a function of scalars is called in the same way whatever its
// results are, except a stream, and R gets a list with an element for each row: what the
// function returned, or NULL where an argument is NA.
//
// # Any
//
// A parameter of type any, or of slices, arrays and maps of it, gets what encoding/json
// would make of the value, and what JSON has no types for:
//
//	R                                         Go
//	NULL, NA                                  nil
//	TRUE, a number, a text, a factor          bool, float64, string
//	a vector of another length, I(x)          []any
//	a list, one with names                    []any, map[string]any
//	a vector with names                       map[string]any
//	a data frame                              []any of its rows, each a map[string]any
//	a matrix                                  []any of its rows, each a []any
//	Date, POSIXct                             time.Time
//	difftime                                  time.Duration
//	a raw vector                              []byte
//
// Functions, complex numbers and an integer64 beyond 2^53 are refused. In results a []any is a
// list and a map[string]any a named list, sorted by name. What they hold may be of any type
// that a result can have: a []float64 is a vector, a slice of structs a data frame. Lists
// may be nested 1000 levels deep.
//
// # Functions that are called once
//
// Any other function is called once, and its vectors may differ in length:
//
//   - A scalar parameter takes a vector of length 1; R refuses a longer one, and tells of
//     [Each] where that helps.
//   - A variadic parameter takes any number of values: of scalars, vectors of any lengths; of
//     structs, named lists and data frames; of other types, one for each value.
//   - NA is an error that says where it is, unless the type has room for it: a pointer is
//     nil, a [Null] is not valid, a float64 or float32 is the NaN that R uses for NA.
//   - [Columns] has the function take and return records, as a handler does.
//
// # Numbers and times
//
//   - A converted number is the same number, or an error: a float64 that is whole is taken
//     for an int32, 1.5 is not. A float32 is the nearest one, and a number that is too
//     large for it is an error.
//
//   - Whole numbers are in R what length() would be: integer if all values of a column fit,
//     double if they are exact, and integer64 beyond 2^53, unless the option mangoro.int64
//     says otherwise. A uint64 beyond the largest int64 is an error: return it as a string.
//
//   - A logical is not a number, but an untyped null is NA of any type.
//
//   - A time is in the time zone of its column: a name of the IANA database, an offset, or
//     a rule of POSIX. A date is midnight in UTC. A missing time is NaN.
//
//   - A time of R without a time zone is in time.Local if that is the time zone of R's
//     session, as it is in a program that R has started, and otherwise in a location of
//     its own. Both go back to R as local times.
//
//   - A [Date] is a day without a time: whole days only. A time.Time that is given dates
//     returns times.
//
// # Matrices and data frames
//
//   - A [Matrix] has its elements column by column, as in R, and the names of its rows and
//     columns. NA is as in slices. A vector is a matrix of one column, and a data frame is
//     what as.matrix makes of it. A slice of slices takes a matrix by its rows.
//   - A matrix is a parameter, a result or a field, but not an element of a slice or map.
//     As a result, one whose Data, RowNames or ColNames do not match Rows and Cols is an
//     error.
//   - A struct whose fields are all slices takes a data frame by its columns, or a named
//     list. As a result it is a named list, or, with the mark [Frame], a data frame, and
//     columns of several lengths are an error.
//   - []struct and a Frame also take a named list of vectors of one length, and []struct a list
//     with a named list for each struct. A data frame is a map of slices, too.
//   - An arrow.RecordBatch takes a stream as well, whose batches are joined.
//   - In programs that mangoro writes, *mat.Dense, *mat.SymDense and *mat.VecDense of
//     gonum.org/v1/gonum/mat, and the interfaces mat.Matrix, mat.Symmetric and mat.Vector,
//     are parameters and results too. The elements are copied, since gonum has them row by
//     row. Without elements a matrix is gonum's empty one.
//
// # Results
//
// Results have the same types:
//
//   - A nil slice is an empty vector. A nil pointer to a scalar is NA. Any other nil
//     pointer, and a nil map, []byte, array, batch or reader, is NULL.
//   - NaN is NaN, but R's NA is NA.
//   - Times keep the time zone that they share, by its name or else as an offset. If they
//     have several, they are in UTC. If there are no times, the time zone is that of the
//     arguments.
//   - A string that is not UTF-8 is an error.
//   - Several results are a named list, see [Results]. No result is NULL.
//   - A map of structs is a named list of named lists, and one of slices of structs a named
//     list of data frames.
//   - A result of type any is what its value is: nil is NULL, and a type that is not in
//     the table is an error of the call.
//   - The server reads a result after the function has returned.
//
// # Arrow
//
//   - An array that a function returns as it came, or a column of a record, keeps the
//     metadata of its field, which is where R's attributes are. So do records and readers.
//   - New data is what its Arrow type says.
//   - A record or reader keeps the metadata of its schema, except names, dimensions and
//     row names that do not match its rows.
//   - A reader is read after the function has returned, one batch at a time. Its error is
//     the function's error.
//
// # Memory
//
//   - A function may keep and change its arguments: slices and strings are copies. Only a
//     []byte that is recycled is the same slice for each row.
//   - Slices of numbers and matrices are not copied for a function that promises with
//     [Borrow] neither to keep nor to change them. In programs that mangoro writes, the
//     generator proves it and says so. It follows each use of a parameter, and of what
//     shares its memory: elements that are read, len, range, copies, slices of it that are
//     passed to functions of the program, or to those of packages slices and sort that only
//     read. What goes into an interface, a struct, a channel or a goroutine is not proven.
//   - Results are copied once, into the reply or the memory that R shares. [Make] and
//     [MakeMatrix] allocate a large result there, which saves the copy.
//   - What a function has from [Make] belongs to R once it has returned. Do not keep it.
//   - A function may keep arrays, batches and readers that it gets or returns, without
//     Retain: they are never released. Go collects their memory; the result of another
//     allocator than Go's must not need to be released. Only a reader that is returned is
//     released, once it has been read.
//
// # R functions
//
// A parameter of a func type takes an R function. R evaluates it while it waits in the call:
//
//   - Its parameters may be of the types of results, and its result, if it has one, of those of
//     parameters, but neither of streams nor of functions. A context may come first; if it has
//     ended, R is not asked. A variadic parameter is one vector.
//   - An error may come last. The function returns an error of R code as an [*RError], and others
//     when R gives the call up. Without it such an error ends the call, and the goroutine by
//     runtime.Goexit: deferred functions run, and recover does not stop it.
//   - It may be called from several goroutines: R answers one after the other. A call that waits
//     for R does not keep others from running.
//   - It belongs to its call. Once that has ended, it fails in the same way.
//   - It is nil if [Optional] says that it may be missing.
//
// # Contexts
//
// The context of a call ends when the server is told to stop, at the deadline of the
// call, and when R gives the call up. A function that returns the context's error lets R
// know which of these it was. Elementwise functions need not look at it: they are stopped
// between rows or short blocks of rows. A function that goes on does not keep other calls from running, and R is
// told its name.
//
// # Objects
//
// A pointer to a struct that has a name and exported methods is an object: the value stays in
// Go, and R has an object that stands for it, whose methods it can call. Methods that are only
// about text or encoding, such as String and MarshalJSON, do not make one, unless the struct
// has no exported fields.
//
//   - All that holds for functions holds for methods, and for the objects that these return.
//     Methods that R cannot call are left out. [Registry.Method] says of a method what
//     [Registry.Func] says of a function; those of which nothing is said are there as well.
//   - Objects may lie in slices, maps and structs, but not in any. The same pointer is the same
//     object in R, as long as R refers to it.
//   - When R no longer refers to an object, Go does not keep it for R any more, and an
//     [io.Closer] is closed once no call uses it. So it is when the connection ends: no
//     other connection finds the objects of one.
//   - Calls run at the same time, and so may methods of one object. A background call is such a
//     call.
//
// # Errors
//
//   - R receives the message of an error that a function returns, its [Code], and the
//     messages of the errors that it wraps.
//   - A panic ends the call, not the server. R receives its stack, and the locations in
//     package main. runtime.Goexit is treated in the same way.
//   - If an elementwise function fails, R also receives the row and its arguments. A [Loop]
//     tells the row of a panic with [AtRow].
//
// # Handlers
//
// [Registry.Register] takes a function on Arrow records and the signature that describes
// it, for what Go's types do not say.
//
// # The wire
//
// Requests and replies travel in the envelope of [RPCMessage] over a mangos REP
// socket; their data is an Arrow IPC stream. A program with a loop of its own
// over a plain REP socket needs no more than [UnmarshalRPCMessage],
// [NewArrowReader], [WriteArrowRecord] and [RPCMessage.Marshal].
//
// The transport ipc is linked in. For another one, import its package below
// go.nanomsg.org/mangos/v3/transport.
package rgoipc
