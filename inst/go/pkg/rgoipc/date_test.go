package rgoipc

import (
	"encoding/json"
	"testing"
	"time"
)

func TestDate(t *testing.T) {
	day := NewDate(2024, time.February, 29)
	if got := day.Time(); !got.Equal(time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)) || got.Location() != time.UTC {
		t.Errorf("Time() = %v", got)
	}
	if year, month, d := day.Date(); year != day.Year() || month != day.Month() || d != day.Day() || year != 2024 || month != 2 || d != 29 {
		t.Errorf("Date() = %v %v %v", year, month, d)
	}
	if got := day.Weekday(); got != time.Thursday {
		t.Errorf("Weekday() = %v", got)
	}
	for want, got := range map[string]Date{
		"2024-02-29": day, "2024-03-01": day + 1, "1970-01-01": 0, "1969-12-31": -1, "0001-01-01": DateOf(time.Time{}),
		"2025-03-01": day.AddDate(1, 0, 0), "2023-11-01": NewDate(2023, 10, 32),
		"2024-01-01": DateOf(time.Date(2024, 1, 1, 0, 30, 0, 0, time.FixedZone("", 3600))), // 2023 in UTC
	} {
		if got.String() != want {
			t.Errorf("got %v, want %s", got, want)
		}
		if back, err := ParseDate(want); err != nil || back != got {
			t.Errorf("ParseDate(%q) = %v, %v", want, back, err)
		}
	}
}

func TestDateAsText(t *testing.T) {
	text, err := json.Marshal(map[Date]Date{1: 2})
	if err != nil || string(text) != `{"1970-01-02":"1970-01-03"}` {
		t.Errorf("got %s, %v", text, err)
	}
	var back map[Date]Date
	if err := json.Unmarshal(text, &back); err != nil || back[1] != 2 {
		t.Errorf("got %v, %v", back, err)
	}
	day := Date(7)
	if err := day.UnmarshalText([]byte("2023-02-29")); err == nil || day != 7 {
		t.Errorf("got %v, %v", day, err)
	}
}
