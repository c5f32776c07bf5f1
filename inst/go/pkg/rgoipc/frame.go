package rgoipc

import "mangoro.local/internal/codec"

// Frame marks a struct of slices that is a data frame in R: a column for each field. It
// is embedded, or the type of a blank field:
//
//	type Quality struct {
//		rgoipc.Frame
//		Position []int
//		Mean     []float64
//	}
//
// All columns must be of one length. Without the mark such a struct is a named list.
type Frame struct{}

// Codec tells [Registry.Func] what the mark is.
func (Frame) Codec() codec.Shape { return codec.Frame[Frame]{} }
