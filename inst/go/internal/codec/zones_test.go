package codec

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
)

func TestZoneNames(t *testing.T) {
	winter, summer := time.Date(2024, 1, 1, 12, 0, 0, 0, time.UTC), time.Date(2024, 7, 1, 12, 0, 0, 0, time.UTC)
	for name, want := range map[string][2]int{ // offsets in minutes
		"UTC":                             {0, 0},
		"GMT":                             {0, 0},
		"Europe/Paris":                    {60, 120},
		"Etc/GMT+5":                       {-300, -300},
		"+05:30":                          {330, 330},
		"-0330":                           {-210, -210},
		"+05":                             {300, 300},
		"+00:00":                          {0, 0},
		"CET-1CEST,M3.5.0,M10.5.0/3":      {60, 120},
		"<+03>-3":                         {180, 180},
		"<-02>2<-01>,M3.4.0/-1,M10.5.0/0": {-120, -60},
		"EST5EDT":                         {-300, -240},
		"IST-5:30":                        {330, 330},
	} {
		zone, err := loadZone(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_, cold := winter.In(zone).Zone()
		_, warm := summer.In(zone).Zone()
		if zone.String() != name || cold != 60*want[0] || warm != 60*want[1] {
			t.Errorf("%s: %v, %d, %d, want %v", name, zone, cold/60, warm/60, want)
		}
	}
}

// A name for an offset is one that it can be read from again.
func TestOffsetNames(t *testing.T) {
	for seconds := -24*3600 + 1; seconds < 24*3600; seconds += 599 {
		name := offsetName(seconds)
		zone, err := loadZone(name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, got := time.Unix(0, 0).In(zone).Zone(); got != seconds {
			t.Errorf("%s is %d seconds, want %d", name, got, seconds)
		}
		if _, fixed := parseOffset(name); fixed {
			t.Errorf("%s is not one of R's names", name)
		}
	}
}

func timeColumn(t *testing.T, zoneName string, attributes string, values ...int64) Column {
	t.Helper()
	column := fixedWidth(&arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: zoneName}, values, Bitmap{}).Array
	return withAttributes(column, attributes)
}

func withAttributes(values arrow.Array, attributes string) Column {
	column := newColumn(values)
	keys, texts := []string{metaAttributes}, []string{attributes}
	if values.DataType().ID() == arrow.FLOAT64 {
		keys, texts = append(keys, metaClass), append(texts, "POSIXct")
	}
	if attributes != "" {
		column.Field.Metadata = arrow.NewMetadata(keys, texts)
	}
	return column
}

// What a function returns is in the zone of what it was given, local time and numbers
// as well, and where there are no times too.
func TestZonesComeBack(t *testing.T) {
	own := localName()
	if own == "" {
		t.Skip("nobody knows the zone of this machine")
	}
	for _, tt := range []struct {
		zone, attributes, number string
		hour                     int
	}{
		{"UTC", "", `{"zone":"UTC"}`, 0},
		{"Asia/Tokyo", "", `{"zone":"Asia/Tokyo"}`, 9},
		{"Asia/Tokyo", `{"tzone":[]}`, `{"zone":"Asia/Tokyo","tzone":[]}`, 9},
		{own, `{"tzone":[]}`, `{"zone":"` + own + `","tzone":[]}`, time.Unix(0, 0).Hour()},
		{"+05:30", `{"tzone":["+05:30"]}`, `{"zone":"+05:30","tzone":["+05:30"]}`, 5},
		{"<+03>-3", "", `{"zone":"\u003c+03\u003e-3"}`, 3},
	} {
		hour := func(x time.Time) int { return x.Hour() }
		for _, fn := range []any{
			func(x time.Time) time.Time { return x.Add(time.Hour) },
			func(x *time.Time) *time.Time { return x },
			func(x []time.Time) []time.Time { return x },
			func(x []time.Time) map[string][]time.Time { return map[string][]time.Time{"a": x} },
			func(x []time.Time) []struct{ T time.Time } {
				rows := make([]struct{ T time.Time }, len(x))
				for i := range x {
					rows[i].T = x[i]
				}
				return rows
			},
		} {
			for _, values := range [][]int64{{0, 1}, {}} {
				got, err := through(t, fn, timeColumn(t, tt.zone, tt.attributes, values...))
				if err != nil {
					t.Fatal(err)
				}
				field := timesWithin(t, got.Field)
				if text, _ := field.Metadata.GetValue(metaAttributes); field.Type.(*arrow.TimestampType).TimeZone != tt.zone || text != tt.attributes {
					t.Errorf("%T of %v: got %v with %q, want %v", fn, tt, field.Type, text, tt)
				}
			}
		}
		if got, err := through(t, hour, timeColumn(t, tt.zone, tt.attributes, 0)); err != nil || got.Array.String() != "["+strconv.Itoa(tt.hour)+"]" {
			t.Errorf("%v: the hour is %s, %v", tt, got.Array, err)
		}

		numbers := withAttributes(fixedWidth(arrow.PrimitiveTypes.Float64, []float64{1.0 / 3, 1e15}, Bitmap{}).Array, tt.number)
		if got, err := through(t, hour, numbers); err != nil || !strings.HasPrefix(got.Array.String(), "["+strconv.Itoa(tt.hour)+" ") {
			t.Errorf("%v: the hour of a number is %s, %v", tt, got.Array, err)
		}
		got, err := through(t, func(x time.Time) time.Time { return x }, numbers)
		if err != nil {
			t.Fatal(err)
		}
		class, _ := got.Field.Metadata.GetValue(metaClass)
		text, _ := got.Field.Metadata.GetValue(metaAttributes)
		if class != "POSIXct" || text != tt.number {
			t.Errorf("got %s with %q, want %q", class, text, tt.number)
		}
	}
}

// timesWithin returns the field of the times in a column.
func timesWithin(t *testing.T, field arrow.Field) arrow.Field {
	t.Helper()
	for {
		nested, ok := field.Type.(arrow.NestedType)
		if !ok {
			return field
		}
		fields := nested.Fields()
		if field = fields[len(fields)-1]; field.Type == nil {
			t.Fatal("no times in there")
		}
	}
}

// NaN is a missing time, and Inf is none.
func TestTimesOfNoTime(t *testing.T) {
	missing := func(x *time.Time) bool { return x == nil }
	numbers := func(values ...float64) Column {
		return withAttributes(fixedWidth(arrow.PrimitiveTypes.Float64, values, Bitmap{}).Array, `{"zone":"UTC"}`)
	}
	if got, err := through(t, missing, numbers(na, 0, na+1)); err != nil || got.Array.String() != "[true false true]" {
		t.Errorf("got %s, %v", got.Array, err)
	}
	inf := 1e308
	if _, err := through(t, missing, numbers(0, 10*inf)); err == nil || !strings.Contains(err.Error(), "row 2 is +Inf") {
		t.Errorf("got %v", err)
	}
}
