package main

import (
	"context"
	"time"

	"gonum.org/v1/gonum/mat"

	"mangoro.local/pkg/rgoipc"
)

// Solve solves a system of linear equations.
func Solve(a, b *mat.Dense) (*mat.Dense, error) {
	var x mat.Dense
	err := x.Solve(a, b)
	return &x, err
}

func SVD(ctx context.Context, a mat.Matrix, at time.Time) (d []float64, u, v *mat.Dense, err error) {
	return nil, nil, nil, ctx.Err()
}

func Factor(cov mat.Symmetric, x mat.Vector) (mat.Triangular, mat.Vector) { return nil, x }

func Check(a *mat.Dense) error { return nil }

func Print(a *mat.SymDense) {}

func Eye(n int, scale []float64) mat.Matrix { return mat.NewDiagDense(n, scale) }

func Upper(a *mat.TriDense) {}

func Several(a []*mat.Dense) {}

func Next(d rgoipc.Date) rgoipc.Date { return d + 1 }

func Diagonal(m rgoipc.Matrix[float64]) []float64 { return m.Col(0) }

func denseOf() {}
