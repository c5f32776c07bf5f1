package rgoipc

import (
	"context"
	"testing"

	"mangoro.local/internal/lane/lanetest"
	"mangoro.local/internal/segment"
)

// BenchmarkRing adds numbers that come through a ring in which they always are, so that this
// is the server's share of a call.
func BenchmarkRing(b *testing.B) {
	add := func(x, y float64) float64 { return x + y }
	const n = 610 * lanetest.RingRows
	x, y, out := make([]float64, lanetest.RingRows), make([]float64, lanetest.RingRows), make([]float64, n)
	for i := range x {
		x[i], y[i] = float64(i), float64(2*i)
	}
	b.Run("plain", func(b *testing.B) {
		for b.Loop() {
			for first := 0; first < n; first += len(x) {
				m := min(len(x), n-first)
				loopAdd(m, x[:m], y[:m], out[first:first+m])
			}
		}
	})
	for name, opts := range map[string][]FuncOption{"called": nil, "loop": {Loop(loopAdd)}} {
		registry := NewRegistry()
		if err := registry.Func("f", add, opts...); err != nil {
			b.Fatal(err)
		}
		f, _ := registry.Get("f")
		loop := *f.typed.loop
		loop.columns = func(*segment.Result, int) []any { return []any{out} } // warm
		f.typed.loop = &loop
		payload, _ := ringPayload(n, []any{out, out})
		end := lanetest.New()
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				call, err := f.typed.newRingCall(payload, end.Full(x, y), n)
				if err != nil {
					b.Fatal(err)
				}
				if err := call.invoke(b.Context(), func(context.Context, returned) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
