// Functions on gonum's matrices, for the tests of deps.
package main

import (
	"context"
	"errors"

	"gonum.org/v1/gonum/mat"
)

func Solve(a, b *mat.Dense) (*mat.Dense, error) {
	var x mat.Dense
	err := x.Solve(a, b)
	return &x, err
}

func SVD(a mat.Matrix) (d []float64, u, v *mat.Dense, err error) {
	var svd mat.SVD
	if !svd.Factorize(a, mat.SVDThin) {
		return nil, nil, nil, errors.New("the SVD does not converge")
	}
	u, v = new(mat.Dense), new(mat.Dense)
	svd.UTo(u)
	svd.VTo(v)
	return svd.Values(nil), u, v, nil
}

func Cholesky(s mat.Symmetric) (mat.Triangular, error) {
	var c mat.Cholesky
	if !c.Factorize(s) {
		return nil, errors.New("the matrix is not positive definite")
	}
	var u mat.TriDense
	c.UTo(&u)
	return &u, nil
}

func Times(_ context.Context, a *mat.Dense, x mat.Vector) *mat.VecDense {
	var y mat.VecDense
	y.MulVec(a, x)
	return &y
}

func Transpose(a *mat.Dense) mat.Matrix { return a.T() }

func Nothing(a *mat.Dense) (m *mat.Dense, v mat.Vector) { return nil, nil }
