package codec

import "reflect"

// sequenceKind returns the kind of a type that is read or written part by part, of a result
// or of a parameter, and whether it is one.
func sequenceKind(t reflect.Type, result bool) (kind Kind, is bool, err error) {
	_, _ = t, result
	return nil, false, nil
}
