// A server for the tests: functions that fail in unusual ways, and functions that
// ignore their context.
package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"runtime"

	"mangoro.local/pkg/rgoipc"
)

type mute struct{}

func (mute) Error() string { panic("no words") }

func main() {
	registry := rgoipc.NewRegistry()
	for name, fn := range map[string]any{
		"leave": func(x []float64) { runtime.Goexit() },
		"zero":  func(x []float64) error { return errors.New("a\x00b\xff") },
		"burst": func(x []float64) { panic("a\x00b\xff") },
		"mute":  func(x []float64) error { return mute{} },
		"endless": func(x []float64) error {
			text := make([]byte, 3<<20)
			for i := range text {
				text[i] = 'x'
			}
			return errors.New(string(text))
		},
		"positive": func(x float64, s string) (float64, error) {
			if x < 0 {
				return 0, fmt.Errorf("%v of %s is negative: %w", x, s, io.EOF)
			}
			return x, nil
		},
		"nth": func(i int) int { return []int{1, 2, 3}[i] },
		// deaf never returns.
		"deaf":  func(x []float64) { select {} },
		"twice": func(x float64) float64 { return 2 * x },
	} {
		if err := registry.Func(name, fn); err != nil {
			log.Fatal(err)
		}
	}
	rgoipc.Main(registry, rgoipc.WithMaxCalls(2), rgoipc.WithGracePeriod(0))
}
