// A server of functions on any, on text and on maps for test-dynamic.R.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"math"
	"math/big"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"mangoro.local/pkg/rgoipc"
)

type row struct {
	A int32  `json:"a"`
	B string `json:"b"`
}

type record struct {
	Name string         `json:"name"`
	Any  any            `json:"any"`
	List []any          `json:"list"`
	Map  map[string]any `json:"map"`
}

type grade int

func (g grade) MarshalText() ([]byte, error) {
	if g > 1 {
		return nil, fmt.Errorf("there is no grade %d", int(g))
	}
	return []byte([]string{"good", "bad"}[g]), nil
}

func (g *grade) UnmarshalText(text []byte) error {
	at := slices.Index([]string{"good", "bad"}, string(text))
	if at < 0 {
		return errors.New("it is not a grade")
	}
	*g = grade(at)
	return nil
}

type base struct {
	ID   int32  `json:"id"`
	Note string `json:"note,omitempty"`
}

type Place struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

type visit struct {
	base
	*Place
	Name string `r:"name" json:"-"`
}

type box struct {
	Size  float64 `json:"size"`
	Scale float64 `json:"scale,omitempty"`
}

type node struct {
	Value    int32 `json:"value"`
	Children []any `json:"children"`
}

// mixed has values of many types.
func mixed() any {
	return map[string]any{
		"bytes": []byte{1, 2}, "complex": 1i, "day": time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC), "frame": []row{{1, "x"}, {2, "y"}},
		"grade": grade(1), "lists": []any{[]any{}, map[string]any{}, nil}, "map": map[string]float64{"a": 1}, "missing": (*float64)(nil),
		"nan": []any{rgoipc.NewNull(1.5), rgoipc.Null[string]{}}, "number": 1.5, "nothing": (*row)(nil), "row": row{3, "z"}, "span": time.Minute,
		"texts": []string{"a", "b"}, "vector": []float64{1, 2}, "whole": 7, "wholes": []int32{1, 2},
	}
}

func main() {
	registry := rgoipc.NewRegistry()
	for name, fn := range map[string]any{
		"same":           func(x any) any { return x },
		"kind":           func(x any) string { return fmt.Sprintf("%T", x) },
		"show":           func(x any) string { return fmt.Sprint(x) },
		"list":           func(x []any) []any { return x },
		"lists":          func(x [][]any) [][]any { return x },
		"map":            func(x map[string]any) map[string]any { return x },
		"maps":           func(x []map[string]any) []map[string]any { return x },
		"months of any":  func(x map[time.Month]any) map[time.Month]any { return x },
		"of any":         func(x ...any) []any { return x },
		"records of any": func(x ...record) []record { return x },
		"pointer":        func() any { return []any{&[]any{1}, &map[string]any{"a": 1}} },
		"pointers":       func(n int32) any { return []any{&[]any{1}, &map[string]any{"a": 1}, (*[]any)(nil)}[n] },
		"smallest":       func() any { return []any{int64(math.MinInt64)} },
		"largest":        func() any { return []any{uint64(math.MaxUint64)} },
		"area": func(x box) float64 {
			if x.Scale == 0 {
				return x.Size
			}
			return x.Size * x.Scale
		},
		"grid":    func(x [2][3]float64) [2][3]float64 { return x },
		"three":   func(x [3]any) [3]any { return x },
		"records": func(x []record) []record { return x },
		"record":  func(x record) record { return x },
		"mixed":   mixed,
		"zones":   func(x any) any { return []any{x, time.Date(2024, 7, 1, 0, 0, 0, 0, time.UTC)} },
		"whole":   func(x float64) any { return map[string]any{"n": int64(x), "big": uint64(1) << 60} },
		"node":    func() any { return node{1, []any{node{2, []any{node{3, nil}}}}} },
		"channel": func() any { return map[string]any{"a": []any{1, make(chan int)}} },
		"zero":    func() any { return []any{map[string]any{"a": "b\x00"}} },
		"cycle":   func() any { x := []any{nil}; x[0] = x; return x },
		"deep": func(n int32) any {
			var x any
			for range n {
				x = []any{x}
			}
			return x
		},
		"power":  func(x *big.Int, n int64) *big.Int { return new(big.Int).Exp(x, big.NewInt(n), nil) },
		"next":   func(x netip.Addr) (netip.Addr, bool) { return x.Next(), x.IsPrivate() },
		"json":   func(x json.RawMessage) json.RawMessage { return x },
		"turn":   func(x grade) grade { return x + 1 },
		"grades": func(x map[grade]int32) map[grade]int32 { return x },
		"counts": func(x []int32) map[int32]int32 {
			m := map[int32]int32{}
			for _, v := range x {
				m[v]++
			}
			return m
		},
		"months":  func(x map[time.Month]string) map[time.Month]string { return x },
		"rows":    func() map[string]row { return map[string]row{"b": {2, "y"}, "a": {1, "x"}} },
		"perhaps": func() map[string]*row { return map[string]*row{"a": {1, "x"}, "b": nil} },
		"frames":  func() map[string][]row { return map[string][]row{"b": {{2, "y"}, {3, "z"}}, "a": {}} },
		"visits":  func(x []visit) []visit { return x },
		"noted":   func(x base) string { return strconv.Itoa(int(x.ID)) + x.Note },
		"nowhere": func(x []visit) []bool {
			out := make([]bool, len(x))
			for i := range x {
				out[i] = x[i].Place == nil
			}
			return out
		},
	} {
		if err := registry.Func(name, fn); err != nil {
			log.Fatal(err)
		}
	}
	rgoipc.Main(registry)
}
