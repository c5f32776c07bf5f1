package codec

import "reflect"

// objectKind returns the kind of a type whose values are objects, and whether it is one.
func objectKind(reflect.Type) (Kind, bool) { return nil, false }

// objectCodecOf returns the codec of such a type within others.
func objectCodecOf(reflect.Type) (codec, bool) { return nil, false }
