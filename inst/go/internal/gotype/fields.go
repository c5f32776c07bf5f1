// Package gotype has the rules about Go's types that the codec and the generator
// share: one knows types by reflection, the other by go/types.
package gotype

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Struct is a struct type.
type Struct interface {
	NumField() int
	Field(i int) StructField
	// Embedded returns the struct that field i embeds, itself or by a pointer, if
	// its fields are to be promoted.
	Embedded(i int) (inner Struct, pointer, ok bool)
	// Type returns the type, to compare it with others.
	Type() any
}

// StructField is a field as it is declared.
type StructField struct {
	Name     string
	Exported bool
	Embedded bool
	Tag      reflect.StructTag
}

// Field is a field that R sees.
type Field struct {
	Name string // in R
	// Index is the way to it: its index, after those of the structs that embed it.
	Index []int
	// Optional: the tag says that it may be missing.
	Optional bool
	// Pointer: it is within a struct that is embedded by a pointer.
	Pointer bool

	tagged bool
}

// Depth returns how many structs embed the field.
func (f Field) Depth() int { return len(f.Index) - 1 }

// Fields returns the fields of a struct that R sees, as encoding/json sees them: those
// of embedded structs are promoted, unless a field that is less deep has the name. Of
// several that are equally deep, the one that a tag names is taken, or none. Two of
// the struct itself are an error.
func Fields(s Struct) ([]Field, error) {
	type embedded struct {
		s       Struct
		index   []int
		pointer bool
	}
	var fields []Field
	taken := make(map[string]bool)
	visited := []any{s.Type()}
	for level := []embedded{{s: s}}; len(level) > 0; {
		var found []Field
		var next []embedded
		for _, e := range level {
			for i := range e.s.NumField() {
				declared := e.s.Field(i)
				field, skip := tagOf(declared)
				index := append(slices.Clone(e.index), i)
				if skip {
					continue
				}
				if declared.Embedded && !field.tagged {
					if inner, pointer, ok := e.s.Embedded(i); ok {
						if !slices.Contains(visited, inner.Type()) {
							next = append(next, embedded{inner, index, e.pointer || pointer})
						}
						continue
					}
				}
				if declared.Exported {
					field.Index, field.Pointer = index, e.pointer
					found = append(found, field)
				}
			}
		}
		visible, err := unhidden(found, taken)
		if err != nil {
			return nil, err
		}
		fields = append(fields, visible...)
		for _, e := range next {
			visited = append(visited, e.s.Type())
		}
		level = next
	}
	slices.SortFunc(fields, func(a, b Field) int { return slices.Compare(a.Index, b.Index) })
	return fields, nil
}

// AnyField tells whether something holds for a field of s, or of a struct whose fields
// are promoted to it.
func AnyField(s Struct, holds func(s Struct, i int) bool) bool {
	return anyField(s, holds, nil)
}

func anyField(s Struct, holds func(s Struct, i int) bool, within []any) bool {
	if slices.Contains(within, s.Type()) {
		return false
	}
	within = append(within, s.Type())
	for i := range s.NumField() {
		if holds(s, i) {
			return true
		}
		declared := s.Field(i)
		field, skip := tagOf(declared)
		if skip || !declared.Embedded || field.tagged {
			continue
		}
		if inner, _, ok := s.Embedded(i); ok && anyField(inner, holds, within) {
			return true
		}
	}
	return false
}

// unhidden returns the fields of one depth that are not hidden by others, and notes
// their names.
func unhidden(found []Field, taken map[string]bool) ([]Field, error) {
	byName := make(map[string][]Field)
	var names []string
	for _, f := range found {
		if byName[f.Name] == nil {
			names = append(names, f.Name)
		}
		byName[f.Name] = append(byName[f.Name], f)
	}
	var fields []Field
	for _, name := range names {
		if taken[name] {
			continue
		}
		taken[name] = true
		same := byName[name]
		if len(same) > 1 && same[0].Depth() == 0 {
			return nil, fmt.Errorf("two fields `%s`", name)
		}
		// Those that a tag names come first.
		slices.SortStableFunc(same, func(a, b Field) int { return cmp.Compare(rank(a), rank(b)) })
		if len(same) == 1 || same[0].tagged && !same[1].tagged {
			fields = append(fields, same[0])
		}
	}
	return fields, nil
}

func rank(f Field) int {
	if f.tagged {
		return 0
	}
	return 1
}

// tagOf reads the tags of a field: `r:"name"` or, without that, `json:"name,omitempty"`.
// With "-" for a name the field is skipped.
func tagOf(declared StructField) (f Field, skip bool) {
	f.Name = declared.Name
	if name, ok := declared.Tag.Lookup("r"); ok {
		if name != "" {
			f.Name, f.tagged = name, true
		}
		return f, name == "-"
	}
	tag := declared.Tag.Get("json")
	if tag == "-" {
		return f, true
	}
	name, options, _ := strings.Cut(tag, ",")
	if name != "" {
		f.Name, f.tagged = name, true
	}
	for option := range strings.SplitSeq(options, ",") {
		f.Optional = f.Optional || option == "omitempty" || option == "omitzero"
	}
	return f, false
}
