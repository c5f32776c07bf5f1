package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// Index finds words by their first letters.
type Index struct {
	words []string
	inner *Shelf
}

// NewIndex makes an index.
func NewIndex(words []string) *Index { return &Index{words: words} }

// Indexes returns objects in a map.
func Indexes() map[string]*Index { return nil }

// Merge takes objects.
func Merge(all []*Index, into *Index) *Index { return into }

// Lookup counts the words that begin with a prefix.
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

// Add keeps words.
func (x *Index) Add(ctx context.Context, words []string) error {
	x.words = append(x.words, words...)
	return ctx.Err()
}

// Sum only reads numbers.
func (x *Index) Sum(numbers []float64) (sum float64) {
	for _, v := range numbers {
		sum += v
	}
	return sum
}

// Shelf returns another object.
func (x *Index) Shelf() *Shelf { return x.inner }

//mangoro:name Words
func (x *Index) AllWords() []string { return x.words }

//mangoro:skip
func (x *Index) Hidden() {}

// Map cannot be called from R.
func (x *Index) Map(f chan string) {}

func (x *Index) String() string { return fmt.Sprintf("%d words", len(x.words)) }

func (x *Index) Format(fmt.State, rune) {}

func (x *Index) unexported() {}

// Shelf is found by a method.
type Shelf struct {
	base
	Name string
}

// Books returns objects of a generic type.
func (s *Shelf) Books() []*Box[string] { return nil }

type base struct{ n int }

func (b *base) Size() int { return b.n }

// Box is generic.
type Box[T any] struct{ value T }

func (b *Box[T]) Get() T { return b.value }

// Keep keeps what it is given: nothing is known of the instances of a type.
func (b *Box[T]) Keep(values []float64) { kept = values }

var kept []float64

// Named has a method that only shows it: it is a row.
type Named struct{ Name string }

func (n *Named) String() string { return n.Name }

func Names() []*Named { return nil }

// Alone is no result of a function, and so its methods are not called.
type Alone struct{ n int }

func (a *Alone) Get() int { return a.n }

// Wrapped has methods that only rgoipc knows.
type Wrapped struct{ *sql.DB }

func Open() *Wrapped { return nil }

func (w *Wrapped) Tables() int { return 0 }

// Pick is generic.
func Pick[T any](x []T) T { return x[0] }
