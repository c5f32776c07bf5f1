package codec

import "reflect"

// functionKind returns the kind of a parameter that is a function of R's, and whether its
// type is one.
func functionKind(reflect.Type) (kind Kind, is bool, err error) { return nil, false, nil }
