package codec

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"mangoro.local/internal/gotype"
)

// function is the kind of a parameter that is a function of R's: the function gets one of
// Go's that asks R. R is asked for its results as it is for arguments, and gets its arguments
// as it does results.
type function struct {
	t       reflect.Type
	context bool // the first parameter is a context
	params  []Kind
	result  Kind // nil: there is none
	fails   bool // the last result is an error
	// numbers: its parameters are numbers, or slices of them, and so is its result, if there is
	// one: R is then mostly asked by messages that differ in their values only.
	numbers bool
}

// functionKind returns the kind of a parameter that is a function of R's, and whether its
// type is one.
func functionKind(t reflect.Type) (kind Kind, is bool, err error) {
	if t.Kind() != reflect.Func {
		return nil, false, nil
	}
	f := function{t: t}
	first, last := 0, t.NumOut()
	if t.NumIn() > 0 && t.In(0) == reflect.TypeFor[context.Context]() {
		f.context, first = true, 1
	}
	if last > 0 && t.Out(last-1) == reflect.TypeFor[error]() {
		f.fails, last = true, last-1
	}
	refuse := func(what string, err error) (Kind, bool, error) {
		return nil, true, fmt.Errorf("type %v is not supported: %s: %w", t, what, err)
	}
	if last > 1 {
		return nil, true, fmt.Errorf("type %v is not supported%s", t, gotype.SeveralResults)
	}
	for i := first; i < t.NumIn(); i++ {
		kind, err := Result(t.In(i))
		if err == nil && kind.Type().Has(TypeStream) {
			err = errors.New(gotype.StreamInFunction)
		}
		if err != nil {
			return refuse(fmt.Sprintf("its parameter %d", i+1), err)
		}
		f.params = append(f.params, kind)
	}
	if last == 1 {
		kind, err := Parameter(t.Out(0))
		switch {
		case err != nil:
		case kind.Type().Has(TypeFunction):
			err = errors.New(gotype.FunctionInFunction)
		case kind.Type().Has(TypeStream):
			err = errors.New(gotype.StreamInFunction)
		}
		if err != nil {
			return refuse("its result", err)
		}
		f.result = kind
	}
	f.numbers = len(f.params) > 0 && (f.result == nil || isNumeric(f.t.Out(0), f.result))
	for i, kind := range f.params {
		f.numbers = f.numbers && isNumeric(t.In(first+i), kind)
	}
	return f, true, nil
}

// Type describes the function.
func (f function) Type() Type {
	of := &FuncType{Fails: f.fails}
	for i, kind := range f.params {
		of.Params = append(of.Params, Field{Name: argumentName(i), Type: kind.Type()})
	}
	if f.result != nil {
		result := f.result.Type()
		of.Result = &result
	}
	return Type{Name: TypeFunction, Func: of}
}

// argumentName returns the name of the column of an argument. R's function gets its arguments
// by position.
func argumentName(i int) string { return fmt.Sprintf("x%d", i+1) }

// Absent tells whether there is no function.
func (f function) Absent(arg Column, _ bool) bool { return untypedNull(arg.Array) || isNull(arg.Array) }

// Read returns a function that asks R.
func (f function) Read(arg Column, args *Arguments) (reflect.Value, error) {
	index, err := Values{integersOf[int32](TypeInt32, arrow.PrimitiveTypes.Int32)}.Read(arg, args)
	if err != nil {
		return reflect.Value{}, err
	}
	if args.caller == nil || !args.caller.Lives() {
		return reflect.Value{}, wrong("must be a function, which needs a client that Go can ask: package mangoro of the same version or a newer one")
	}
	if index.Int() < 0 {
		return reflect.Value{}, wrong("must be the number of an R function, not %d", index.Int())
	}
	r := &rFunction{function: f, caller: args.caller, target: int(index.Int())}
	return reflect.MakeFunc(f.t, r.call), nil
}

// Write fails: R has no Go functions.
func (f function) Write(reflect.Value, *Arguments) (Column, error) {
	return Column{}, wrong("must not be a function")
}

// rFunction is a function of R's that a call has.
type rFunction struct {
	function
	caller Caller
	target int
}

// call calls the function. If that fails and its type has no error for it, the call of the
// Go function ends, and so does this goroutine.
func (r *rFunction) call(in []reflect.Value) []reflect.Value {
	result, err := r.ask(in)
	if err != nil && !r.fails {
		r.caller.Fail(err)
		runtime.Goexit()
	}
	var out []reflect.Value
	if r.result != nil {
		if err != nil {
			result = reflect.Zero(r.t.Out(0))
		}
		out = append(out, result)
	}
	if r.fails {
		failure := reflect.Zero(reflect.TypeFor[error]())
		if err != nil {
			failure = reflect.ValueOf(&err).Elem()
		}
		out = append(out, failure)
	}
	return out
}

