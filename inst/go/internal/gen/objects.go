package gen

import (
	"go/ast"
	"go/types"
)

// judgeObject judges a type whose values are objects, and tells whether it is one.
func judgeObject(types.Type) (verdict, bool) { return verdict{}, false }

// collectMethods finds the methods to register, and notes the directives that they use.
func (p *program) collectMethods(map[*ast.Comment]bool) {}

// methods registers them.
func (w *writer) methods() {}
