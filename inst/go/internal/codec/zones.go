package codec

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // for machines that have no time zones

	"github.com/apache/arrow-go/v18/arrow"
)

// zone is the time zone of a column of times.
type zone struct {
	// name is one that loadZone knows. Empty: none, which is UTC.
	name string
	// local: it is R's own zone, and the times do not name it.
	local bool
}

var utc = zone{name: "UTC"}

// zoneOf returns the time zone of a column: that of its Arrow type or, of R's
// numbers for times, that of its attributes.
func zoneOf(field arrow.Field) zone {
	var z zone
	if t, ok := field.Type.(*arrow.TimestampType); ok {
		z.name = t.TimeZone
	}
	text, ok := field.Metadata.GetValue(metaAttributes)
	switch {
	case !ok:
	case text == localAttributes:
		z.local = true
	default:
		var attributes zoneAttributes
		_ = json.Unmarshal([]byte(text), &attributes) // hints from a peer, and bad ones are none
		if z.name == "" {
			z.name = attributes.Zone
		}
		if names := attributes.Names; names != nil {
			z.local = len(*names) == 0 || (*names)[0] == ""
			if z.name == "" && !z.local {
				z.name = (*names)[0]
			}
		}
	}
	return z
}

// zoneAttributes are the members of r.attributes that tell of time zones.
type zoneAttributes struct {
	// Zone is what the Arrow type has no place for, that of numbers.
	Zone string `json:"zone,omitempty"`
	// Names is R's attribute tzone where it is not the name of the zone: R's local
	// time has none, or one that begins with "".
	Names *[]string `json:"tzone,omitempty"`
}

// localAttributes are those of local time. To read or write them as JSON takes 0.5 us a
// column, of the 7 us of a small call.
const localAttributes = `{"tzone":[]}`

// attributes returns the metadata of a column in the zone, "" for none. As numbers:
// its type has no place for the zone.
func (z zone) attributes(numbers bool) string {
	if z.local && !numbers {
		return localAttributes
	}
	var a zoneAttributes
	if numbers {
		a.Zone = z.name
	}
	if z.local {
		a.Names = &[]string{}
	} else if _, fixed := parseOffset(z.name); fixed {
		a.Names = &[]string{z.name} // R would write it as a rule of POSIX
	}
	if a == (zoneAttributes{}) {
		return ""
	}
	text, _ := json.Marshal(a) // strings are always JSON
	return string(text)
}

// zone returns the zone of the first times among the arguments, or UTC.
func (a *Arguments) zone() zone {
	for _, col := range a.columns {
		if col.Array == nil {
			continue
		}
		if z, ok := zoneWithin(col.Field); ok {
			return z
		}
	}
	return utc
}

func zoneWithin(field arrow.Field) (zone, bool) {
	switch t := field.Type.(type) {
	case *arrow.TimestampType:
		return zoneOf(field), true
	case *arrow.Float64Type:
		return zoneOf(field), Column{Field: field}.class() == "POSIXct"
	case arrow.NestedType:
		for _, child := range t.Fields() {
			if z, ok := zoneWithin(child); ok {
				return z, true
			}
		}
	}
	return zone{}, false
}

// maxZones bounds what a peer that makes up zones can have remembered. There are
// some 600 of them.
const maxZones = 1024

// locations are the time zones of columns as Go has them. A column's zone is always
// the same pointer: that, and not its name, tells R's local time from times that
// name the same zone.
type locations struct {
	mu     sync.RWMutex
	byZone map[zone]*time.Location
	zones  map[*time.Location]zone
}

var remembered = locations{byZone: make(map[zone]*time.Location), zones: make(map[*time.Location]zone)}

// location returns the time zone of a column: time.Local for R's own where that is
// the zone of this process. It fails if the time zone is not known.
func (z zone) location() (*time.Location, error) {
	switch {
	case z.name == "" || z == utc:
		return time.UTC, nil
	case z.local && z.name == localName():
		return time.Local, nil
	}
	remembered.mu.RLock()
	at, ok := remembered.byZone[z]
	remembered.mu.RUnlock()
	if ok {
		return at, nil
	}
	loaded, err := loadZone(z.name)
	if err != nil {
		return nil, err
	}
	remembered.mu.Lock()
	defer remembered.mu.Unlock()
	if at, ok := remembered.byZone[z]; ok {
		return at, nil
	}
	if len(remembered.byZone) < maxZones {
		remembered.byZone[z], remembered.zones[loaded] = loaded, z
	}
	return loaded, nil
}

// knownZone returns the zone that a location was made for.
func knownZone(at *time.Location) (zone, bool) {
	switch at {
	case time.UTC:
		return utc, true
	case time.Local:
		name := localName()
		return zone{name, true}, name != ""
	}
	remembered.mu.RLock()
	defer remembered.mu.RUnlock()
	z, ok := remembered.zones[at]
	return z, ok
}

// commonZone returns the zone that all values are in. If they are in several, or in
// one that R cannot be told of, that is UTC; if there are no values, that of args.
func commonZone(values []time.Time, valid Bitmap, args *Arguments) zone {
	var first *time.Location
	same := true
	for i, v := range values {
		if !valid.Has(i) {
			continue
		}
		switch at := v.Location(); {
		case first == nil:
			first = at
		case at == first:
		case at.String() != first.String():
			return utc
		default:
			same = false
		}
	}
	if first == nil {
		return args.zone()
	}
	if z, ok := knownZone(first); ok && same {
		return z
	}
	return namedZone(values, valid, first.String())
}

