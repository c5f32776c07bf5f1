package rgoipc

import (
	"fmt"

	"mangoro.local/internal/codec"
)

// Matrix is a matrix, whose elements are scalars. The zero value has no rows and no
// columns.
type Matrix[T any] struct {
	// Rows and Cols are how many there are.
	Rows, Cols int
	// Data are the elements, column by column: that of row i and column j, from 0, is
	// Data[j*Rows+i].
	Data []T
	// RowNames and ColNames have a name for each row and column. Nil: none.
	RowNames, ColNames []string
}

// NewMatrix returns a matrix of zeros.
func NewMatrix[T any](rows, cols int) Matrix[T] {
	return Matrix[T]{Rows: rows, Cols: cols, Data: make([]T, elements(rows, cols))}
}

// elements returns how many elements a matrix has.
func elements(rows, cols int) int {
	if rows < 0 || cols < 0 {
		panic(fmt.Sprintf("rgoipc: there is no %d x %d matrix", rows, cols))
	}
	return rows * cols
}

// At returns the element of row i and column j, from 0.
func (m Matrix[T]) At(i, j int) T { return m.Data[m.index(i, j)] }

// Set sets the element of row i and column j, from 0.
func (m Matrix[T]) Set(i, j int, v T) { m.Data[m.index(i, j)] = v }

// Col returns the elements of column j, from 0, which are those of the matrix.
func (m Matrix[T]) Col(j int) []T {
	return m.Data[j*m.Rows : (j+1)*m.Rows : (j+1)*m.Rows]
}

// Row returns a copy of the elements of row i, from 0.
func (m Matrix[T]) Row(i int) []T {
	row := make([]T, m.Cols)
	for j := range row {
		row[j] = m.At(i, j)
	}
	return row
}

// Dims returns how many rows and columns there are.
func (m Matrix[T]) Dims() (rows, cols int) { return m.Rows, m.Cols }

func (m Matrix[T]) index(i, j int) int {
	if uint(i) >= uint(m.Rows) || uint(j) >= uint(m.Cols) {
		m.panic(i, j)
	}
	return j*m.Rows + i
}

// panic is apart, so that At and Set can be inlined.
func (m Matrix[T]) panic(i, j int) {
	panic(fmt.Sprintf("rgoipc: row %d, column %d of a %d x %d matrix", i, j, m.Rows, m.Cols))
}

// Codec tells [Registry.Func] how the matrix travels.
func (Matrix[T]) Codec() codec.Shape { return codec.Matrix[T, Matrix[T]]{} }
