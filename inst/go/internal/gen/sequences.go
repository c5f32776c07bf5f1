package gen

import (
	"go/types"
	"slices"

	"mangoro.local/internal/gotype"
)

// judgeSequence judges a type that is read or written part by part, of a result or of a
// parameter, and tells whether it is one. It does as codec's sequenceKind does.
func judgeSequence(t types.Type, result bool) (verdict, bool) {
	var elem types.Type
	switch u := t.Underlying().(type) {
	case *types.Chan:
		if u.Dir() == types.SendOnly {
			return verdict{}, false
		}
		if !result {
			return verdict{reason: unsupported(t) + gotype.ChannelParameter}, true
		}
		elem = u.Elem()
	case *types.Signature:
		yield := yieldOf(u)
		switch {
		case yield == nil:
			return verdict{}, false
		case yield.Len() == 1:
		case !types.Identical(yield.At(1).Type(), types.Universe.Lookup("error").Type()):
			return verdict{reason: unsupported(t) + gotype.PairsOfOthers}, true
		case !result:
			return verdict{reason: unsupported(t) + gotype.ErrorsParameter}, true
		}
		elem = yield.At(0).Type()
	default:
		return verdict{}, false
	}
	v := vectorOf(t, judgeWithin(elem, nil))
	return verdict{reason: v.reason, unknown: v.unknown, lacks: v.lacks, stream: true}, true
}

// yieldOf returns the parameters of the function that an iterator calls with each value, or
// nil if that is none.
func yieldOf(t *types.Signature) *types.Tuple {
	if t.Params().Len() != 1 || t.Results().Len() != 0 || t.Variadic() {
		return nil
	}
	yield, ok := t.Params().At(0).Type().Underlying().(*types.Signature)
	if !ok || yield.Results().Len() != 1 || yield.Variadic() || yield.Params().Len() < 1 || yield.Params().Len() > 2 {
		return nil
	}
	if basic, ok := yield.Results().At(0).Type().Underlying().(*types.Basic); !ok || basic.Kind() != types.Bool {
		return nil
	}
	return yield.Params()
}

// isStream tells whether a value is read or written part by part.
func (v value) isStream() bool { return v.stream || v.arrow == arrowPath+"/array.RecordReader" }

// returnsStream tells whether the result is a stream, which is made when the function has
// returned: it may read the arguments then.
func (f *function) returnsStream() bool { return slices.ContainsFunc(f.results, value.isStream) }
