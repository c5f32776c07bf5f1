package codec

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// readComplexes reads pairs of numbers, and numbers as such without an
// imaginary part.
func readComplexes(col Column) ([]complex128, Bitmap, error) {
	valid := validRows(col.Array)
	if list, ok := col.Array.(*array.FixedSizeList); ok {
		return readPairs(col, list, valid)
	}
	numbers, err := floats(Column{Array: col.Array, borrow: true}, valid)
	if err != nil {
		return nil, valid, col.mustBe("complex or numeric")
	}
	values := mapped(numbers, func(v float64) complex128 { return complex(v, 0) })
	fill(values, valid, complex(na, na))
	return values, valid, nil
}

func readPairs(col Column, list *array.FixedSizeList, valid Bitmap) ([]complex128, Bitmap, error) {
	parts, ok := list.ListValues().(*array.Float64)
	if !ok || list.DataType().(*arrow.FixedSizeListType).Len() != 2 {
		return nil, valid, col.mustBe("complex")
	}
	values := make([]complex128, list.Len())
	if len(values) > 0 {
		from, _ := list.ValueOffsets(0)
		numbers := parts.Float64Values()[from:]
		for i := range values {
			values[i] = complex(numbers[2*i], numbers[2*i+1])
		}
	}
	return values, valid, nil
}

// writeComplexes writes pairs. As in R, one is NA if either part is.
func writeComplexes(values []complex128, valid Bitmap, _ *Arguments) (Column, error) {
	fill(values, valid, complex(na, na))
	rows := clearable{Bitmap: valid, n: len(values)}
	for i, v := range values {
		if isNA(real(v)) || isNA(imag(v)) {
			rows.clear(i)
		}
	}
	parts := newArray(arrow.PrimitiveTypes.Float64, 2*len(values), Bitmap{}, memory.NewBufferBytes(cast[byte](values)))
	defer parts.Release()
	dataType := arrow.FixedSizeListOfField(2, arrow.Field{Name: "item", Type: parts.DataType()})
	v := newColumn(newNested(dataType, len(values), rows.Bitmap, nil, parts.Data()))
	v.Field.Metadata = classMetadata("complex")
	return v, nil
}

func readComplex64s(col Column) ([]complex64, Bitmap, error) {
	wide, valid, err := readComplexes(col)
	if err != nil {
		return nil, valid, err
	}
	parts, err := float32s(cast[float64](wide), Bitmap{})
	if err != nil {
		if e, ok := err.(*Error); ok {
			e.Row /= 2 // two parts are a value
		}
		return nil, valid, err
	}
	return cast[complex64](parts), valid, nil
}

// writeComplex64s writes pairs of float64: R's codec takes no others for complex numbers.
func writeComplex64s(values []complex64, valid Bitmap, args *Arguments) (Column, error) {
	return writeComplexes(mapped(values, func(v complex64) complex128 {
		return complex(widened(real(v)), widened(imag(v)))
	}), valid, args)
}

// widened returns a float32 as a float64, which is NA if that is.
func widened(x float32) float64 {
	if isNA32(x) {
		return na
	}
	return float64(x)
}

func classMetadata(class string) arrow.Metadata {
	return arrow.NewMetadata([]string{metaClass}, []string{class})
}
