package fileserver

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// part is a range of the bytes of a representation.
type part struct{ start, length int64 }

func (p part) contentRange(size int64) string {
	return fmt.Sprintf("bytes %d-%d/%d", p.start, p.start+p.length-1, size)
}

// maxParts is the number of ranges that are answered in parts. A request for more gets the whole.
const maxParts = 200

// errRange tells that none of the ranges can be had, or that they are malformed.
var errRange = errors.New("no range can be satisfied")

// parseRange returns the parts that the Range headers of a request ask for; none means the whole. See
// RFC 9110, section 14: another unit, several headers, and ranges that ask for more than the whole are
// ignored; so is any range of nothing, except those that begin behind it.
func parseRange(headers []string, size int64) ([]part, error) {
	if len(headers) != 1 {
		return nil, nil
	}
	unit, set, ok := strings.Cut(headers[0], "=")
	if !ok || !strings.EqualFold(unit, "bytes") {
		return nil, nil
	}
	var parts []part
	var sum int64
	var specs int
	for spec := range strings.SplitSeq(set, ",") {
		spec = strings.Trim(spec, " \t")
		if spec == "" {
			continue
		}
		specs++
		first, last, ok := strings.Cut(spec, "-")
		if !ok {
			return nil, errRange
		}
		p, err := parseSpec(strings.Trim(first, " \t"), strings.Trim(last, " \t"), size)
		if err != nil {
			return nil, err
		}
		if p.length > 0 {
			parts = append(parts, p)
			sum += p.length
		}
		if specs > maxParts {
			return nil, nil
		}
	}
	switch {
	case specs == 0:
		return nil, errRange
	case len(parts) == 0 && size == 0 && coversNothing(set):
		return nil, nil
	case len(parts) == 0:
		return nil, errRange
	case len(parts) > 1 && sum > size:
		return nil, nil
	}
	return parts, nil
}

// parseSpec returns the part of one range, of length 0 if there is nothing in it.
func parseSpec(first, last string, size int64) (part, error) {
	if first == "" {
		n, err := parsePosition(last)
		if err != nil {
			return part{}, err
		}
		n = min(n, size)
		return part{size - n, n}, nil
	}
	start, err := parsePosition(first)
	if err != nil {
		return part{}, err
	}
	end := size - 1
	if last != "" {
		position, err := parsePosition(last)
		if err != nil || position < start {
			return part{}, errRange
		}
		end = min(end, position)
	}
	return part{start, max(0, end-start+1)}, nil
}

// parsePosition reads a number of digits. One that is too large is as good as the largest.
func parsePosition(digits string) (int64, error) {
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, errRange
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 1<<63 - 1, nil
	}
	return n, nil
}

// coversNothing tells whether ranges, which are well-formed, include all of an empty file.
func coversNothing(set string) bool {
	for spec := range strings.SplitSeq(set, ",") {
		first, last, _ := strings.Cut(strings.Trim(spec, " \t"), "-")
		if spec != "" && (first == "" && strings.Trim(last, "0") != "" || first != "" && strings.Trim(first, "0") == "") {
			return true
		}
	}
	return false
}
