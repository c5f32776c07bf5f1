package fileserver

import (
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// racyTime is how long after a change a file may change again without its times telling: the
	// clock of a file system ticks.
	racyTime = 20 * time.Millisecond
	// racyTimeCoarse is the same where there is no time of the last change of anything.
	racyTimeCoarse = 2 * time.Second
	// settledTime is how old the last change must be for a date, of whole seconds, to tell the version.
	settledTime = 2 * time.Second
)

// changed returns the time of the last change, in nanoseconds: ctime tells of a file that got an older
// time stamp.
func (m *meta) changed() int64 { return max(m.mtime, m.ctime) }

// sameContent tells whether the content of an open file is what it was. To lose or get a name, as a
// file does that another is renamed over, changes ctime, but not the content.
func (m *meta) sameContent(other *meta) bool {
	return m.size == other.size && m.mtime == other.mtime && (m.ctime == other.ctime || m.links != other.links)
}

// racyTags makes tags different that are given while a file may change without its times telling.
var racyTags atomic.Uint64

// racyStart makes them different from those of earlier processes.
var racyStart = time.Now().UnixNano()

// tag returns a strong entity tag: two versions of a file never have the same. The suffix tells
// representations apart.
func (m *meta) tag(now time.Time, suffix string) string {
	buffer := make([]byte, 0, 80)
	buffer = append(buffer, '"')
	buffer = strconv.AppendInt(buffer, m.size, 36)
	for _, part := range [...]uint64{uint64(m.mtime), uint64(m.ctime), m.id.ino} {
		buffer = append(buffer, '-')
		buffer = strconv.AppendUint(buffer, part, 36)
	}
	window := racyTime
	if m.ctime == 0 {
		window = racyTimeCoarse
	}
	if now.UnixNano()-m.changed() < int64(window) {
		buffer = append(buffer, '.')
		buffer = strconv.AppendInt(buffer, racyStart, 36)
		buffer = append(buffer, '.')
		buffer = strconv.AppendUint(buffer, racyTags.Add(1), 36)
	}
	buffer = append(buffer, suffix...)
	return string(append(buffer, '"'))
}

// lastModified returns the date of the last change of the content, or nothing while a date cannot tell
// this version from the next one.
func (m *meta) lastModified(now time.Time) string {
	if now.UnixNano()-m.changed() < int64(settledTime) {
		return ""
	}
	return time.Unix(0, m.mtime).UTC().Format(http.TimeFormat)
}

// changedAfter tells whether the file has changed since a date.
func (m *meta) changedAfter(date time.Time) bool { return m.changed()/int64(time.Second) > date.Unix() }

// precondition returns the status that the conditions of a request lead to: 304, 412, or 0 if it is to
// be answered as usual. See RFC 9110, section 13.2.2.
func precondition(header http.Header, tag string, m *meta) int {
	if match := header["If-Match"]; len(match) > 0 {
		if !matches(match, tag, false) {
			return http.StatusPreconditionFailed
		}
	} else if date, ok := dateOf(header, "If-Unmodified-Since"); ok && m.changedAfter(date) {
		return http.StatusPreconditionFailed
	}
	if noneMatch := header["If-None-Match"]; len(noneMatch) > 0 {
		if matches(noneMatch, tag, true) {
			return http.StatusNotModified
		}
	} else if date, ok := dateOf(header, "If-Modified-Since"); ok && !m.changedAfter(date) {
		return http.StatusNotModified
	}
	return 0
}

// rangeApplies tells whether If-Range lets a part be sent. A date cannot tell two versions of the same
// second, and so is never enough.
func rangeApplies(header http.Header, tag string) bool {
	condition, present := header["If-Range"]
	return !present || len(condition) == 1 && condition[0] == tag
}

func dateOf(header http.Header, name string) (time.Time, bool) {
	values := header[name]
	if len(values) != 1 {
		return time.Time{}, false
	}
	date, err := http.ParseTime(values[0])
	return date, err == nil
}

// matches tells whether a list of entity tags has the tag, or is a star. The weak comparison takes weak tags too.
func matches(list []string, tag string, weak bool) bool {
	for _, rest := range list {
		if strings.TrimSpace(rest) == "*" {
			return true
		}
		for {
			rest = strings.TrimLeft(rest, " \t,")
			opaque, isWeak := strings.CutPrefix(rest, "W/")
			if !strings.HasPrefix(opaque, `"`) {
				break
			}
			end := strings.IndexByte(opaque[1:], '"')
			if end < 0 {
				break
			}
			if opaque[:end+2] == tag && (weak || !isWeak) {
				return true
			}
			rest = opaque[end+2:]
		}
	}
	return false
}
