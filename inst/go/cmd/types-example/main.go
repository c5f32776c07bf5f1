// Command types-example is a server to learn from: one Go function for each
// kind of type that R can call a function with. Its argument is the URL to
// listen at.
//
// The functions are plain Go. What R passes and gets follows from their types,
// see the documentation of rgoipc.
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log"
	"maps"
	"math"
	"math/big"
	"math/cmplx"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"mangoro.local/pkg/rgoipc"
)

func main() {
	registry, err := newRegistry()
	if err != nil {
		log.Fatal(err)
	}
	rgoipc.Main(registry)
}

// newRegistry registers the functions. Reflection finds the types of a function, but not
// the names of its parameters: they are x, y, z unless Args says otherwise.
func newRegistry() (*rgoipc.Registry, error) {
	registry := rgoipc.NewRegistry()
	return registry, errors.Join(
		registry.Func("hypot", hypot, rgoipc.Describe("The length of the hypotenuse")),
		registry.Func("isPrime", isPrime, rgoipc.Args("n"), rgoipc.Parallel(), rgoipc.Describe("Which numbers are prime, on all processors")),
		registry.Func("reverse", reverse, rgoipc.Args("text"), rgoipc.Describe("Texts from back to front")),
		registry.Func("weekday", weekday, rgoipc.Args("date"), rgoipc.Describe("The day of the week in English")),
		registry.Func("easter", easter, rgoipc.Args("year"), rgoipc.Describe("The date of Easter Sunday")),
		registry.Func("later", later, rgoipc.Args("time", "by"), rgoipc.Default("by", time.Hour), rgoipc.Describe("Times, an hour later or `by`")),
		registry.Func("sha256", sum, rgoipc.Args("bytes"), rgoipc.Describe("The checksum of raw vectors")),
		registry.Func("polar", polar, rgoipc.Args("z"), rgoipc.Results("radius", "angle"), rgoipc.Describe("Complex numbers as radius and angle")),
		registry.Func("root", root, rgoipc.Describe("The square root; an error names the row that has none")),
		registry.Func("brighten", brighten, rgoipc.Args("level", "by"), rgoipc.Default("by", 16), rgoipc.Describe("Levels from 0 to 255, brighter by `by`")),
		registry.Func("halve", halve, rgoipc.Describe("Half of each number, with the digits of a float32")),
		registry.Func("distance", distance, rgoipc.Args("from", "to"), rgoipc.Describe("How far points, the rows of data frames, are from others")),
		registry.Func("coalesce", coalesce, rgoipc.Args("x", "other"), rgoipc.Describe("`other` where x is NA")),
		registry.Func("clamp", clamp, rgoipc.Args("x", "low", "high"), rgoipc.Optional("low", "high"), rgoipc.Describe("Numbers within limits that are optional")),
		registry.Func("cumulate", cumulate, rgoipc.Describe("The sums so far")),
		registry.Func("rotate", rotate, rgoipc.Args("point", "angle"), rgoipc.Describe("A point, turned around the origin")),
		registry.Func("address", address, rgoipc.Args("bytes"), rgoipc.Describe("Four bytes as an IP address")),
		registry.Func("countNA", countNA, rgoipc.Describe("How many texts are NA")),
		registry.Func("summarize", summarize, rgoipc.Results("mean", "sd", "n"), rgoipc.Describe("Mean, standard deviation and number")),
		registry.Func("greet", greet, rgoipc.Args("person"), rgoipc.Describe("Greets a list(name =, age =)")),
		registry.Func("adults", adults, rgoipc.Args("people", "from"), rgoipc.Default("from", 18), rgoipc.Describe("The rows of a data frame whose age is `from` or more")),
		registry.Func("multiply", multiply, rgoipc.Args("a", "b"), rgoipc.Describe("The product of two matrices")),
		registry.Func("histogram", histogram, rgoipc.Args("x", "width"), rgoipc.Default("width", 1.0), rgoipc.Describe("How many numbers are in each bin, as a data frame")),
		registry.Func("total", total, rgoipc.Args("prices"), rgoipc.Describe("The sum of a named vector")),
		registry.Func("countWords", countWords, rgoipc.Args("text"), rgoipc.Describe("How often each word occurs, as a named vector")),
		registry.Func("words", words, rgoipc.Args("text"), rgoipc.Each(), rgoipc.Describe("The words of each text, as a list")),
		registry.Func("join", join, rgoipc.Args("sep", "parts"), rgoipc.Describe("Texts, one after the other")),
		registry.Func("readLines", readLines, rgoipc.Args("file"), rgoipc.Paths("file"), rgoipc.Describe("The lines of a file")),
		registry.Func("parse", parse, rgoipc.Args("text"), rgoipc.Describe("The logical, number or text that a text stands for")),
		registry.Func("describe", describe, rgoipc.Describe("What a list is in Go, and back")),
		registry.Func("factorial", factorial, rgoipc.Args("n"), rgoipc.Describe("Factorials, all digits of them, as text")),
		registry.Func("tabulate", tabulate, rgoipc.Describe("How often each whole number occurs")),
		registry.Func("arrowType", arrowType, rgoipc.Describe("What Arrow calls the type of a vector")),
		registry.Func("head", head, rgoipc.Args("data", "n"), rgoipc.Default("n", 6), rgoipc.Describe("The first rows of a data frame")),
		registry.Func("countRows", countRows, rgoipc.Args("stream"), rgoipc.Describe("The rows and batches of a stream")),
		registry.Func("sleep", sleep, rgoipc.Args("duration"), rgoipc.Once(), rgoipc.Describe("Waits, unless the call is over before")),
	)
}

