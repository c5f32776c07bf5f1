package gen

import "go/types"

// judgeFunction judges the type of a parameter that is a function of R's, and tells whether
// it is one.
func judgeFunction(types.Type) (verdict, bool) { return verdict{}, false }
