package gen

import (
	"fmt"
	"go/types"
	"slices"
	"strings"
)

// loop writes a loop over the rows of an elementwise function, which the
// compiler can inline into it.
func (w *writer) loop(f *function) {
	var outs []string
	for i := range f.results {
		outs = append(outs, fmt.Sprintf("out%d", i+1))
	}
	if len(outs) == 1 {
		outs[0] = "out"
	}
	ins := f.loopNames(outs)
	all := append(slices.Clone(ins), outs...)
	returns := ""
	if f.fails {
		returns = " (row int, err error)"
	}
	w.line("\nfunc %s(n int, %s)%s {", f.loop, w.columns(all, append(slices.Clone(f.params), f.results...)), returns)
	w.line("%s = %s", strings.Join(all, ", "), each(all, "[:n]")) // no bounds to check below
	w.line("for i := range n {")
	call := fmt.Sprintf("%s(%s)", f.decl.Name.Name, each(ins, "[i]"))
	if f.fails {
		w.line("if %s, err = %s; err != nil {\nreturn i, err\n}\n}\nreturn n, nil\n}", each(outs, "[i]"), call)
	} else {
		w.line("%s = %s\n}\n}", each(outs, "[i]"), call)
	}
}

// loopNames returns the names of the parameters, or other ones if the loop
// uses one of these for something else.
func (f *function) loopNames(outs []string) []string {
	own := append([]string{"n", "i", "row", "err", f.decl.Name.Name}, outs...)
	ins := names(f.params)
	if !slices.ContainsFunc(ins, func(name string) bool { return slices.Contains(own, name) }) {
		return ins
	}
	for i := range ins {
		ins[i] = fmt.Sprintf("x%d", i+1)
	}
	return ins
}

// columns returns parameters that are slices. Neighbours of one type share it.
func (w *writer) columns(names []string, values []value) string {
	var b strings.Builder
	for i, name := range names {
		b.WriteString(name)
		last := i+1 == len(names)
		if last || !types.Identical(values[i].t, values[i+1].t) {
			b.WriteString(" []" + w.typeName(values[i].t))
		}
		if !last {
			b.WriteString(", ")
		}
	}
	return b.String()
}

func each(names []string, suffix string) string {
	return strings.Join(names, suffix+", ") + suffix
}
