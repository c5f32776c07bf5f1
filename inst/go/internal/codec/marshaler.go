package codec

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/apache/arrow-go/v18/arrow"
)

// textCodec is the codec of a type that has methods for its text, which is a string
// in R: MarshalText, of a result, and UnmarshalText, of an argument. So is JSON.
type textCodec struct {
	t         reflect.Type
	marshal   func(reflect.Value) ([]byte, error) // of a value that can be addressed; nil: it has no such method
	unmarshal func(reflect.Value, []byte) error   // of a pointer to it; nil likewise
}

// newTextCodec returns the codec of a type with methods for its text, if it has one.
func newTextCodec(t reflect.Type) (textCodec, bool) {
	c := textCodec{t: t}
	if t == reflect.TypeFor[json.RawMessage]() {
		c.marshal = func(v reflect.Value) ([]byte, error) { return v.Bytes(), nil }
		c.unmarshal = readJSON
		return c, true
	}
	if t.Kind() == reflect.Interface || t.Kind() == reflect.Pointer {
		return c, false
	}
	pointer := reflect.PointerTo(t)
	if pointer.Implements(reflect.TypeFor[encoding.TextMarshaler]()) {
		c.marshal = func(v reflect.Value) ([]byte, error) {
			return v.Addr().Interface().(encoding.TextMarshaler).MarshalText()
		}
	}
	if pointer.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		c.unmarshal = func(v reflect.Value, text []byte) error {
			defer wrapPanic()
			return v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText(text)
		}
	}
	return c, c.marshal != nil || c.unmarshal != nil
}

// MethodPanic is a panic of a method of a user's type, which was called to read an argument.
type MethodPanic struct{ Value any }

func wrapPanic() {
	if p := recover(); p != nil {
		panic(MethodPanic{p})
	}
}

// readJSON takes text for JSON as it is.
func readJSON(v reflect.Value, text []byte) error {
	if err := json.Unmarshal(text, new(json.RawMessage)); err != nil {
		return err
	}
	v.SetBytes(text)
	return nil
}

// name is what messages call the type.
func (c textCodec) name() string {
	if c.t == reflect.TypeFor[json.RawMessage]() {
		return "JSON" // it has different names in different versions of Go
	}
	return c.t.String()
}

func (c textCodec) goType() reflect.Type { return c.t }

// A type without one of the methods can only be an argument, or only a result.
func (c textCodec) describe() Type {
	t := Type{Name: TypeString}
	switch {
	case c.unmarshal == nil:
		t.lacks = "UnmarshalText"
	case c.marshal == nil:
		t.lacks = "MarshalText"
	}
	return t
}

func (c textCodec) scalar() bool { return true }

func (c textCodec) nests(arrow.ListLikeType) bool { return false }

func (c textCodec) read(col Column) (any, Bitmap, error) {
	texts, valid, err := readStrings(col)
	if err != nil {
		return nil, valid, err
	}
	values := reflect.MakeSlice(reflect.SliceOf(c.t), len(texts), len(texts))
	for i, text := range texts {
		if !valid.Has(i) {
			continue
		}
		if err := c.unmarshal(values.Index(i), []byte(text)); err != nil {
			return nil, valid, c.badText(i, text, err)
		}
	}
	return values.Interface(), valid, nil
}

// badText is the error of a text that is not one of the type.
func (c textCodec) badText(row int, text string, err error) error {
	return badValue(fmt.Sprintf("must be text that Go reads as %s (%v)", c.name(), err), row, fmt.Sprintf("%q", text))
}

// write writes JSON that is nil as NA.
func (c textCodec) write(values any, valid Bitmap, args *Arguments) (Column, error) {
	in := reflect.ValueOf(values)
	texts := make([]string, in.Len())
	rows := clearable{Bitmap: valid, n: in.Len()}
	for i := range texts {
		if !valid.Has(i) {
			continue
		}
		text, err := c.marshal(in.Index(i))
		switch {
		case err != nil:
			return Column{}, c.noText(i, err)
		case text == nil && c.t.Kind() == reflect.Slice:
			rows.clear(i)
		}
		texts[i] = string(text)
	}
	return writeStrings(texts, rows.Bitmap, args)
}

// noText is the error of a value whose text cannot be made.
func (c textCodec) noText(row int, err error) error {
	return &Error{problem: fmt.Sprintf("has a %s that cannot be written as text (%v)", c.name(), err), Row: row}
}
