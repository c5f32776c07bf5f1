package gen

import (
	"fmt"
	"go/types"

	"mangoro.local/internal/gotype"
)

// judgeFunction judges the type of a parameter that is a function of R's, and tells whether
// it is one.
func judgeFunction(t types.Type) (verdict, bool) {
	sig, is := t.Underlying().(*types.Signature)
	if !is {
		return verdict{}, false
	}
	v := verdict{fn: true}
	refuse := func(why string) (verdict, bool) { return verdict{reason: unsupported(t) + why}, true }
	params, results := sig.Params(), sig.Results()
	first, last := 0, results.Len()
	if params.Len() > 0 && qualified(params.At(0).Type()) == "context.Context" {
		first = 1
	}
	if last > 0 && types.Identical(results.At(last-1).Type(), types.Universe.Lookup("error").Type()) {
		last--
	}
	if last > 1 {
		return refuse(gotype.SeveralResults)
	}
	for i := first; i < params.Len(); i++ {
		param := value{t: params.At(i).Type(), verdict: judge(params.At(i).Type(), true)}
		if reason := param.unfitInFunction(param.unfitResult()); reason != "" {
			return refuse(fmt.Sprintf(": its parameter %d: %s", i+1, reason))
		}
		v.unknown = v.unknown || param.unknown
	}
	if last == 1 {
		result := value{t: results.At(0).Type(), verdict: judge(results.At(0).Type(), false)}
		reason := result.unfitInFunction(result.unfitParameter())
		if result.fn && reason == "" {
			reason = gotype.FunctionInFunction
		}
		if reason != "" {
			return refuse(": its result: " + reason)
		}
		v.unknown = v.unknown || result.unknown
	}
	return v, true
}

// unfitInFunction returns why a value cannot be an argument or a result of an R function,
// given why it cannot be one of a Go function.
func (v value) unfitInFunction(reason string) string {
	if reason == "" && v.isStream() {
		return gotype.StreamInFunction
	}
	if reason == "" && v.gonum != "" {
		return unsupported(v.t) + ": use rgoipc.Matrix in an R function"
	}
	return reason
}
