package gen

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Each of these has one parameter x that is neither kept nor changed.
const borrowing = `
func Sum(x []float64) (s float64) { for _, v := range x { s += v }; return s }
func Ends(x []int32) int32 { n := len(x); return x[0] + x[n-1] }
func None(x []float64) bool { return x == nil || cap(x) == 0 }
func Unused([]float64) {}
func Variadic(x ...float64) float64 { return Sum(x) + Named(x) + Sum(Vec(x)) }
func Part(x []float64) float64 { y := x[1:]; var z, n = y[:2:2], 1; z = z[n:]; return Sum(z) }
func Copied(x []float64) []float64 { y := make([]float64, len(x)); copy(y, x); y = append(y, x...); y[0] = 1; return y }
func Twice(x []float64) float64 { if len(x) == 0 { return 0 }; return x[0] + Twice(x[1:]) }
func Even(x []float64) bool { return len(x) == 0 || Odd(x[1:]) }
func Odd(x []float64) bool { return len(x) != 0 && Even(x[1:]) }
func Same(x []float64) []float64 { return x }
func Tail(x []float64) (out []float64) { out = x[1:]; return }
func ByTail(x []float64) float64 { y := Tail(Same(x)); return y[0] }
func Largest(x []float64) float64 { return slices.Max(x) + slices.Min[[]float64](x) }
func Find(x []float64) int { i, _ := slices.BinarySearch(x, 1); return i + sort.SearchFloat64s(x, 2) }
func Median(x []float64) float64 { y := slices.Clone(x); slices.Sort(y); return y[len(y)/2] }
func Sorted(x []float64) []float64 { return slices.Sorted(slices.Values(x)) }
func Order(x []float64) []int {
	index := make([]int, len(x))
	for i := range index { index[i] = i }
	less := func(i, j int) bool { return x[index[i]] < x[index[j]] }
	sort.SliceStable(index, less)
	return index
}
func OrderFunc(x []float64) []int {
	index := make([]int, len(x))
	slices.SortFunc(index, func(i, j int) int { return cmp.Compare(x[i], x[j]) })
	return index
}
func Applied(x []float64) []float64 { return apply(x, math.Sqrt) }
func apply(x []float64, f func(float64) float64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x { out[i] = f(v) }
	return out
}
func Called(x []float64) float64 { return callWith(func(i int) float64 { return x[i] }) }
func callWith(f func(int) float64) float64 { return f(0) + f(1) }
func AtOnce(x []float64) (n int) { defer func() { n += len(x) }(); defer Sum(x); return func() int { return len(x) }() }
type Vec []float64
func (v Vec) Mean() float64 { return Sum(v) / float64(len(v)) }
func Named(x Vec) float64 { return x.Mean() + Vec(x[1:]).Mean() }
func Generic(x []float64) float64 { return total(x) + total[float64](x) + totalOf(x) }
func total[T int | float64](x []T) (s T) { for _, v := range x { s += v }; return s }
func totalOf[S ~[]T, T int | float64](x S) (s T) { for i := range x { s += x[i] }; return s }
func Shadowed(x []float64) []float64 { { x := make([]float64, 1); x[0] = 1; global = x }; return nil }
func Parallel(x []float64) float64 { s := Sum(x); ch := make(chan float64); go func() { ch <- s }(); return <-ch }
func Trace(x rgoipc.Matrix[float64]) (s float64) {
	n, _ := x.Dims()
	for i := range n { s += x.At(i, i) + x.Col(i)[0] + Sum(x.Row(i)) + x.Data[x.Rows*i] }
	return s + Sum(x.Data) + Trace2(x)
}
func Trace2(x rgoipc.Matrix[float64]) float64 { y := x; y.RowNames = nil; return y.At(0, 0) }
`

