// Objects of all sorts, and how many of them are left.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sort"
	"strings"
	"sync/atomic"

	"mangoro.local/pkg/rgoipc"
)

// Index finds words by their beginning.
type Index struct{ words []string }

var alive, closed atomic.Int64

func counted(x *Index) *Index {
	alive.Add(1)
	runtime.AddCleanup(x, func(int) { alive.Add(-1) }, 0)
	return x
}

// Alive collects, and returns how many indexes are left in memory.
func Alive() int {
	runtime.GC()
	runtime.GC()
	return int(alive.Load())
}

// Heap collects, and returns how many bytes are used.
func Heap() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// NewIndex returns an index of words.
func NewIndex(words []string) *Index { return counted(&Index{words}) }

// Open fails, or returns nil.
func Open(fails bool) (*Index, error) {
	if fails {
		return nil, errors.New("there is no index")
	}
	return nil, nil
}

//mangoro:each
func Indexes(word string) *Index { return NewIndex([]string{word}) }

// Lookup counts words that begin with a prefix.
//
//mangoro:default most=10
func (x *Index) Lookup(prefix string, most int) int {
	n := 0
	for _, word := range x.words {
		if strings.HasPrefix(word, prefix) && n < most {
			n++
		}
	}
	return n
}

func (x *Index) Has(word string) bool {
	i := sort.SearchStrings(x.words, word)
	return i < len(x.words) && x.words[i] == word
}

func (x *Index) Add(words ...string) *Index {
	x.words = append(x.words, words...)
	return x
}

//mangoro:each
func (x *Index) Letters(word string) []string { return strings.Split(word, "") }

//mangoro:name size
func (x *Index) Len() int { return len(x.words) }

//mangoro:skip
func (x *Index) Skipped() {}

func (x *Index) Chan(c chan int) {}

func (x *Index) Fail() error { return errors.New("no luck") }

func (x *Index) Panic() { panic("oh") }

func (x *Index) Quit() { os.Exit(3) }

func (x *Index) String() string { return fmt.Sprintf("%d words", len(x.words)) }

func (x *Index) Self() *Index { return x }

// Wait waits until its context ends.
func (x *Index) Wait(ctx context.Context) error {
	rgoipc.Warn(ctx, "%d words wait", len(x.words))
	<-ctx.Done()
	return ctx.Err()
}

var gate = make(chan bool)

// Late returns a new index when LetGo is called.
func (x *Index) Late() *Index {
	<-gate
	return NewIndex(nil)
}

func LetGo() { gate <- true }

// Model has a field, so that it is a row in any.
type Model struct{ N int }

func (m *Model) Fit() int { return m.N }

func ModelInAny() any { return &Model{3} }

func PairInAny(x *Index) any { return Pair{"a", x} }

func (x *Index) Warned(ctx context.Context) *Index {
	rgoipc.Warn(ctx, "a warning")
	return x
}

type Pair struct {
	Name string
	Of   *Index
}

type Shelf struct {
	First  *Index
	Others []*Index
	ByName map[string]*Index
	Deep   [][]*Index
	Rows   []Pair
}

func (x *Index) All() []*Index              { return []*Index{x, nil, x} }
func (x *Index) None() []*Index             { return nil }
func (x *Index) One() []*Index              { return []*Index{x} }
func (x *Index) Named() map[string]*Index   { return map[string]*Index{"a": x, "b": nil} }
func (x *Index) Deep() [][]*Index           { return [][]*Index{{x}, {}, {nil, x}} }
func (x *Index) Pairs() []Pair              { return []Pair{{"a", x}, {"b", nil}} }
func (x *Index) Pair() Pair                 { return Pair{"a", x} }
func (x *Index) Both() (left *Index, n int) { return x, 1 }
func (x *Index) OnShelf() Shelf {
	return Shelf{x, []*Index{x}, map[string]*Index{"k": x}, [][]*Index{{x}}, []Pair{{"p", x}}}
}

func Merge(into *Index, others ...*Index) *Index {
	for _, other := range others {
		into.words = append(into.words, other.words...)
	}
	return into
}

// Sizes of what R has sent, -1 for nil.
func Sizes(all []*Index) []int {
	out := make([]int, 0, len(all))
	for _, x := range all {
		if x == nil {
			out = append(out, -1)
		} else {
			out = append(out, len(x.words))
		}
	}
	return out
}

func SizesByName(all map[string]*Index) map[string]int {
	out := make(map[string]int)
	for name, x := range all {
		out[name] = len(x.words)
	}
	return out
}

func SizesOfPairs(all []Pair) []int {
	var list []*Index
	for _, p := range all {
		list = append(list, p.Of)
	}
	return Sizes(list)
}

func SizeOnShelf(s Shelf) int {
	return len(s.First.words) + len(s.Others) + len(s.ByName) + len(s.Deep) + len(s.Rows)
}

//mangoro:default x=NULL
func MaySize(x *Index) int { return Sizes([]*Index{x})[0] }

func InAny(x *Index) any { return map[string]any{"x": x} }

// File is closed when R lets it go.
type File struct{ name string }

var files = map[string]*File{}

func OpenFile(name string) *File {
	if files[name] == nil {
		files[name] = &File{name}
	}
	return files[name]
}

func (f *File) Name() string { return f.name }

func (f *File) Close() error {
	closed.Add(1)
	if f.name == "bad" {
		return errors.New("it is bad")
	}
	return nil
}

func Closed() int { return int(closed.Load()) }

// Tree is another type of objects, of which one has another as well.
type Tree struct{ Root *Index }

func NewTree(x *Index) *Tree { return &Tree{x} }

func (t *Tree) Index() *Index { return t.Root }

// Point has a method only for its text: it is a row.
type Point struct{ X, Y float64 }

func (p *Point) String() string { return fmt.Sprint(p.X, p.Y) }

func Points() []*Point { return []*Point{{1, 2}, nil} }

// Box is generic, but not *Box[string].
type Box[T any] struct{ value T }

func NewBox(text string) *Box[string] { return &Box[string]{text} }

func (b *Box[T]) Get() T { return b.value }

// Buffer has the methods of a type of another module.
type Buffer struct{ *strings.Builder }

func NewBuffer() *Buffer { return &Buffer{new(strings.Builder)} }

func Generic[T any](x T) T { return x }

// Stuck has a text that never comes.
type Stuck struct{ free chan struct{} }

func NewStuck() *Stuck { return &Stuck{make(chan struct{})} }

func (s *Stuck) String() string {
	<-s.free
	return "free"
}

func (s *Stuck) Free() { close(s.free) }

// Pick returns the index that R picks.
func Pick(x *Index, f func(*Index) *Index) *Index { return f(x) }
