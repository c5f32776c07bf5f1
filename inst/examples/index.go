package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Index finds words by their beginnings. It stays in Go: R has an object that stands for it.
type Index struct {
	words  []string // sorted, each once
	closed bool
}

// NewIndex returns an index of keys.
func NewIndex(keys []string) (*Index, error) {
	x := new(Index)
	return x, x.Add(keys)
}

// Lookup returns how many words begin with a prefix.
func (x *Index) Lookup(prefix string) int {
	from, _ := slices.BinarySearch(x.words, prefix)
	n := 0
	for from+n < len(x.words) && strings.HasPrefix(x.words[from+n], prefix) {
		n++
	}
	return n
}

// Add adds words to the index.
func (x *Index) Add(keys []string) error {
	if x.closed {
		return errors.New("the index is closed")
	}
	words := slices.Concat(x.words, keys)
	slices.Sort(words)
	x.words = slices.Compact(words)
	return nil
}

// Len returns how many words there are.
func (x *Index) Len() int { return len(x.words) }

// String is what R shows when it prints the index.
func (x *Index) String() string {
	if x.closed {
		return "closed"
	}
	return fmt.Sprintf("%d words", len(x.words))
}

// Close gives the words up. Go calls it when R no longer refers to the index.
func (x *Index) Close() error {
	x.words, x.closed = nil, true
	return nil
}
