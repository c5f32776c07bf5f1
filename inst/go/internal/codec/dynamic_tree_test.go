package codec

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
)

// Whatever bytes there are, they are a value or an error, and a value is written as
// one that is the same.
func TestTreesThatAreBroken(t *testing.T) {
	var w treeWriter
	value := map[string]any{"a": []any{1.5, "x", nil, true, []byte{1, 2}}, "b": map[string]any{"c": "", "d": []any{map[string]any{"e": -1.0}}}}
	if err := w.value(value, 0); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	failed := 0
	for range 2000 {
		broken := []byte(string(w.out))
		for range 1 + random.IntN(3) {
			broken[random.IntN(len(broken))] = byte(random.IntN(256))
		}
		if random.IntN(5) == 0 {
			broken = broken[:random.IntN(len(broken))]
		}
		r := treeReader{text: string(broken)}
		got, err := r.value(0)
		if err != nil {
			failed++
			continue
		}
		var again treeWriter
		if err := again.value(got, 0); err != nil {
			continue // such as a time in a leaf
		}
		r = treeReader{text: string(again.out)}
		if back, err := r.value(0); len(again.leaves.columns) == 0 && (err != nil || !same(back, got)) {
			t.Fatalf("%q is %#v, and that comes back as %#v, %v", broken, got, back, err)
		}
	}
	if failed < 200 || failed > 1900 {
		t.Errorf("%d of 2000 are refused", failed)
	}
}

// same compares values with NaN.
func same(a, b any) bool {
	switch a := a.(type) {
	case float64:
		b, ok := b.(float64)
		return ok && math.Float64bits(a) == math.Float64bits(b)
	case []any:
		b, ok := b.([]any)
		for i := range a {
			ok = ok && len(a) == len(b) && same(a[i], b[i])
		}
		return ok
	case map[string]any:
		b, ok := b.(map[string]any)
		for name := range a {
			ok = ok && len(a) == len(b) && same(a[name], b[name])
		}
		return ok
	default:
		return reflect.DeepEqual(a, b)
	}
}
