package codec

import "reflect"

// Shape is how a type of rgoipc holds its values. Such a type has a method Codec that
// returns it.
type Shape interface {
	// codec returns the codec of the type, which is the last of those within.
	codec(within []reflect.Type) (codec, error)
	// zeroIsAbsent tells whether the zero value says that there is no value.
	zeroIsAbsent() bool
}

// shapeOf returns the shape of a type, if it has one. A struct that embeds such a type
// has its method, but not its shape.
func shapeOf(t reflect.Type) (Shape, bool) {
	if t.Name() == "" || embeds(t) {
		return nil, false
	}
	shaped, ok := reflect.Zero(t).Interface().(interface{ Codec() Shape })
	if !ok {
		return nil, false
	}
	return shaped.Codec(), true
}

func embeds(t reflect.Type) bool {
	if t.Kind() != reflect.Struct {
		return false
	}
	for i := range t.NumField() {
		if t.Field(i).Anonymous {
			return true
		}
	}
	return false
}
