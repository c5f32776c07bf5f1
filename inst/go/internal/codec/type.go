package codec

import (
	"reflect"
	"slices"
)

// The names of the types that R knows.
const (
	TypeInt8       = "int8"
	TypeInt16      = "int16"
	TypeInt32      = "int32"
	TypeInt64      = "int64"
	TypeUint8      = "uint8"
	TypeUint16     = "uint16"
	TypeUint32     = "uint32"
	TypeUint64     = "uint64"
	TypeFloat32    = "float32"
	TypeFloat64    = "float64"
	TypeString     = "string"
	TypeBool       = "bool"
	TypeTimestamp  = "timestamp"
	TypeDuration   = "duration"
	TypeDate       = "date"
	TypeBinary     = "binary"
	TypeComplex64  = "complex64"
	TypeComplex128 = "complex128"
	TypeList       = "list"
	TypeStruct     = "struct"
	TypeMap        = "map"
	TypeMatrix     = "matrix"
	TypeAny        = "any"
	TypeDynamic    = "dynamic"
	TypeRecord     = "record"
	TypeStream     = "stream"
	TypeObject     = "object"
	TypeFunction   = "function"
)

// Type describes a Go type to R.
type Type struct {
	Name     string
	Nullable bool    // there is room for NA
	Elem     *Type   // of a list, a matrix or the values of a map
	Length   *int    // of a list or of bytes, if there is but one: of an array
	Fields   []Field // of a struct
	Object   string  // the name of the type of an object
	Func     *FuncType
	lacks    string       // the method without which a text cannot be read, or not be written
	object   reflect.Type // that of an object
}

// FuncType describes a function of R's that Go calls.
type FuncType struct {
	Params []Field
	Result *Type // nil: there is none
	Fails  bool  // it may return an error
}

// Field describes a field of a struct.
type Field struct {
	Name     string
	Type     Type
	Optional bool // it may be missing
}

// lack returns the method that a type within this one lacks, other than the given one.
func (t Type) lack(unless string) string {
	if t.lacks != "" && t.lacks != unless {
		return t.lacks
	}
	if t.Elem != nil {
		if method := t.Elem.lack(unless); method != "" {
			return method
		}
	}
	for _, f := range t.Fields {
		if method := f.Type.lack(unless); method != "" {
			return method
		}
	}
	return ""
}

// Has tells whether a type, or one within it, has that name.
func (t Type) Has(name string) bool {
	has := func(f Field) bool { return f.Type.Has(name) }
	return t.Name == name || t.Elem != nil && t.Elem.Has(name) || slices.ContainsFunc(t.Fields, has) ||
		t.Func != nil && (slices.ContainsFunc(t.Func.Params, has) || t.Func.Result != nil && t.Func.Result.Has(name))
}

// Objects returns the types of objects in a type.
func (t Type) Objects() []reflect.Type {
	var out []reflect.Type
	if t.object != nil {
		out = append(out, t.object)
	}
	if t.Elem != nil {
		out = append(out, t.Elem.Objects()...)
	}
	for _, f := range t.Fields {
		out = append(out, f.Type.Objects()...)
	}
	if t.Func != nil {
		for _, p := range t.Func.Params {
			out = append(out, p.Type.Objects()...)
		}
		if t.Func.Result != nil {
			out = append(out, t.Func.Result.Objects()...)
		}
	}
	return out
}

// KnowsNaN tells whether [Arguments.NoNaN] holds for all float64 and float32 of a result.
func (t Type) KnowsNaN() bool {
	switch t.Name {
	case TypeTimestamp, TypeComplex64, TypeComplex128, TypeAny, TypeDynamic, TypeRecord, TypeStream:
		return false
	}
	return (t.Elem == nil || t.Elem.KnowsNaN()) &&
		!slices.ContainsFunc(t.Fields, func(f Field) bool { return !f.Type.KnowsNaN() })
}

// hasMatrix tells whether there is a matrix in a value of the type.
func (t Type) hasMatrix() bool {
	return t.Name == TypeMatrix || slices.ContainsFunc(t.Fields, func(f Field) bool { return f.Type.hasMatrix() })
}
