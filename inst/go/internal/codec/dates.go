package codec

import (
	"math"
	"reflect"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// Date is the shape of rgoipc's Date, a number of days since 1970.
type Date[D ~int32] struct{}

func (Date[D]) codec([]reflect.Type) (codec, error) {
	return basic[D]{TypeDate, readDates[D], writeDates[D]}, nil
}

func (Date[D]) zeroIsAbsent() bool { return false }

// readDates reads whole days. A missing one is NaN where they are R's numbers.
func readDates[D ~int32](col Column) ([]D, Bitmap, error) {
	const problem = "must be whole days that an int32 holds"
	valid := validRows(col.Array)
	switch column := col.Array.(type) {
	case *array.Date32:
		return own(col, cast[D](column.Date32Values())), valid, nil
	case *array.Date64:
		const day = secondsPerDay * 1000
		days, err := narrow[D](column.Date64Values(), valid, func(v arrow.Date64) bool {
			return v%day == 0 && math.MinInt32 <= v/day && v/day <= math.MaxInt32
		}, problem)
		if err != nil {
			return nil, valid, err
		}
		for i, v := range column.Date64Values() {
			days[i] = D(v / day)
		}
		return days, valid, nil
	}
	if col.class() != "Date" {
		return nil, valid, col.mustBe("dates")
	}
	numbers, err := floats(Column{Array: col.Array, borrow: true}, valid)
	if err != nil {
		return nil, valid, col.mustBe("dates")
	}
	valid = withoutNaN(numbers, valid)
	days, err := narrow[D](numbers, valid, whole[int32](), problem)
	return days, valid, err
}

func writeDates[D ~int32](values []D, valid Bitmap, _ *Arguments) (Column, error) {
	fill(values, valid, math.MinInt32)
	return fixedWidth(arrow.FixedWidthTypes.Date32, values, valid), nil
}
