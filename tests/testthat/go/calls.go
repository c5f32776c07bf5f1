// Functions for the tests of how often a function is called, and with what.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"mangoro.local/pkg/rgoipc"
)

type Rect struct {
	W, H  float64
	Label *string
}

type Point struct {
	X     float64 `r:"x"`
	N     int32   `r:"n"`
	Bytes []byte  `r:"bytes"`
}

type Line struct {
	From Rect
	When rgoipc.Null[time.Time]
}

type Doc struct {
	Words []string         `r:"words"`
	Seen  map[string]int32 `r:"seen"`
	At    Rect             `r:"at"`
}

func Area(r Rect) float64 { return r.W * r.H }

func Move(p Point, by float64) Point { p.X += by; return p }

func Split(r Rect) (w, h float64) { return r.W, r.H }

func Scale(ctx context.Context, x float64, by Rect) (float64, error) {
	if x < 0 {
		return 0, errors.New("below 0")
	}
	return x * by.W, ctx.Err()
}

//mangoro:parallel
func Length(l Line) string {
	label, when := "none", "never"
	if l.From.Label != nil {
		label = *l.From.Label
	}
	if l.When.Valid {
		when = l.When.V.UTC().Format(time.DateOnly)
	}
	return fmt.Sprintf("%v %s %s", l.From.W, label, when)
}

func Perhaps(r *Rect) bool { return r != nil }

//mangoro:once
func OneArea(r Rect) float64 { return r.W * r.H }

// Words is called once, and returns what it returns.
func Words(text string) []string { return strings.Fields(text) }

func Counts(text string) map[string]int32 {
	counts := map[string]int32{}
	for _, word := range strings.Fields(text) {
		counts[word]++
	}
	return counts
}

func Rows(n int32, r Rect) []Rect {
	rows := make([]Rect, n)
	for i := range rows {
		rows[i] = r
	}
	return rows
}

func Anything(x float64) any { return x }

func Many(x []float64, by float64) float64 { return float64(len(x)) * by }

//mangoro:each
//mangoro:parallel
func EachWords(text string) []string { return strings.Fields(text) }

//mangoro:each
func EachCounts(text string) map[string]int32 { return Counts(text) }

//mangoro:each
func EachDoc(ctx context.Context, text string, at Rect) (Doc, error) {
	if text == "bad" {
		return Doc{}, errors.New("a bad text")
	}
	return Doc{strings.Fields(text), Counts(text), at}, ctx.Err()
}

//mangoro:each
func EachRows(n int32) []Rect { return Rows(n, Rect{W: 1}) }

//mangoro:each
func EachAny(x *float64) any {
	switch {
	case x == nil:
		return "NA"
	case *x < 0:
		return nil
	case *x > 10:
		return []float64{*x, *x}
	}
	return *x
}

//mangoro:each
func EachBytes(x []byte) []byte { return x }

//mangoro:each
func EachTwo(x float64) (twice float64, text []string) { return 2 * x, []string{fmt.Sprint(x)} }

//mangoro:each
func EachTime(x float64) time.Time { return time.Unix(int64(x), 0).UTC() }

func Join(sep string, parts ...string) string { return strings.Join(parts, sep) }

func Sum(x ...float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum
}

func Longs(x ...int64) int64 {
	var sum int64
	for _, v := range x {
		sum += v
	}
	return sum
}

func Present(x ...*float64) []bool {
	present := make([]bool, len(x))
	for i := range x {
		present[i] = x[i] != nil
	}
	return present
}

func Bytes(x ...byte) int32 { return int32(len(x)) }

func Raws(x ...[]byte) []int32 {
	lengths := make([]int32, len(x))
	for i := range x {
		lengths[i] = int32(len(x[i]))
	}
	return lengths
}

func Days(t ...time.Time) []string {
	days := make([]string, len(t))
	for i := range t {
		days[i] = t[i].UTC().Format(time.DateOnly)
	}
	return days
}

func Sums(x ...[]float64) []float64 {
	sums := make([]float64, len(x))
	for i := range x {
		sums[i] = Sum(x[i]...)
	}
	return sums
}

func Totals(x ...map[string]float64) []float64 {
	totals := make([]float64, len(x))
	for i := range x {
		for _, v := range x[i] {
			totals[i] += v
		}
	}
	return totals
}

func Areas(r ...Rect) []float64 {
	areas := make([]float64, len(r))
	for i := range r {
		areas[i] = Area(r[i])
	}
	return areas
}

func Docs(d ...Doc) []string {
	texts := make([]string, len(d))
	for i := range d {
		texts[i] = fmt.Sprint(d[i].Words, d[i].Seen, d[i].At.W)
	}
	return texts
}

//mangoro:default weights=NULL
//mangoro:default names=NULL
func Mean(x []float64, weights []float64, names map[string]string) []bool {
	return []bool{weights == nil, names == nil}
}

//mangoro:path file
//mangoro:default file="default.csv"
func File(file string) string { return file }

//mangoro:path first rest
//mangoro:path maybe
func Files(first []string, maybe *string, rest ...string) []string {
	if maybe != nil {
		first = append(first, *maybe)
	}
	return append(first, rest...)
}

//mangoro:path file
func Lines(file string) ([]string, error) {
	text, err := os.ReadFile(file)
	return strings.Split(strings.TrimSpace(string(text)), "\n"), err
}

// Item has optional fields of every kind.
type Item struct {
	ID    int                `json:"id"`
	Name  string             `json:"name,omitempty"`
	Tags  map[string]string  `json:"tags,omitempty"`
	Sizes []float64          `json:"sizes,omitempty"`
	More  any                `json:"more,omitempty"`
	Any   map[string]any     `json:"any,omitempty"`
	At    *Corner            `json:"at,omitempty"`
	From  Corner             `json:"from,omitempty,omitzero"`
	Path  []Corner           `json:"path,omitempty"`
	Since *time.Time         `json:"since,omitempty"`
	Ages  map[string][]int32 `json:"ages,omitempty"`
}

type Corner struct{ X, Y float64 }

func asJSON(x any) string {
	text, err := json.Marshal(x)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func Items(x []Item) string { return asJSON(x) }

func ItemPointers(x []*Item) string { return asJSON(x) }

func Lists(x [][]Item) string { return asJSON(x) }

func Some(x ...Item) string { return asJSON(x) }

func Columns(x map[string][]float64) string { return asJSON(x) }

// Corners is elementwise.
func Corners(n float64, at *Corner) string { return asJSON(at) }

// NextDay has a date for a default.
//
//mangoro:default d=2024-02-29
func NextDay(d rgoipc.Date) rgoipc.Date { return d + 1 }