// namedZone returns the zone of that name if the values are in it. A name may be
// made up, or be of no use elsewhere, as "Local" is: the offsets tell.
func namedZone(values []time.Time, valid Bitmap, name string) zone {
	z := zone{name: name}
	at, err := z.location()
	known, fixed := err == nil && name != "", true
	first := -1
	for i, v := range values {
		if !valid.Has(i) {
			continue
		}
		_, offset := v.Zone()
		if known {
			_, want := v.In(at).Zone()
			known = offset == want
		}
		if first < 0 {
			first = i
		} else {
			_, want := values[first].Zone()
			fixed = fixed && offset == want
		}
	}
	switch {
	case known:
		return z
	case fixed && first >= 0:
		_, offset := values[first].Zone()
		return zone{name: offsetName(offset)}
	default:
		return utc
	}
}

// loadZone returns a time zone by its name: one of the IANA database, a fixed offset
// as Arrow writes it ("+05:30"), or a rule of POSIX ("CET-1CEST").
func loadZone(name string) (*time.Location, error) {
	switch name {
	case "UTC":
		return time.FixedZone(name, 0), nil // time.UTC is that of all others
	case "", "Local":
		return nil, fmt.Errorf("%q is not a time zone", name)
	}
	if offset, ok := parseOffset(name); ok {
		return time.FixedZone(name, offset), nil
	}
	at, err := time.LoadLocation(name)
	if err == nil {
		return at, nil
	}
	if at, ok := ruleZone(name); ok {
		return at, nil
	}
	return nil, err
}

// parseOffset returns the seconds of an offset: +05:30, +0530 or +05.
func parseOffset(name string) (seconds int, ok bool) {
	if len(name) < 3 || name[0] != '+' && name[0] != '-' {
		return 0, false
	}
	digits := strings.Replace(name[1:], ":", "", 1)
	if len(digits) != 2 && len(digits) != 4 || len(name) == 6 && name[3] != ':' || len(digits) == 2 && len(name) != 3 {
		return 0, false
	}
	number, err := strconv.ParseUint((digits + "00")[:4], 10, 16)
	hours, minutes := int(number/100), int(number%100)
	if err != nil || hours > 23 || minutes > 59 {
		return 0, false
	}
	seconds = 3600*hours + 60*minutes
	if name[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}

// offsetName returns a name that R and Go have for a fixed offset. In those names
// west of Greenwich is +.
func offsetName(seconds int) string {
	const hour, most = 3600, 24 * 3600
	switch {
	case seconds == 0 || seconds <= -most || seconds >= most:
		return utc.name
	case seconds%hour == 0 && -12*hour <= seconds && seconds <= 14*hour:
		return fmt.Sprintf("Etc/GMT%+d", -seconds/hour)
	}
	own, posix := byte('+'), byte('-')
	if seconds < 0 {
		seconds, own, posix = -seconds, posix, own
	}
	h, m, s := seconds/hour, seconds/60%60, seconds%60
	short, long := fmt.Sprintf("%02d%02d", h, m), fmt.Sprintf("%02d:%02d", h, m)
	if s > 0 {
		short, long = fmt.Sprintf("%s%02d", short, s), fmt.Sprintf("%s:%02d", long, s)
	}
	return fmt.Sprintf("<%c%s>%c%s", own, short, posix, long)
}

// ruleZone returns the zone of a rule of POSIX. The time package reads those at the
// end of the data of a zone, for the times after all that are listed: this one has
// none but the rule.
func ruleZone(rule string) (*time.Location, bool) {
	// The name of a zone of the database is not a rule, and where there are digits it
	// could be taken for one.
	abbreviation, _, _ := strings.Cut(rule, ",")
	if len(rule) > 128 || strings.ContainsAny(abbreviation, "/\n") {
		return nil, false
	}
	// header is: version 2, and the counts of what follows, which is one kind of
	// time and its abbreviation of one byte.
	const header = "TZif2" + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
		"\x00\x00\x00\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x01" + "\x00\x00\x00\x01"
	// offset is 2^30 seconds: it is returned where the rule is not one.
	const offset, entry = 1 << 30, "\x40\x00\x00\x00" + "\x00" + "\x00" + "\x00"
	at, err := time.LoadLocationFromTZData(rule, []byte(header+entry+header+entry+"\n"+rule+"\n"))
	if err != nil {
		return nil, false
	}
	if _, got := time.Unix(0, 0).In(at).Zone(); got == offset {
		return nil, false
	}
	return at, true
}

// localName returns the name of the zone that time.Local is, "" if there is none.
func localName() string {
	name := time.Local.String()
	if name == "Local" {
		return systemZone()
	}
	return nameOfPath(name)
}

// systemZone returns the name of the zone that the system is set to.
var systemZone = sync.OnceValue(func() string {
	path, err := filepath.EvalSymlinks("/etc/localtime")
	if err != nil {
		return ""
	}
	name := nameOfPath(path)
	if name == path {
		return "" // a copy of a zone's file, of which nobody knows the name
	}
	return name
})

// nameOfPath returns the name of a zone, given that or the file it is in.
func nameOfPath(path string) string {
	_, name, ok := strings.Cut(path, "/zoneinfo/")
	if !ok {
		return path
	}
	return strings.TrimPrefix(strings.TrimPrefix(name, "posix/"), "right/")
}

// SetLocal makes time.Local what the environment variable TZ says where the time
// package does not: on Windows, and where TZ is a rule of POSIX.
func SetLocal() {
	name := strings.TrimPrefix(os.Getenv("TZ"), ":")
	if name == "" || strings.HasPrefix(name, "/") || name == time.Local.String() {
		return
	}
	if at, err := loadZone(name); err == nil {
		time.Local = at
	}
}
