package segment

import (
	"sync"
	"unsafe"
)

// alignment is that of what is allocated in a segment.
const alignment = 64

// Result is a segment that R offers for the result of a call. A nil *Result is none: it
// has no room. It belongs to the call: once that has ended, there is no room in it either.
type Result struct {
	table *Table
	name  Name

	mu    sync.Mutex // protects what follows
	m     *mapping   // nil: the call has ended
	used  int        // bytes from the beginning
	lent  bool       // the function has some of it, and may keep that
	moved bool       // what was allocated does not lie there any more
}

// Name returns the name of the segment.
func (r *Result) Name() Name { return r.name }

// Alloc returns n bytes of the segment, which it lets grow if that is needed, or nil if it
// cannot. They begin at a multiple of 64, and hold what is there.
func (r *Result) Alloc(n int) []byte {
	if r == nil || n < 0 {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.alloc(n)
}

// lend is Alloc for memory that a function is given.
func (r *Result) lend(n int) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	memory := r.alloc(n)
	r.lent = r.lent || memory != nil
	return memory
}

func (r *Result) alloc(n int) []byte {
	if r.m == nil {
		return nil
	}
	// Less than half is never taken: it is left to Go's own memory.
	if r.used == 0 && !r.m.reserve(reservation) {
		r.table.trim()
		_ = r.m.reserve(reservation) || r.m.reserve(reservation/2)
	}
	if n > r.m.reserved-r.used {
		return nil
	}
	end := r.used + n
	if end > r.m.size && r.m.grow(r.table.pid, end) != nil {
		return nil
	}
	memory := unsafe.Slice((*byte)(r.m.base), end)[r.used:end:end]
	r.used = min(aligned(end), r.m.reserved)
	return memory
}

func aligned(n int) int { return (n + alignment - 1) &^ (alignment - 1) }

// Offset returns where in the segment these bytes lie, and whether they do.
func (r *Result) Offset(b []byte) (offset uint64, ok bool) {
	if r == nil || cap(b) == 0 {
		return 0, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.m == nil {
		return 0, false
	}
	at := uintptr(unsafe.Pointer(unsafe.SliceData(b))) - uintptr(r.m.base)
	return uint64(at), at < uintptr(r.used) && uintptr(len(b)) <= uintptr(r.used)-at
}

// Prepend moves all that is allocated back, so that n bytes, which it returns, are free at
// the beginning of the segment. What has been at an offset is then at offset + shift. It
// returns nil if there is no room for that. Memory that was allocated before must not be
// used any more.
func (r *Result) Prepend(n int) (memory []byte, shift int) {
	if r == nil {
		return nil, 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	used := r.used
	shift = aligned(n)
	if r.alloc(shift) == nil {
		return nil, 0
	}
	all := unsafe.Slice((*byte)(r.m.base), shift+used)
	copy(all[shift:], all[:used])
	r.moved = true
	return all[:n:n], shift
}

// Release ends the call's use of the segment, before R is told so. Its memory stays where it
// is as long as no later call needs the place; what a function has been lent has no connection
// to the segment any more, and lapses with the next call that needs the segment.
func (r *Result) Release() {
	if r == nil {
		return
	}
	r.mu.Lock()
	m, lent, moved := r.m, r.lent, r.moved
	r.m = nil
	r.mu.Unlock()
	if m == nil {
		return
	}
	if lent {
		m.trim()
		r.table.takeBack(m, moved)
	}
	r.table.release(m)
}