// ask asks R for the result, if there is one.
func (r *rFunction) ask(in []reflect.Value) (result reflect.Value, err error) {
	if r.context {
		if ctx, _ := in[0].Interface().(context.Context); ctx != nil && ctx.Err() != nil {
			return result, ctx.Err()
		}
		in = in[1:]
	}
	args := NewArguments(nil, nil).WithCaller(r.caller)
	if r.numbers {
		values := make([][]byte, len(in))
		for i, value := range in {
			values[i] = bytesOfNumbers(value)
		}
		numbers, answer, asked, err := r.caller.AskAgain(r.target, values, r.fit)
		switch {
		case err != nil:
			return result, err
		case answer != nil:
			return r.resultOf(answer, args)
		case asked:
			return r.number(numbers), nil
		}
	}
	names, columns := make([]string, len(in)), make([]Column, 0, len(in))
	defer func() { Release(columns) }()
	for i, value := range in {
		names[i] = argumentName(i)
		column, err := r.params[i].Write(value, args)
		if err != nil {
			return result, inCallback(err, fmt.Sprintf("argument %d of the R function", i+1))
		}
		columns = append(columns, column)
	}
	answer, err := r.caller.Ask(r.target, names, columns)
	if err != nil {
		return result, err
	}
	return r.resultOf(answer, args)
}

// resultOf returns the result that an answer has, and releases it. It may be nil.
func (r *rFunction) resultOf(answer arrow.RecordBatch, args *Arguments) (result reflect.Value, err error) {
	if answer != nil {
		defer answer.Release()
	}
	if r.result == nil {
		return result, nil
	}
	if answer == nil || answer.NumCols() != 1 {
		return result, errNoResult
	}
	column := Column{Field: answer.Schema().Field(0), Array: answer.Column(0)}
	if r.result.Absent(column, false) {
		return reflect.Zero(r.t.Out(0)), nil
	}
	if result, err = r.result.Read(column, args); err != nil {
		return result, inCallback(err, "the result of the R function")
	}
	return result, nil
}

// errNoResult is the error of an answer that lacks what the function returns.
var errNoResult = errors.New("the answer of R has no result of its function")

// inCallback says what an error of a codec is about.
func inCallback(err error, what string) error {
	if e, ok := err.(*Error); ok {
		return errors.New(e.Text(what))
	}
	return err
}

// isNumeric tells whether the values of a type are a number that Arrow has as Go has it, or a
// slice of such numbers.
func isNumeric(t reflect.Type, kind Kind) bool {
	if _, ok := kind.(Values); !ok {
		return false
	}
	of := kind.Type()
	if of.Name == TypeList && t.Kind() == reflect.Slice {
		t, of = t.Elem(), *of.Elem
	}
	switch t.Kind() {
	case reflect.Float64:
		return of.Name == TypeFloat64
	case reflect.Int32:
		return of.Name == TypeInt32
	case reflect.Int64, reflect.Int:
		return of.Name == TypeInt64 && t.Size() == 8
	default:
		return false
	}
}

// bytesOfNumbers returns the memory of a number, which is a copy, or of a slice of numbers.
func bytesOfNumbers(value reflect.Value) []byte {
	switch value.Kind() {
	case reflect.Float64:
		return binary.NativeEndian.AppendUint64(nil, math.Float64bits(value.Float()))
	case reflect.Int32:
		return binary.NativeEndian.AppendUint32(nil, uint32(value.Int()))
	case reflect.Slice:
		return unsafe.Slice((*byte)(value.UnsafePointer()), value.Len()*int(value.Type().Elem().Size()))
	default:
		return binary.NativeEndian.AppendUint64(nil, uint64(value.Int()))
	}
}

// fit tells whether numbers can be the result as they are.
func (r *rFunction) fit(numbers Memory) bool {
	if r.result == nil {
		return numbers.Type == arrow.NULL
	}
	t, list := r.t.Out(0), false
	if list = t.Kind() == reflect.Slice; list {
		t = t.Elem()
	}
	switch size := len(numbers.Bytes); {
	case numbers.Type == arrow.FLOAT64:
		return t.Kind() == reflect.Float64 && (list || size == 8)
	case numbers.Type == arrow.INT32:
		return t.Kind() == reflect.Int32 && (list || size == 4) || (t.Kind() == reflect.Int64 || t.Kind() == reflect.Int) && !list && size == 4
	case numbers.Type == arrow.INT64:
		return (t.Kind() == reflect.Int64 || t.Kind() == reflect.Int) && (list || size == 8)
	default:
		return false
	}
}

// number returns numbers that fit as the result.
func (r *rFunction) number(numbers Memory) (result reflect.Value) {
	if r.result == nil {
		return result
	}
	t := r.t.Out(0)
	value := reflect.New(t).Elem()
	switch {
	case t.Kind() == reflect.Slice:
		n := len(numbers.Bytes) / int(t.Elem().Size())
		value.Set(reflect.MakeSlice(t, n, n))
		copy(bytesOfNumbers(value), numbers.Bytes)
	case numbers.Type == arrow.FLOAT64:
		value.SetFloat(math.Float64frombits(binary.NativeEndian.Uint64(numbers.Bytes)))
	case numbers.Type == arrow.INT32:
		value.SetInt(int64(int32(binary.NativeEndian.Uint32(numbers.Bytes))))
	default:
		value.SetInt(int64(binary.NativeEndian.Uint64(numbers.Bytes)))
	}
	return value
}