// Elementwise: all parameters and results are scalars. R's vectors are recycled, and where
// one is NA so is the result.

func hypot(x, y float64) float64 { return math.Hypot(x, y) }

// isPrime is slow on purpose, and registered as Parallel: it has no state, so
// the rows may run at the same time.
func isPrime(n int64) bool {
	for d := int64(2); d <= n/d; d++ {
		if n%d == 0 {
			return false
		}
	}
	return n > 1
}

func reverse(text string) string {
	runes := []rune(text)
	slices.Reverse(runes)
	return string(runes)
}

// weekday takes a Date or a POSIXct.
func weekday(date time.Time) string { return date.Weekday().String() }

// easter returns a Date: a day without a time.
func easter(year int32) rgoipc.Date {
	a, b, c := year%19, year/100, year%100
	d := (19*a + b - b/4 - (b-(b+8)/25+1)/3 + 15) % 30
	e := (32 + 2*(b%4) + 2*(c/4) - d - c%4) % 7
	f := d + e - 7*((a+11*d+22*e)/451) + 114
	return rgoipc.NewDate(int(year), time.Month(f/31), int(f%31)+1)
}

// later takes a POSIXct and a difftime, in any of R's units.
func later(t time.Time, by time.Duration) time.Time { return t.Add(by) }

// sum takes a raw vector, or a list of them.
func sum(bytes []byte) string { return fmt.Sprintf("%x", sha256.Sum256(bytes)) }

// polar has several results: elementwise they are the columns of a data frame.
func polar(z complex128) (radius, angle float64) { return cmplx.Polar(z) }

// root may fail: R gets an error that says in which row.
func root(x float64) (float64, error) {
	if x < 0 {
		return 0, fmt.Errorf("%v has no square root", x)
	}
	return math.Sqrt(x), nil
}

// brighten takes integers from 0 to 255, or a raw vector. R is told which number is not one
// of these, before anything is sent. All of Go's number types have such a range.
func brighten(level, by uint8) uint8 { return level + min(by, 255-level) }

func halve(x float32) float32 { return x / 2 }

// A struct of scalars is one too: a row of a data frame, or a named list.

type point struct {
	X float64 `r:"x"`
	Y float64 `r:"y"`
}

func distance(from, to point) float64 { return math.Hypot(from.X-to.X, from.Y-to.Y) }

// Elementwise, and NA is the function's affair: a Null is not valid, a pointer
// nil.

func coalesce(x, other rgoipc.Null[float64]) rgoipc.Null[float64] {
	if x.Valid {
		return x
	}
	return other
}

// clamp has optional arguments: who leaves one out gets nil, too.
func clamp(x float64, low, high *float64) float64 {
	if low != nil {
		x = max(x, *low)
	}
	if high != nil {
		x = min(x, *high)
	}
	return x
}

// Whole vectors. An NA among float64 is one of the NaN, and R reads it as NA
// again. For other types it is an error, unless there is room for it as in
// Nulls, []*T and []Null[T].

// cumulate changes its argument: a slice is the function's own.
func cumulate(x []float64) []float64 {
	for i := 1; i < len(x); i++ {
		x[i] += x[i-1]
	}
	return x
}

// rotate takes a vector of length 2 and no other, and returns one.
func rotate(point [2]float64, angle float64) [2]float64 {
	sin, cos := math.Sincos(angle)
	return [2]float64{cos*point[0] - sin*point[1], sin*point[0] + cos*point[1]}
}

// address takes a raw vector of length 4.
func address(bytes [4]byte) string { return netip.AddrFrom4(bytes).String() }

func countNA(x rgoipc.Nulls[string]) int {
	n := 0
	for i := range x.Len() {
		if x.IsNA(i) {
			n++
		}
	}
	return n
}

