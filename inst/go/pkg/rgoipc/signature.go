package rgoipc

import (
	"encoding/json"
	"slices"

	"mangoro.local/internal/codec"
)

// The names of types in a [TypeSpec]. Other names are passed on to R as they
// are and not checked.
const (
	TypeInt32   = codec.TypeInt32
	TypeInt64   = codec.TypeInt64
	TypeFloat64 = codec.TypeFloat64
	TypeString  = codec.TypeString
	TypeBool    = codec.TypeBool
	TypeList    = codec.TypeList
	TypeStruct  = codec.TypeStruct
)

// The names of further types that a typed function may have, see
// [Registry.Func].
const (
	TypeTimestamp  = codec.TypeTimestamp
	TypeDuration   = codec.TypeDuration
	TypeDate       = codec.TypeDate
	TypeBinary     = codec.TypeBinary
	TypeInt8       = codec.TypeInt8
	TypeInt16      = codec.TypeInt16
	TypeUint8      = codec.TypeUint8
	TypeUint16     = codec.TypeUint16
	TypeUint32     = codec.TypeUint32
	TypeUint64     = codec.TypeUint64
	TypeFloat32    = codec.TypeFloat32
	TypeComplex64  = codec.TypeComplex64
	TypeComplex128 = codec.TypeComplex128
	TypeMap        = codec.TypeMap      // from names to values, whose type is ListSchema
	TypeMatrix     = codec.TypeMatrix   // of elements whose type is ListSchema
	TypeAny        = codec.TypeAny      // whatever R has, as Arrow data, or a result of any type
	TypeDynamic    = codec.TypeDynamic  // what encoding/json makes of JSON
	TypeRecord     = codec.TypeRecord   // a data frame, as it came
	TypeStream     = codec.TypeStream   // data frames, or values of the type ListSchema, one part after the other
	TypeObject     = codec.TypeObject   // a Go value that R refers to, of the type Name
	TypeFunction   = codec.TypeFunction // an R function, as Func describes it
	TypeNull       = "null"             // no result
)

// FunctionSignature describes a function to R and to the checks of a server.
type FunctionSignature struct {
	// Args are the columns that the function takes. None: any columns.
	Args []ArgSpec
	// ReturnType is the type of the result, for R's information.
	ReturnType TypeSpec
	// Vectorized: one row of results for each row of arguments.
	Vectorized bool
	// Recycles: a Vectorized function that also takes a call of one row, with a
	// list column for each argument, and recycles these if their lengths differ.
	Recycles bool `json:",omitempty"`
	// Each: a Vectorized and Recycles function whose result is one row, a list with an
	// element for each row of arguments. The default is false.
	Each bool `json:",omitempty"`
	// Boxed: a record of one row is a call, its columns hold a whole argument
	// each. The default is false: an argument is a column.
	Boxed bool `json:",omitempty"`
	// Lives: the function may say something before it returns, as [Progress] does, or ask
	// R for something. The default is false.
	Lives bool `json:",omitempty"`
	// Metadata is free text for R, such as a "description".
	Metadata map[string]string
}

// MarshalJSON writes no arguments as an empty array.
func (s FunctionSignature) MarshalJSON() ([]byte, error) {
	type noMethod FunctionSignature
	if s.Args == nil {
		s.Args = []ArgSpec{}
	}
	return json.Marshal(noMethod(s))
}

// ArgSpec describes an argument.
type ArgSpec struct {
	// Name is the name of the column.
	Name string
	// Type is what the column must hold.
	Type TypeSpec
	// Optional: the column may be missing, and the handler then gets nulls.
	Optional bool
	// Default is what a missing argument stands for, for R's information.
	Default any
	// Variadic: R's function takes any number of values, as `...`, and sends them
	// together as one argument, whose Type is that of all of them. The default is false.
	Variadic bool `json:",omitempty"`
	// Path: the texts are paths of files, which R makes absolute, see [Paths]. The
	// default is false.
	Path bool `json:",omitempty"`
}

// TypeSpec describes a type.
type TypeSpec struct {
	// Type is one of the Type constants, or another name.
	Type string
	// Nullable: missing values are allowed.
	Nullable bool
	// StructDef describes the fields of a TypeStruct. Nil: any fields.
	StructDef *StructDef
	// ListSchema describes the elements of a TypeList or a TypeMatrix, or the
	// values of a TypeMap. Nil: any elements.
	ListSchema *TypeSpec
	// Length is how many elements a list or bytes have. Nil: any number.
	Length *int `json:",omitempty"`
	// Name is the type of a TypeObject.
	Name string `json:",omitempty"`
	// Func describes a TypeFunction by its Args and ReturnType.
	Func *FunctionSignature `json:",omitempty"`
	// Fails: an error of a TypeFunction is returned to the function that calls it. The
	// default is false: it ends the call.
	Fails bool `json:",omitempty"`
}

// newTypeSpec describes a type as the codec does.
func newTypeSpec(t codec.Type) TypeSpec {
	spec := TypeSpec{Type: t.Name, Nullable: t.Nullable, Length: t.Length, Name: t.Object}
	if t.Func != nil {
		spec.Func, spec.Fails = newFuncSpec(t.Func), t.Func.Fails
	}
	if t.Elem != nil {
		elem := newTypeSpec(*t.Elem)
		spec.ListSchema = &elem
	}
	if t.Name == TypeStruct {
		spec.StructDef = &StructDef{}
		for _, f := range t.Fields {
			spec.StructDef.Fields = append(spec.StructDef.Fields, FieldDef{Name: f.Name, Type: newTypeSpec(f.Type), Optional: f.Optional})
		}
	}
	return spec
}

// newFuncSpec describes a function of R's.
func newFuncSpec(t *codec.FuncType) *FunctionSignature {
	s := &FunctionSignature{ReturnType: TypeSpec{Type: TypeNull, Nullable: true}}
	for _, p := range t.Params {
		s.Args = append(s.Args, ArgSpec{Name: p.Name, Type: newTypeSpec(p.Type)})
	}
	if t.Result != nil {
		s.ReturnType = newTypeSpec(*t.Result)
	}
	return s
}

// nullable returns the type with room for NA, also in the fields of structs.
func (t TypeSpec) nullable() TypeSpec {
	t.Nullable = true
	if t.StructDef != nil {
		fields := slices.Clone(t.StructDef.Fields)
		for i := range fields {
			fields[i].Type = fields[i].Type.nullable()
		}
		t.StructDef = &StructDef{Fields: fields}
	}
	return t
}

// StructDef describes the fields of a struct.
type StructDef struct {
	// Fields are the fields, in order. None: any fields.
	Fields []FieldDef
}

// MarshalJSON writes no fields as an empty array.
func (d StructDef) MarshalJSON() ([]byte, error) {
	type noMethod StructDef
	if d.Fields == nil {
		d.Fields = []FieldDef{}
	}
	return json.Marshal(noMethod(d))
}

// FieldDef describes a field of a struct.
type FieldDef struct {
	// Name is the name of the field.
	Name string
	// Type is what the field must hold.
	Type TypeSpec
	// Optional: the field may be missing. The default is false.
	Optional bool `json:",omitempty"`
	// Metadata is free text for R.
	Metadata map[string]string
}
