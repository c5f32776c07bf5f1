package rgoipc

import (
	"math"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
)

func nothing(rec arrow.RecordBatch) (arrow.RecordBatch, error) { return nil, nil }

func TestRegisterRefuses(t *testing.T) {
	tests := []struct {
		name      string
		function  string
		handler   FunctionHandler
		signature FunctionSignature
	}{
		{"no name", "", nothing, FunctionSignature{}},
		{"name not UTF-8", "\xff", nothing, FunctionSignature{}},
		{"no handler", "f", nil, FunctionSignature{}},
		{"name taken", "taken", nothing, FunctionSignature{}},
		{"argument without a name", "f", nothing, FunctionSignature{Args: []ArgSpec{{}}}},
		{"two arguments of one name", "f", nothing, FunctionSignature{Args: []ArgSpec{{Name: "x"}, {Name: "x"}}}},
		{"default that is no JSON", "f", nothing, FunctionSignature{Args: []ArgSpec{{Name: "x", Default: math.NaN()}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			registry := NewRegistry()
			if err := registry.Register("taken", nothing, FunctionSignature{}); err != nil {
				t.Fatal(err)
			}
			if err := registry.Register(tt.function, tt.handler, tt.signature); err == nil {
				t.Error("Register() = nil, want an error")
			}
			if got := registry.List(); !slices.Equal(got, []string{"taken"}) {
				t.Errorf("List() = %v after a refusal", got)
			}
		})
	}
}

func TestRegistryListsInOrder(t *testing.T) {
	registry := NewRegistry()
	want := []string{"z", "a", "m"}
	for _, name := range want {
		if err := registry.Register(name, nothing, FunctionSignature{}); err != nil {
			t.Fatal(err)
		}
	}
	if got := registry.List(); !slices.Equal(got, want) {
		t.Errorf("List() = %v, want %v", got, want)
	}
	if fn, ok := registry.Get("a"); !ok || fn.Name != "a" || fn.Handler == nil {
		t.Errorf("Get(a) = %+v, %v", fn, ok)
	}
	if _, ok := registry.Get("b"); ok {
		t.Error("Get(b) found a function that is not there")
	}
}

// The manifest is a contract with R: no key is ever renamed or left out.
func TestManifestJSON(t *testing.T) {
	registry := NewRegistry()
	register := func(name string, signature FunctionSignature) {
		t.Helper()
		if err := registry.Register(name, nothing, signature); err != nil {
			t.Fatal(err)
		}
	}
	register("plain", FunctionSignature{})
	register("full", FunctionSignature{
		Args: []ArgSpec{{Name: "p", Optional: true, Default: 1, Type: TypeSpec{
			Type: TypeStruct, StructDef: &StructDef{Fields: []FieldDef{{Name: "age", Type: TypeSpec{Type: TypeInt32}}}},
		}}},
		ReturnType: TypeSpec{Type: TypeList, Nullable: true, ListSchema: &TypeSpec{Type: TypeString}},
		Vectorized: true,
		Metadata:   map[string]string{"description": "d"},
	})
	const want = `{` +
		`"full":{"Args":[{"Name":"p","Type":{"Type":"struct","Nullable":false,"StructDef":{"Fields":[` +
		`{"Name":"age","Type":{"Type":"int32","Nullable":false,"StructDef":null,"ListSchema":null},"Metadata":null}]},` +
		`"ListSchema":null},"Optional":true,"Default":1}],` +
		`"ReturnType":{"Type":"list","Nullable":true,"StructDef":null,` +
		`"ListSchema":{"Type":"string","Nullable":false,"StructDef":null,"ListSchema":null}},` +
		`"Vectorized":true,"Metadata":{"description":"d"}},` +
		`"plain":{"Args":[],"ReturnType":{"Type":"","Nullable":false,"StructDef":null,"ListSchema":null},` +
		`"Vectorized":false,"Metadata":null}}`
	got, err := registry.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("Manifest() =\n%s\nwant\n%s", got, want)
	}
}
