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
// [Registry.Func] takes a Go function as it is. What R may call it with, and
// what R gets, follows from its type:
//
//	Go                                        R
//	float64, int32, int64, int, string, bool  a vector
//	time.Time, time.Duration                  POSIXct or Date, difftime or hms
//	[]byte, complex128                        a raw vector or list of raw, complex
//	*T, Null[T] of one of these               a vector that may have NA
//	[]T, []*T, []Null[T], Nulls[T]            a whole vector
//	struct, []struct                          a named list, a data frame
//	map[string]T, []map[string]T              a named vector or list, a data frame
//	arrow.Array, arrow.RecordBatch            anything, as it came
//	array.RecordReader                        a stream of data frames
//
// A type with a name of its own counts as what it is made of: time.Month is an
// int. Slices, structs and maps may hold each other. A context may come first
// and an error last. All other types are refused when they are registered.
//
// Elementwise. If all parameters are scalars, the first four lines of the
// table, the function runs once for each element. Shorter vectors are recycled:
// each length must divide the longest, and if one is 0 so is the result. Where
// an argument is NA the function is not called and the result is NA, unless the
// parameter is a pointer or a [Null], which show the function NA itself. An
// error ends the call and says the row. [Parallel] runs on all processors,
// [Once] calls a function of scalars once and not elementwise, [Loop] brings a
// loop that the compiler can inline the function into.
//
// Whole. Any other function is called once, and its vectors may differ in
// length. A scalar among the parameters takes a vector of length 1. NA is an
// error that says where, unless the type has room for it: a pointer is nil, a
// [Null] not valid, a float64 the NaN that R takes for NA.
//
// Structs. Fields go by name, which a tag `r:"name"` sets and `r:"-"` leaves
// out. Fields that are not exported are ignored, and so are columns without a
// field. Those of an embedded struct are not promoted. A pointer or a [Null] is
// NA where the field is missing.
//
// Numbers. What is converted is the same number or an error: a whole float64 is
// taken for an int32, 1.5 is not. A logical is not a number, but an untyped null is NA
// of any type. A time is in its column's time zone, which must be one of the IANA
// database, an offset or a rule of POSIX; a date is its midnight in UTC. NaN is a
// missing time.
//
// Local time. R's times that name no zone are in time.Local if that is the zone of
// R's session, as it is in a program that R has started, and else in a location of
// their own. What is in either goes back as R's local time.
//
// Results. The same types, but for maps of structs, written as one expects: a
// nil slice is an empty vector, a nil pointer NA (NULL, of what is no scalar), a
// nil map, []byte, array, batch or reader NULL. NaN is NaN, but R's NA is NA. Times
// keep a time zone that they share, by its name or else as an offset; in several they
// are in UTC. If there are none, their zone is that of the arguments. A string that is not UTF-8 is an
// error. Several results are a named list, see [Results]; none is NULL. The
// server reads a result after the function has returned.
//
// Arrow. An array that a function returns as it came, or a column of a record, keeps
// the metadata of its field, which is all that R knows of it; so do records and readers.
// New data has what its Arrow type says. A record or reader has the metadata of its
// schema, but for names, dimensions and row names that do not fit its rows. A reader is
// read after the function has returned, a batch at a time; its error is that of the
// function.
//
// Memory. What a function is given it may keep and change: slices and strings
// are copies. Arrow's own types are views, valid until the function returns;
// Retain what is kept longer or returned. An array, batch or reader that is
// returned is released once it has been sent.
//
// Arguments may be missing where [Optional] or [Default] say so; NULL is a
// missing argument.
//
// The context ends when the server is told to stop, at the deadline of the call,
// and when R gives the call up. A function that returns its error lets R know which
// of them it was.
// Elementwise functions stop by themselves, between rows. One that goes on all the same
// no longer keeps others from running; R is told its name.
//
// # Errors
//
// R gets the message of an error that a function returns, its [Code], and the
// messages of what it wraps. A panic ends the call and not the server: R gets its
// stack, and those places in it that lie in package main. So does runtime.Goexit. Of an
// elementwise function R gets the row as well, and the arguments there; a [Loop] says
// the row of a panic with [AtRow].
//
// # Handlers
//
// [Registry.Register] takes a function on Arrow records and the signature that
// describes it, for what Go's types do not say.
//
// # The wire
//
// Requests and replies travel in the envelope of [RPCMessage] over a mangos REP
// socket; their data is an Arrow IPC stream. A program with a loop of its own
// over a plain REP socket needs no more than [UnmarshalRPCMessage],
// [NewArrowReader], [WriteArrowRecord] and [RPCMessage.Marshal].
//
// The ipc transport is linked in. Import a package below
// go.nanomsg.org/mangos/v3/transport for another one.
package rgoipc
