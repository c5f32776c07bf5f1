package codec

// The names of the types that R knows.
const (
	TypeInt32      = "int32"
	TypeInt64      = "int64"
	TypeFloat64    = "float64"
	TypeString     = "string"
	TypeBool       = "bool"
	TypeTimestamp  = "timestamp"
	TypeDuration   = "duration"
	TypeBinary     = "binary"
	TypeComplex128 = "complex128"
	TypeList       = "list"
	TypeStruct     = "struct"
	TypeMap        = "map"
	TypeAny        = "any"
	TypeDynamic    = "dynamic"
	TypeStream     = "stream"
)

// Type describes a Go type to R.
type Type struct {
	Name     string
	Nullable bool    // there is room for NA
	Elem     *Type   // of a list, or of the values of a map
	Fields   []Field // of a struct
	lacks    string  // the method without which a text cannot be read, or not be written
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
