package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"mangoro.local/pkg/rgoipc"
)

// Draw is one draw from the posterior.
type Draw struct{ Intercept, Slope float64 }

// Fit draws from the posterior of a logistic regression of y, zeros and ones, on x, by a random
// walk of so many steps. It returns 5000 of them.
func Fit(ctx context.Context, x, y []float64, steps int) ([]Draw, error) {
	const kept = 5000
	if len(x) != len(y) || steps < kept {
		return nil, errors.New("x and y must have the same length, and there must be 5000 steps at least")
	}
	random := rand.New(rand.NewPCG(1, 2))
	var at Draw
	density := posterior(x, y, at)
	draws := make([]Draw, 0, kept)
	accepted := 0
	for i := range steps {
		to := Draw{at.Intercept + 0.5*random.NormFloat64(), at.Slope + 0.5*random.NormFloat64()}
		if d := posterior(x, y, to); math.Log(random.Float64()) < d-density {
			at, density = to, d
			accepted++
		}
		if (i+1)%(steps/kept) != 0 || len(draws) == kept {
			continue
		}
		draws = append(draws, at)
		if err := ctx.Err(); err != nil { // R waits no more
			return nil, err
		}
		rgoipc.Progress(ctx, int64(i+1), int64(steps), fmt.Sprintf("%.0f%% accepted", 100*float64(accepted)/float64(i+1)))
	}
	return draws, nil
}

// posterior is the logarithm of the density, but for a constant, with a normal prior.
func posterior(x, y []float64, b Draw) float64 {
	sum := -(b.Intercept*b.Intercept + b.Slope*b.Slope) / 50
	for i := range x {
		eta := b.Intercept + b.Slope*x[i]
		sum += y[i]*eta - math.Log1p(math.Exp(eta))
	}
	return sum
}
