package main

import "math/rand/v2"

// Ruin is how often a gambler loses all money, among n gamblers who start with some and
// stop when they have reached the goal. Each round they win or lose one coin, and win
// with probability p.
//
//mangoro:parallel
func Ruin(start, goal, n int, p float64, seed uint64) float64 {
	random := rand.New(rand.NewPCG(seed, uint64(start)))
	ruined := 0
	for range n {
		money := start
		for 0 < money && money < goal {
			if random.Float64() < p {
				money++
			} else {
				money--
			}
		}
		if money == 0 {
			ruined++
		}
	}
	return float64(ruined) / float64(n)
}