// summarize has several results, which are a named list, and may fail.
func summarize(x []float64) (mean, sd float64, n int, err error) {
	if len(x) < 2 {
		return 0, 0, 0, errors.New("it takes two numbers to have a standard deviation")
	}
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		sd += (v - mean) * (v - mean) / float64(len(x)-1)
	}
	return mean, math.Sqrt(sd), len(x), nil
}

// person is a named list, []person a data frame. The tags say how R names the
// fields.
type person struct {
	Name string `r:"name"`
	Age  *int   `r:"age"` // may be NA
}

func greet(p person) string {
	if p.Age == nil {
		return fmt.Sprintf("Hello %s", p.Name)
	}
	return fmt.Sprintf("Hello %s, %d years old", p.Name, *p.Age)
}

// adults takes a data frame and, beside it, a vector of length 1.
func adults(people []person, from int) []person {
	return slices.DeleteFunc(people, func(p person) bool { return p.Age == nil || *p.Age < from })
}

// A Matrix has dimensions and names as in R. One whose elements do not match them is an
// error.

func multiply(a, b rgoipc.Matrix[float64]) (rgoipc.Matrix[float64], error) {
	if a.Cols != b.Rows {
		return a, fmt.Errorf("a %d x %d matrix cannot be multiplied by a %d x %d one", a.Rows, a.Cols, b.Rows, b.Cols)
	}
	product := rgoipc.NewMatrix[float64](a.Rows, b.Cols)
	product.RowNames, product.ColNames = a.RowNames, b.ColNames
	for j := range b.Cols {
		out := product.Col(j)
		for k, factor := range b.Col(j) {
			for i, v := range a.Col(k) {
				out[i] += v * factor
			}
		}
	}
	return product, nil
}

// bins is a data frame by its columns, because it embeds a Frame.
type bins struct {
	rgoipc.Frame
	From  []float64 `r:"from"`
	Count []int32   `r:"count"`
}

func histogram(x []float64, width float64) bins {
	counts := make(map[float64]int32)
	for _, v := range x {
		counts[math.Floor(v/width)*width]++
	}
	b := bins{From: slices.Sorted(maps.Keys(counts))}
	for _, from := range b.From {
		b.Count = append(b.Count, counts[from])
	}
	return b
}

// Maps are named vectors, or named lists.

func total(prices map[string]float64) float64 {
	sum := 0.0
	for _, price := range prices {
		sum += price
	}
	return sum
}

func countWords(text string) map[string]int {
	counts := make(map[string]int)
	for _, word := range strings.Fields(text) {
		counts[strings.TrimFunc(word, func(r rune) bool { return strings.ContainsRune(".,;:!?", r) })]++
	}
	return counts
}

// words is registered as Each: it is called for each text, although it returns a slice.
func words(text string) []string { return strings.Fields(text) }

// join takes any number of texts.
func join(sep string, parts ...string) string { return strings.Join(parts, sep) }

// readLines is called once. Its argument is a path, which R makes absolute: R's working
// directory is not that of this program.
func readLines(file string) ([]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n"), nil
}

// A result may be any: what R gets is told by the value.

func parse(text string) any {
	if x, err := strconv.ParseFloat(text, 64); err == nil {
		return x
	}
	if b, err := strconv.ParseBool(text); err == nil {
		return b
	}
	return text
}

// Any: what encoding/json would make of a value, in both directions.

func describe(x any) map[string]any {
	return map[string]any{"type": fmt.Sprintf("%T", x), "value": x}
}

// factorial returns a type with methods for its text, which is a string in R.
func factorial(n int64) *big.Int { return new(big.Int).MulRange(1, n) }

// tabulate returns a map whose keys are whole numbers. Their digits are names in R.
func tabulate(x []int) map[int]int {
	counts := make(map[int]int)
	for _, n := range x {
		counts[n]++
	}
	return counts
}

// Arrow's own types come as they are. A function may keep and return them.

func arrowType(x arrow.Array) string { return x.DataType().String() }

// head returns a new record.
func head(data arrow.RecordBatch, n int64) (arrow.RecordBatch, error) {
	if n < 0 {
		return nil, &rgoipc.Error{Code: rgoipc.CodeInvalidArgument, Message: fmt.Sprintf("`n` must be at least 0, not %d", n)}
	}
	return data.NewSlice(0, min(n, data.NumRows())), nil
}

// countRows reads a stream of data frames, one batch after the other.
func countRows(stream array.RecordReader) (rows, batches int64, err error) {
	for stream.Next() {
		rows += stream.RecordBatch().NumRows()
		batches++
	}
	return rows, batches, stream.Err()
}

// sleep has a context, which ends when the server stops or the time of the call
// is over, and no result: R gets NULL. It is registered as Once: its duration
// is of length 1.
func sleep(ctx context.Context, duration time.Duration) error {
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("woken up: %w", ctx.Err())
	}
}
