package rgoipc

import (
	"fmt"
	"reflect"
	"slices"
)

// crossing returns how the values of a type cross.
func crossing(t reflect.Type) (codec, *raw, error) {
	if r, ok := rawType(t); ok {
		return nil, r, nil
	}
	c, err := newCodec(t)
	return c, nil, err
}

// resultCrossing is crossing for a result. In R the values of a map are one
// vector or list with the keys for names, and structs are rows of a data frame.
func resultCrossing(t reflect.Type) (codec, *raw, error) {
	c, r, err := crossing(t)
	if err == nil && c != nil && hasMapOfStructs(c.spec()) {
		err = fmt.Errorf("%w: R cannot read a map of structs", unsupported(t))
	}
	return c, r, err
}

// hasTimes tells whether there are times in values of a type.
func hasTimes(spec TypeSpec) bool {
	if spec.Type == TypeTimestamp || spec.ListSchema != nil && hasTimes(*spec.ListSchema) {
		return true
	}
	return spec.StructDef != nil && slices.ContainsFunc(spec.StructDef.Fields, func(f FieldDef) bool { return hasTimes(f.Type) })
}

func hasMapOfStructs(spec TypeSpec) bool {
	if elem := spec.ListSchema; elem != nil {
		return spec.Type == TypeMap && elem.Type == TypeStruct || hasMapOfStructs(*elem)
	}
	return spec.StructDef != nil && slices.ContainsFunc(spec.StructDef.Fields, func(f FieldDef) bool {
		return hasMapOfStructs(f.Type)
	})
}