// Each of these may keep or change its parameter x, or it is not known that it does not.
const keeping = `
var global []float64
var globals [][]float64
var boxed any
var callback func() float64
func Keep(x []float64) { global = x }
func KeepPart(x []float64) { global = x[1:2] }
func KeepLocal(x []float64) { y := x; z := y[1:]; global = z }
func KeepSecond(x []float64) { var y, z = 1, x; global = z; _ = y }
func KeepMany(x []float64) { globals = append(globals, x) }
func KeepIn(x []float64) { globals[0] = x }
func KeepAny(x []float64) { boxed = x }
func KeepNamed(x Slice) { global = x }
func KeepVariadic(x ...float64) { global = x }
func KeepPointer(x []float64) *float64 { return &x[0] }
func KeepVariable(x []float64) *[]float64 { return &x }
func KeepClosure(x []float64) { callback = func() float64 { return x[0] } }
func KeepLocalClosure(x []float64) { f := func() float64 { return x[0] }; callback = f }
func KeepInClosure(x []float64) { func() { global = x }() }
func KeepDeferred(x []float64) { defer func() { global = x }() }
func KeepByCall(x []float64) { Keep(x) }
func KeepByMethod(x []float64) { Slice(x).Keep() }
func KeepByMethodValue(x []float64) { f := Slice(x).Keep; f() }
func KeepByMethodOf(x []float64) { keeper{}.keep(x) }
func KeepByExpr(x []float64) { Slice.Swap(x, nil) }
func KeepByInterface(x []float64) { var k interface{ keep([]float64) } = keeper{}; k.keep(x) }
func KeepByVariable(x []float64) { f := Keep; f(x) }
func KeepByLiteral(x []float64) { func(y []float64) { global = y }(x) }
func KeepByParameter(x []float64) { callKeep(x, Keep) }
func KeepMutually(x []float64) { keepB(x) }
func KeepReturned(x []float64) { global = Same2(x) }
func KeepSent(x []float64) { ch := make(chan []float64, 1); ch <- x }
func KeepGo(x []float64) { go len2(x) }
func KeepGoClosure(x []float64) { go func() { _ = x[0] }() }
func KeepGoLocal(x []float64) { f := func() { _ = x[0] }; go f() }
func KeepGoNested(x []float64) { f := func() { _ = x[0] }; go func() { f() }() }
func KeepGoGroup(x []float64) { var wg sync.WaitGroup; wg.Go(func() { _ = x[0] }); wg.Wait() }
func KeepGoMethod(x []float64) { go Slice(x).Len() }
func KeepStruct(x []float64) holder { return holder{x} }
func KeepField(x []float64) { var h holder; h.x = x; globals = append(globals, h.x) }
func KeepMap(x []float64) map[string][]float64 { return map[string][]float64{"x": x} }
func KeepSlices(x []float64) [][]float64 { return [][]float64{x} }
func KeepIterator(x []float64) { seq := slices.Values(x); callback = func() float64 { for v := range seq { return v }; return 0 } }
func KeepPanic(x []float64) { panic(x) }
func KeepReflect(x []float64) { reflect.ValueOf(x).Index(0).SetFloat(1) }
func KeepUnsafe(x []float64) { *unsafe.SliceData(x) = 1 }
func KeepPrinted(x []float64) { fmt.Println(x) }
func KeepContext(x []float64) context.Context { return context.WithValue(context.Background(), 1, x) }
func KeepReturnedClosure(x []float64) { f := func() []float64 { return x }; global = f() }
func KeepReturnedWithin(x []float64) []float64 { f := func() []float64 { return x }; global = f(); return nil }
func KeepMethodValue(x []float64) { callback = Slice(x).First }
func KeepNamedResult(x []float64) { global = named(x) }
func KeepElement(x []float64) { keepFirst(x) }
func KeepColValue(x rgoipc.Matrix[float64]) { f := x.Col; global = f(0) }
func KeepInBox(x []float64) { v := any(x); global = v.([]float64) }
func KeepByBox(x []float64) { var k interface{ Keep() } = Slice(x); k.Keep() }
func KeepInAny(x []float64) { keepAny(x) }
func KeepAsAny(x []float64) any { return x }
func KeepNulls(x []float64) rgoipc.Nulls[float64] { return rgoipc.Nulls[float64]{Values: x} }
func KeepMatrix(x rgoipc.Matrix[float64]) { global = x.Data }
func KeepCol(x rgoipc.Matrix[float64]) { global = x.Col(0) }
func Change(x []float64) { x[0] = 1 }
func ChangeBy(x []float64) { (x[0]) += 1 }
func ChangeInc(x []float64) { x[0]++ }
func ChangeTwo(x []float64) { x[0], x[1] = x[1], x[0] }
func ChangeRange(x []float64) { for _, x[0] = range []float64{1} { } }
func ChangePart(x []float64) { y := x[1:]; y[0] = 1 }
func ChangeAppend(x []float64) []float64 { return append(x[:1], 2) }
func ChangeCopy(x []float64) { copy(x, []float64{1}) }
func ChangeClear(x []float64) { clear(x) }
func ChangeSort(x []float64) { sort.Float64s(x) }
func ChangeSort2(x []float64) { slices.Sort(x) }
func ChangeSort3(x []float64) { sort.Sort(sort.Reverse(sort.Float64Slice(x))) }
func ChangeSort4(x []float64) { sort.Slice(x, func(i, j int) bool { return x[i] < x[j] }) }
func ChangeReverse(x []float64) []float64 { slices.Reverse(x); return x }
func ChangeReceived(x []float64) { ch := make(chan float64, 1); ch <- 1; x[0] = <-ch }
func ChangeSelected(x []float64) { ch := make(chan float64, 1); ch <- 1; select { case x[0] = <-ch: } }
func ChangePointer(x []float64) { p := &x[0]; *p = 1 }
func ChangeArray(x []float64) { p := (*[1]float64)(x); p[0] = 1 }
func ChangeInClosure(x []float64) { func() { x[0] = 1 }() }
func ChangeByReturned(x []float64) { Same2(x)[0] = 1 }
func ChangeNamed(x Slice) { x.Swap(x) }
func ChangePointerMethod(x []Number) { x[0].Inc() }
func ChangePointerSelf(x Slice) { x.Reset() }
func ChangeResult(x []float64) (out []float64) { out = x; out[0] = 1; return }
func ChangeDeferred(x []float64) (out []float64) { defer func() { out[0] = 1 }(); out = x; return }
func ChangeGeneric(x []float64) { set(x) }
func ChangeMatrix(x rgoipc.Matrix[float64]) { x.Set(0, 0, 1) }
func ChangeData(x rgoipc.Matrix[float64]) { x.Data[0] = 1 }
func ChangeCol(x rgoipc.Matrix[float64]) { x.Col(0)[0] = 1 }
func ChangeMethodOfMatrix(x rgoipc.Matrix[float64]) { f := x.Set; f(0, 0, 1) }

type holder struct{ x []float64 }
type keeper struct{}
func (keeper) keep(x []float64) { global = x }
type Slice []float64
func (s Slice) First() float64 { return s[0] }
func (s Slice) Keep() { global = s }
func (s Slice) Len() int { return len(s) }
func (s Slice) Swap(other Slice) { s[0], s[1] = s[1], s[0] }
func (s *Slice) Reset() { (*s)[0] = 0 }
type Number float64
func (n *Number) Inc() { *n++ }
func Same2(x []float64) []float64 { return x }
func named(x []float64) (out []float64) { out = x; return }
func keepFirst(all ...[]float64) { global = all[0] }
func keepAny(v any) { switch v := v.(type) { case []float64: global = v } }
func len2(x []float64) int { return len(x) }
func callKeep(x []float64, f func([]float64)) { f(x) }
func keepB(x []float64) { if len(x) > 1 { KeepMutually(x[1:]) }; global = x }
func set[T int | float64](x []T) { x[0] = 1 }
`

