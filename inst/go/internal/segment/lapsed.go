package segment

import (
	"math/bits"
	"sync"
	"unsafe"
)

// A process has so many addresses blocked at most: others need some, and each range counts
// against the number of mappings that a process may have, 65530.
const (
	maxLapsed       = 1<<40>>(64-bits.UintSize) | 64<<20
	maxLapsedRanges = 8192
)

// addresses are a range of whole pages.
type addresses struct {
	base unsafe.Pointer
	size int
}

// Lapsed are the addresses of memory that functions were lent ([Lend]) and that is R's
// meanwhile. They are blocked: a function that has kept its slice faults, rather than write to
// another result. The zero value has none. Its methods may be called from several goroutines.
type Lapsed struct {
	mu     sync.Mutex  // protects what follows
	ranges []addresses // the oldest first
	bytes  int
}

// Has tells whether an address is one of them.
func (l *Lapsed) Has(address uintptr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.ranges {
		if address-uintptr(r.base) < uintptr(r.size) {
			return true
		}
	}
	return false
}

// add blocks addresses. If there are too many, the oldest ones are free again.
func (l *Lapsed) add(r addresses) {
	if r.size == 0 {
		return
	}
	if r.block() != nil {
		r.free()
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ranges = append(l.ranges, r)
	l.bytes += r.size
	for l.bytes > maxLapsed || len(l.ranges) > maxLapsedRanges {
		l.bytes -= l.ranges[0].size
		l.ranges[0].free()
		l.ranges = l.ranges[1:]
	}
}
