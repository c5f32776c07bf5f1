package gotype

import "reflect"

// Unsupported says why a type has no place in R, and what to write instead: ": use a
// slice", or nothing. Of an interface, it is one that has methods.
func Unsupported(kind reflect.Kind) string {
	switch kind {
	case reflect.Chan:
		return ": only the result of a function can be a channel; use a slice or an iter.Seq"
	case reflect.Func:
		return ": R has no Go functions; use what they return. An R function is a parameter of its own"
	case reflect.Interface:
		return ": nothing says which type its values have; use that type, or any"
	case reflect.UnsafePointer, reflect.Uintptr:
		return ": an address is nothing outside of its process; use the value that is there"
	default:
		return ""
	}
}

// What is wrong with the type of an R function.
const (
	SeveralResults     = ": an R function has one result; use a struct"
	StreamInFunction   = "a stream is no argument or result of an R function; use a slice or arrow.RecordBatch"
	FunctionInFunction = "an R function cannot return one"
)

// What is wrong with the type of a stream.
const (
	ChannelParameter = ": R cannot send to a channel; use iter.Seq"
	PairsOfOthers    = ": only values and errors come in pairs; use iter.Seq of a struct of both"
	ErrorsParameter  = ": an R error ends the call; use iter.Seq"
)

// GenericFunction is why a generic function is left out.
const GenericFunction = "it is generic: write a function that calls it with the types that R needs"

// Recursive is what to write instead of a type that contains itself.
const Recursive = ": R needs to know how deep it is; use any"

// NoFields is what is wrong with a struct that has nothing for R.
const NoFields = ": it has no exported fields"

// Key is what is wrong with a map whose keys are neither strings, whole numbers nor text.
const Key = ": its keys must be strings, whole numbers or text"

// HalfText is what is wrong with a type that has only one of the methods that read and
// write text, of which the other is needed.
func HalfText(method string) string {
	return ": it is text, but has no method " + method
}
