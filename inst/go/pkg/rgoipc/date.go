package rgoipc

import (
	"fmt"
	"time"

	"mangoro.local/internal/codec"
)

// Date is a day without a time: the number of days since 1970-01-01. It is a Date in R.
// Days are added and subtracted as numbers: d + 7 is a week later.
type Date int32

const secondsPerDay = 24 * 60 * 60

// NewDate returns the date of a year, month and day, which are normalized as by
// [time.Date]: October 32 is November 1.
func NewDate(year int, month time.Month, day int) Date {
	return DateOf(time.Date(year, month, day, 0, 0, 0, 0, time.UTC))
}

// DateOf returns the date that a clock and calendar show at t, in t's own time zone.
func DateOf(t time.Time) Date {
	year, month, day := t.Date()
	return Date(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / secondsPerDay)
}

// ParseDate reads a date such as "2006-01-02".
func ParseDate(text string) (Date, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, fmt.Errorf("rgoipc: %q is not a date such as %s", text, time.DateOnly)
	}
	return DateOf(t), nil
}

// Time returns midnight UTC of the date.
func (d Date) Time() time.Time { return time.Unix(int64(d)*secondsPerDay, 0).UTC() }

// Date returns year, month and day.
func (d Date) Date() (year int, month time.Month, day int) { return d.Time().Date() }

// Year returns the year.
func (d Date) Year() int { return d.Time().Year() }

// Month returns the month of the year.
func (d Date) Month() time.Month { return d.Time().Month() }

// Day returns the day of the month.
func (d Date) Day() int { return d.Time().Day() }

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday { return d.Time().Weekday() }

// AddDate returns the date so many years, months and days later, as [time.Time.AddDate].
func (d Date) AddDate(years, months, days int) Date {
	return DateOf(d.Time().AddDate(years, months, days))
}

// String returns the date as "2006-01-02".
func (d Date) String() string { return d.Time().Format(time.DateOnly) }

// MarshalText returns the date as "2006-01-02".
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads a date such as "2006-01-02".
func (d *Date) UnmarshalText(text []byte) error {
	date, err := ParseDate(string(text))
	if err == nil {
		*d = date
	}
	return err
}

// Codec tells [Registry.Func] how the date travels.
func (Date) Codec() codec.Shape { return codec.Date[Date]{} }
