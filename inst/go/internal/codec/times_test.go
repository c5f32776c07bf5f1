package codec

import (
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

func mustZone(t *testing.T, name string) *time.Location {
	t.Helper()
	location, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return location
}

func TestWriteTimes(t *testing.T) {
	paris, tokyo := mustZone(t, "Europe/Paris"), mustZone(t, "Asia/Tokyo")
	summer := time.Date(2024, 7, 1, 12, 0, 0, 1, paris)
	winter := time.Date(2024, 1, 1, 12, 0, 0, 0, paris)
	tests := []struct {
		name   string
		values []time.Time
		want   string
		unit   arrow.TimeUnit
	}{
		{"none", nil, "UTC", arrow.Nanosecond},
		{"UTC", []time.Time{summer.UTC()}, "UTC", arrow.Nanosecond},
		{"one zone", []time.Time{summer, winter}, "Europe/Paris", arrow.Nanosecond},
		{"two zones", []time.Time{summer, summer.In(tokyo)}, "UTC", arrow.Nanosecond},
		{"UTC first", []time.Time{winter.UTC(), summer}, "UTC", arrow.Nanosecond},
		{"local", []time.Time{summer.In(time.Local)}, localName(), arrow.Nanosecond},
		{"made up", []time.Time{summer.In(time.FixedZone("No/Where", 7200))}, "Etc/GMT-2", arrow.Nanosecond},
		{"made up under a known name", []time.Time{winter.In(time.FixedZone("Europe/Paris", 7200))}, "Etc/GMT-2", arrow.Nanosecond},
		{"UTC that is none", []time.Time{winter.In(time.FixedZone("UTC", 3600))}, "Etc/GMT-1", arrow.Nanosecond},
		{"no name", []time.Time{summer.In(time.FixedZone("", -12600)), winter.In(time.FixedZone("", -12600))}, "<-0330>+03:30", arrow.Nanosecond},
		{"no name and no offset", []time.Time{summer.In(time.FixedZone("", 0))}, "UTC", arrow.Nanosecond},
		{"offsets", []time.Time{summer.In(time.FixedZone("", 60)), summer.In(time.FixedZone("", 120))}, "UTC", arrow.Nanosecond},
		{"one zone, loaded twice", []time.Time{summer, winter.In(mustZone(t, "Europe/Paris"))}, "Europe/Paris", arrow.Nanosecond},
		{"zero", []time.Time{{}}, "UTC", arrow.Microsecond},
		{"far", []time.Time{summer.Truncate(time.Second), winter.AddDate(1000, 0, 0)}, "Europe/Paris", arrow.Microsecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := written(tt.values, new(Arguments))
			if err != nil {
				t.Fatal(err)
			}
			column := got.Array.(*array.List).ListValues().(*array.Timestamp)
			if dataType := column.DataType().(*arrow.TimestampType); dataType.TimeZone != tt.want || dataType.Unit != tt.unit {
				t.Errorf("got %v, want timestamp[%v, %s]", dataType, tt.unit, tt.want)
			}
			for i, want := range tt.values {
				if got := instant(tt.unit)(int64(column.Value(i))); !got.Equal(want) {
					t.Errorf("row %d is %v, want %v", i+1, got, want)
				}
			}
		})
	}
}
