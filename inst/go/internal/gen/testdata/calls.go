package main

import (
	"context"
	"strings"

	"mangoro.local/pkg/rgoipc"
)

// Rect has scalars only.
type Rect struct{ W, H float64 }

// Box has Rects, which are rows too.
type Box struct {
	Base, Lid Rect
	Label     *string
}

// Shelf has a slice.
type Shelf struct{ Boxes []Box }

// Area takes a data frame, a row at a time.
func Area(r Rect) float64 { return r.W * r.H }

// Smooth takes numbers, and options for each.
func Smooth(x float64, o Rect) (float64, error) { return x, nil }

func Labelled(ctx context.Context, b Box, label string) Box { return b }

// Volume is not elementwise.
//
//mangoro:default s=NULL // none
func Volume(s *Shelf) float64 { return 0 }

// Words is called once.
func Words(text string) []string { return strings.Fields(text) }

// EachWord is called for each text.
//
//mangoro:each
//mangoro:parallel
func EachWord(text string) []string { return strings.Fields(text) }

//mangoro:each
func EachArea(r Rect) any { return r }

// Join has any number of texts.
func Join(sep string, parts ...string) string { return strings.Join(parts, sep) }

func Bytes(x ...byte) int { return len(x) }

//mangoro:default weights=NULL
//mangoro:default names=NULL
//mangoro:default extra=NULL
func Mean(x []float64, weights []float64, names map[string]string, extra rgoipc.Nulls[int]) float64 {
	return 0
}

//mangoro:path file rest
//mangoro:path other
func Read(file string, other *string, rest ...string) (int, error) { return 0, nil }