// borrowed returns of each registered function whether x is borrowed.
func borrowed(t *testing.T, text string) map[string]bool {
	t.Helper()
	answer, _ := Generate([]File{{Name: "/a.go", Text: text, Line: 1, Inline: true}}, Choice{})
	if len(answer.Diagnostics) > 0 {
		t.Fatal(answer.Diagnostics)
	}
	out := make(map[string]bool)
	for _, call := range strings.Split(answer.Main, "registry.Func(")[1:] {
		name := regexp.MustCompile(`^"(\w+)"`).FindStringSubmatch(call)[1]
		out[name] = regexp.MustCompile(`rgoipc\.Borrow\("x1?"\)`).MatchString(call)
	}
	return out
}

func TestBorrow(t *testing.T) {
	known := borrowed(t, borrowing+keeping)
	for _, text := range []string{borrowing, keeping} {
		for _, found := range regexp.MustCompile(`(?m)^func ([A-Z]\w*)`).FindAllStringSubmatch(text, -1) {
			name := found[1]
			want := text == borrowing || name == "Same2"
			if got, ok := known[name]; ok && got != want {
				t.Errorf("%s: x is borrowed is %v, want %v", name, got, want)
			}
		}
	}
	for _, name := range []string{"Sum", "Trace", "KeepReflect", "ChangeSort3"} {
		if _, ok := known[name]; !ok {
			t.Errorf("%s is not registered", name)
		}
	}
}

// What is proven here, the compiler proves too.
func TestBorrowAgreesWithTheCompiler(t *testing.T) {
	files := write(t, File{Name: "/a.go", Text: borrowing + keeping, Line: 1, Inline: true})
	build := exec.CommandContext(t.Context(), "go", append([]string{"build", "-mod=vendor", "-tags=arrow_json_stdlib", "-o", os.DevNull, "-gcflags=-m -d=escapemutationscalls=1"}, files...)...)
	out, err := build.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := strings.Split(borrowing+keeping, "\n")
	compiler := make(map[string][]string)
	for _, found := range regexp.MustCompile(`(?m)^/a\.go:(\d+):\d+: (.*\bx\b.*)$`).FindAllStringSubmatch(string(out), -1) {
		var number int
		fmt.Sscan(found[1], &number)
		if name := regexp.MustCompile(`^func ([A-Z]\w*)`).FindStringSubmatch(lines[number-1]); name != nil {
			compiler[name[1]] = append(compiler[name[1]], found[2])
		}
	}
	for name, is := range borrowed(t, borrowing+keeping) {
		said := slices.DeleteFunc(compiler[name], func(message string) bool {
			return !strings.HasPrefix(message, "leaking") && !strings.HasPrefix(message, "mutates") && !strings.HasPrefix(message, "x does")
		})
		for _, message := range said {
			if is && message != "x does not escape, mutate, or call" && !strings.HasPrefix(message, "leaking param: x to result") {
				t.Errorf("%s borrows x, but the compiler says %q", name, message)
			}
		}
		if is && name != "Unused" && len(said) == 0 {
			t.Errorf("%s: the compiler says nothing of x", name)
		}
	}
}
