package rgoipc

import (
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

// readTimes reads points in time, in the time zone of the column where this
// machine knows it and else in UTC. A date is its midnight in UTC.
func readTimes(src source) ([]time.Time, bitmap, error) {
	valid := validRows(src.column)
	switch column := src.column.(type) {
	case *array.Timestamp:
		dataType := column.DataType().(*arrow.TimestampType)
		zone, at := location(dataType.TimeZone), instant(dataType.Unit)
		return mapped(column.TimestampValues(), func(v arrow.Timestamp) time.Time { return at(int64(v)).In(zone) }), valid, nil
	case *array.Date32:
		return mapped(column.Date32Values(), func(v arrow.Date32) time.Time { return time.Unix(int64(v)*secondsPerDay, 0).UTC() }), valid, nil
	case *array.Date64:
		return mapped(column.Date64Values(), func(v arrow.Date64) time.Time { return time.UnixMilli(int64(v)).UTC() }), valid, nil
	}
	switch src.class() {
	case "POSIXct":
		return timesOf(src, valid, 1, location(src.timeZone()))
	case "Date":
		return timesOf(src, valid, secondsPerDay, time.UTC)
	default:
		return nil, valid, src.mustBe("times")
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

// location returns a time zone by its name, or UTC. "Local" is the name of
// none: it would be the server's.
func location(name string) *time.Location {
	if name == "" || name == "UTC" || name == "Local" {
		return time.UTC
	}
	if zone, err := time.LoadLocation(name); err == nil {
		return zone
	}
	return time.UTC
}

// timeZone returns the one time zone that R has for the values, or "".
func (s source) timeZone() string {
	var attributes struct {
		TimeZone []string `json:"tzone"`
	}
	s.attributes(&attributes)
	if len(attributes.TimeZone) == 0 {
		return ""
	}
	return attributes.TimeZone[0]
}

// timesOf reads R's numbers for times, given how many seconds 1 is.
func timesOf(src source, valid bitmap, unit float64, zone *time.Location) ([]time.Time, bitmap, error) {
	numbers, err := floats(source{column: src.column, borrow: true}, valid)
	if err != nil {
		return nil, valid, src.mustBe("times")
	}
	out := make([]time.Time, len(numbers))
	for i, v := range numbers {
		if !valid.has(i) {
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

// readDurations reads spans of time, and times of the day as the span since
// midnight.
func readDurations(src source) ([]time.Duration, bitmap, error) {
	valid := validRows(src.column)
	switch column := src.column.(type) {
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
	switch src.class() {
	case "hms":
		return durationsOf(src, valid, time.Second)
	case "difftime":
		return durationsOf(src, valid, src.unit())
	default:
		return nil, valid, src.mustBe("time differences")
	}
}

const badDuration = "must be time differences of less than 292 years"

func durations[S ~int32 | ~int64](values []S, valid bitmap, unit time.Duration) ([]time.Duration, bitmap, error) {
	most := math.MaxInt64 / int64(unit)
	out, err := narrow[int64](values, valid, func(v S) bool { return -most <= int64(v) && int64(v) <= most }, badDuration)
	for i := range out {
		out[i] *= int64(unit)
	}
	return cast[time.Duration](out), valid, err
}

// unit returns what a difftime of 1 is. R's own default are seconds.
func (s source) unit() time.Duration {
	attributes := struct {
		Units string `json:"units"`
	}{"secs"}
	s.attributes(&attributes)
	switch attributes.Units {
	case "mins":
		return time.Minute
	case "hours":
		return time.Hour
	case "days":
		return 24 * time.Hour
	case "weeks":
		return 7 * 24 * time.Hour
	default:
		return time.Second
	}
}

func durationsOf(src source, valid bitmap, unit time.Duration) ([]time.Duration, bitmap, error) {
	numbers, err := floats(source{column: src.column, borrow: true}, valid)
	if err != nil {
		return nil, valid, src.mustBe("time differences")
	}
	out := make([]time.Duration, len(numbers))
	for i, v := range numbers {
		span := math.Round(v * float64(unit))
		switch {
		case math.Abs(span) < 1<<63:
			out[i] = time.Duration(span)
		case valid.has(i):
			return nil, valid, badValue(badDuration, i, v)
		}
	}
	return out, valid, nil
}

// writeTimes writes nanoseconds, or microseconds where those do not reach.
func writeTimes(values []time.Time, valid bitmap) (vector, error) {
	dataType := &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: commonZone(values, valid)}
	for i, v := range values {
		if valid.has(i) && !v.Equal(time.Unix(0, v.UnixNano())) {
			dataType.Unit = arrow.Microsecond
			break
		}
	}
	out := make([]int64, len(values))
	for i, v := range values {
		switch {
		case !valid.has(i):
			out[i] = math.MinInt64
		case dataType.Unit == arrow.Nanosecond:
			out[i] = v.UnixNano()
		default:
			out[i] = v.UnixMicro()
			if !v.Equal(time.UnixMicro(out[i])) {
				return vector{}, badValue("must be times of microseconds, because not all are between 1677 and 2262", i, v)
			}
		}
	}
	return fixedWidth(dataType, out, valid), nil
}

// commonZone returns the name of the time zone that all values are in, if there
// is one and this machine knows it, and "UTC" otherwise. A name may be made up
// by time.FixedZone: the offsets tell.
func commonZone(values []time.Time, valid bitmap) string {
	const utc = "UTC"
	var name string
	var zone *time.Location
	for i, v := range values {
		if !valid.has(i) {
			continue
		}
		switch own := v.Location().String(); {
		case zone == nil:
			name, zone = own, location(own)
		case own != name:
			return utc
		}
		_, got := v.Zone()
		if _, want := v.In(zone).Zone(); got != want || zone == time.UTC {
			return utc
		}
	}
	if zone == nil {
		return utc
	}
	return name
}

func writeDurations(values []time.Duration, valid bitmap) (vector, error) {
	fill(values, valid, math.MinInt64)
	return fixedWidth(arrow.FixedWidthTypes.Duration_ns, values, valid), nil
}
