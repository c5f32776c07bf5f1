package fileserver

import (
	"bytes"
	"cmp"
	"math/rand/v2"
	"slices"
)

func dirsFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}

func (v *view) direction(order int) int {
	if v.down {
		return -order
	}
	return order
}

// compareNames compares entries of which no more than the names is known.
func (v *view) compareNames(found *names, a, b span) int {
	if order := dirsFirst(a.isDir, b.isDir); order != 0 {
		return order
	}
	nameA, nameB := found.bytes(a), found.bytes(b)
	if v.sort == byType && !a.isDir {
		if order := bytes.Compare(extension(nameA), extension(nameB)); order != 0 {
			return v.direction(order)
		}
		return compareNatural(nameA, nameB)
	}
	return v.direction(compareNatural(nameA, nameB))
}

// compareEntries compares entries by size or time.
func (v *view) compareEntries(a, b entry) int {
	if order := dirsFirst(a.isDir, b.isDir); order != 0 {
		return order
	}
	order := 0
	switch {
	case v.sort == byTime:
		order = cmp.Compare(a.mtime, b.mtime)
	case !a.isDir:
		order = cmp.Compare(a.size, b.size)
	}
	if order != 0 {
		return v.direction(order)
	}
	return compareNatural([]byte(a.name), []byte(b.name))
}

// compareNatural compares names as people do: without regard to case, and "chr2" before "chr10".
func compareNatural(a, b []byte) int {
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		if isDigit(a[i]) && isDigit(b[j]) {
			first, second := number(a[i:]), number(b[j:])
			i, j = i+len(first), j+len(second)
			first, second = bytes.TrimLeft(first, "0"), bytes.TrimLeft(second, "0")
			if order := cmp.Or(cmp.Compare(len(first), len(second)), bytes.Compare(first, second)); order != 0 {
				return order
			}
			continue
		}
		if order := cmp.Compare(lower(a[i]), lower(b[j])); order != 0 {
			return order
		}
		i, j = i+1, j+1
	}
	return cmp.Or(cmp.Compare(len(a)-i, len(b)-j), bytes.Compare(a, b))
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// number returns the digits at the start of a text.
func number(text []byte) []byte {
	n := 0
	for n < len(text) && isDigit(text[n]) {
		n++
	}
	return text[:n]
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// sortPart sorts so much that the elements from lo to hi are those of the sorted slice: a page is
// short, the list it is taken from may be long.
func sortPart[T any](all []T, lo, hi int, compare func(a, b T) int) {
	start, end := 0, len(all) // of what holds elements of the page and is not sorted
	for lo < hi && end-start > 32 {
		pivot := all[start+rand.IntN(end-start)]
		// less | equal | greater
		less, next, greater := start, start, end
		for next < greater {
			switch order := compare(all[next], pivot); {
			case order < 0:
				all[less], all[next] = all[next], all[less]
				less, next = less+1, next+1
			case order > 0:
				greater--
				all[greater], all[next] = all[next], all[greater]
			default:
				next++
			}
		}
		switch {
		case hi <= less:
			end = less
		case lo >= greater:
			start = greater
		default:
			sortPart(all[start:less], max(0, lo-start), less-start, compare)
			sortPart(all[greater:end], 0, hi-greater, compare)
			return
		}
	}
	if lo < hi {
		slices.SortFunc(all[start:end], compare)
	}
}
