package codec

import (
	"cmp"
	"encoding/json"
	"math"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

const (
	secondsPerDay = 24 * 60 * 60
	// maxSeconds is beyond every year that time.Time can print, and far from
	// where its arithmetic overflows.
	maxSeconds = 1 << 55
)

// readTimes reads points in time, in the time zone of the column. A date is its
// midnight in UTC.
func readTimes(col Column) ([]time.Time, Bitmap, error) {
	valid := validRows(col.Array)
	switch column := col.Array.(type) {
	case *array.Timestamp:
		zone, err := col.location()
		if err != nil {
			return nil, valid, err
		}
		at := instant(column.DataType().(*arrow.TimestampType).Unit)
		return mapped(column.TimestampValues(), func(v arrow.Timestamp) time.Time { return at(int64(v)).In(zone) }), valid, nil
	case *array.Date32:
		return mapped(column.Date32Values(), func(v arrow.Date32) time.Time { return time.Unix(int64(v)*secondsPerDay, 0).UTC() }), valid, nil
	case *array.Date64:
		return mapped(column.Date64Values(), func(v arrow.Date64) time.Time { return time.UnixMilli(int64(v)).UTC() }), valid, nil
	}
	switch col.class() {
	case "POSIXct":
		zone, err := col.location()
		if err != nil {
			return nil, valid, err
		}
		return timesOf(col, valid, 1, zone)
	case "Date":
		return timesOf(col, valid, secondsPerDay, time.UTC)
	default:
		return nil, valid, col.mustBe("times")
	}
}

func mapped[S, T any](values []S, f func(S) T) []T {
	out := make([]T, len(values))
	for i, v := range values {
		out[i] = f(v)
	}
	return out
}

// instant returns the function that turns a number of units since 1970 into a
// time.
func instant(unit arrow.TimeUnit) func(int64) time.Time {
	switch unit {
	case arrow.Second:
		return func(v int64) time.Time { return time.Unix(v, 0) }
	case arrow.Millisecond:
		return time.UnixMilli
	case arrow.Microsecond:
		return time.UnixMicro
	default:
		return func(v int64) time.Time { return time.Unix(0, v) }
	}
}

// location returns the time zone of the column.
func (c Column) location() (*time.Location, error) {
	z := zoneOf(c.Field)
	at, err := z.location()
	if err != nil {
		return nil, wrong("must be in a time zone that Go knows, not in %q", z.name)
	}
	return at, nil
}

// timesOf reads R's numbers for times, given how many seconds 1 is. NaN is a missing
// one, as it is in R.
func timesOf(col Column, valid Bitmap, unit float64, zone *time.Location) ([]time.Time, Bitmap, error) {
	numbers, err := floats(Column{Array: col.Array, borrow: true}, valid)
	if err != nil {
		return nil, valid, col.mustBe("times")
	}
	out := make([]time.Time, len(numbers))
	valid = withoutNaN(numbers, valid)
	for i, v := range numbers {
		if !valid.Has(i) {
			continue
		}
		seconds := math.Floor(v * unit)
		if !(math.Abs(seconds) < maxSeconds) {
			return nil, valid, badValue("must be times", i, v)
		}
		out[i] = time.Unix(int64(seconds), int64(math.Round((v*unit-seconds)*1e9))).In(zone)
	}
	return out, valid, nil
}

// withoutNaN returns the rows that are valid and a number.
func withoutNaN(numbers []float64, valid Bitmap) Bitmap {
	rows := clearable{Bitmap: valid, n: len(numbers)}
	for i, v := range numbers {
		if v != v {
			rows.clear(i)
		}
	}
	return rows.Bitmap
}

// readDurations reads spans of time, and times of the day as the span since
// midnight.
func readDurations(col Column) ([]time.Duration, Bitmap, error) {
	valid := validRows(col.Array)
	switch column := col.Array.(type) {
	case *array.Duration:
		unit := column.DataType().(*arrow.DurationType).Unit
		return durations(column.DurationValues(), valid, unit.Multiplier())
	case *array.Time32:
		unit := column.DataType().(*arrow.Time32Type).Unit
		return durations(column.Time32Values(), valid, unit.Multiplier())
	case *array.Time64:
		unit := column.DataType().(*arrow.Time64Type).Unit
		return durations(column.Time64Values(), valid, unit.Multiplier())
	}
	switch col.class() {
	case "hms":
		return durationsOf(col, valid, time.Second)
	case "difftime":
		return durationsOf(col, valid, col.unit())
	default:
		return nil, valid, col.mustBe("time differences")
	}
}

const badDuration = "must be time differences of less than 292 years"

func durations[S ~int32 | ~int64](values []S, valid Bitmap, unit time.Duration) ([]time.Duration, Bitmap, error) {
	most := math.MaxInt64 / int64(unit)
	out, err := narrow[int64](values, valid, func(v S) bool { return -most <= int64(v) && int64(v) <= most }, badDuration)
	for i := range out {
		out[i] *= int64(unit)
	}
	return cast[time.Duration](out), valid, err
}

// unit returns the unit of a difftime. R's default is seconds.
func (c Column) unit() time.Duration {
	var attributes struct {
		Units string `json:"units"`
	}
	text, _ := c.Field.Metadata.GetValue(metaAttributes)
	_ = json.Unmarshal([]byte(text), &attributes) // hints from a peer, and bad ones are none
	units := map[string]time.Duration{"mins": time.Minute, "hours": time.Hour, "days": 24 * time.Hour, "weeks": 7 * 24 * time.Hour}
	return cmp.Or(units[attributes.Units], time.Second)
}

func durationsOf(col Column, valid Bitmap, unit time.Duration) ([]time.Duration, Bitmap, error) {
	numbers, err := floats(Column{Array: col.Array, borrow: true}, valid)
	if err != nil {
		return nil, valid, col.mustBe("time differences")
	}
	out := make([]time.Duration, len(numbers))
	valid = withoutNaN(numbers, valid)
	for i, v := range numbers {
		span := math.Round(v * float64(unit))
		switch {
		case math.Abs(span) < 1<<63:
			out[i] = time.Duration(span)
		case valid.Has(i):
			return nil, valid, badValue(badDuration, i, v)
		}
	}
	return out, valid, nil
}

// timeCodec is the codec of time.Time.
type timeCodec struct{ basic[time.Time] }

// write writes counts of nanoseconds, or of microseconds where those do not reach, or
// R's own numbers where no count does.
func (timeCodec) write(values any, valid Bitmap, args *Arguments) (Column, error) {
	times := values.([]time.Time)
	z := commonZone(times, valid, args)
	for _, t := range []*arrow.TimestampType{{Unit: arrow.Nanosecond, TimeZone: z.name}, {Unit: arrow.Microsecond, TimeZone: z.name}} {
		if counts, ok := countTimes(times, valid, t.Unit); ok {
			v := fixedWidth(t, counts, valid)
			if text := z.attributes(false); text != "" {
				v.Field.Metadata = arrow.NewMetadata([]string{metaAttributes}, []string{text})
			}
			return v, nil
		}
	}
	seconds := mapped(times, func(t time.Time) float64 { return float64(t.Unix()) + float64(t.Nanosecond())/1e9 })
	fill(seconds, valid, na)
	v := fixedWidth(arrow.PrimitiveTypes.Float64, seconds, valid)
	v.Field.Metadata = arrow.NewMetadata([]string{metaClass, metaAttributes}, []string{"POSIXct", z.attributes(true)})
	return v, nil
}

// countTimes returns times as counts of nano- or microseconds, if they all are.
func countTimes(times []time.Time, valid Bitmap, unit arrow.TimeUnit) ([]int64, bool) {
	count, at := time.Time.UnixNano, instant(unit)
	if unit == arrow.Microsecond {
		count = time.Time.UnixMicro
	}
	out := make([]int64, len(times))
	for i, v := range times {
		out[i] = math.MinInt64
		if valid.Has(i) {
			out[i] = count(v)
			if !v.Equal(at(out[i])) {
				return nil, false
			}
		}
	}
	return out, true
}

func writeDurations(values []time.Duration, valid Bitmap, _ *Arguments) (Column, error) {
	fill(values, valid, math.MinInt64)
	return fixedWidth(arrow.FixedWidthTypes.Duration_ns, values, valid), nil
}
