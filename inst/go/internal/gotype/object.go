package gotype

import (
	"slices"
	"strings"
)

// IsObject tells whether a pointer to a struct is an object, which R refers to, rather than
// a row that may be missing. Its type has exported methods of these names. If all of them are
// only about its text or encoding, it is a row, unless R would see nothing of that.
func IsObject(methods []string, exportedFields bool) bool {
	methods = slices.DeleteFunc(methods, func(name string) bool { return name == codecMethod })
	return slices.ContainsFunc(methods, func(name string) bool { return !isText(name) && IsMethod(name) }) ||
		len(methods) > 0 && !exportedFields
}

// IsMethod tells whether R has a use for a method of an object of that name.
func IsMethod(name string) bool {
	switch name {
	case "GoString", "Format", "LogValue", codecMethod:
		return false
	}
	return !strings.HasPrefix(name, "Marshal") && !strings.HasPrefix(name, "Unmarshal")
}

// codecMethod is a method of the types of rgoipc, which structs that embed them have as well.
const codecMethod = "Codec"

func isText(name string) bool { return name == "String" || name == "Error" }

// HasOwnMeaning tells whether the types of a package are none whose values are objects:
// those that R has other values for.
func HasOwnMeaning(path string) bool {
	return path == "time" || strings.HasPrefix(path, "github.com/apache/arrow") ||
		strings.HasPrefix(path, "gonum.org/v1/gonum/mat")
}
