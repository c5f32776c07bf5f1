package segment

import (
	"fmt"
	"sync"
	"time"
	"unsafe"
)

const (
	// maxKept is how many mappings are kept, unless calls use more: as many as R has segments.
	// To map one again and touch its pages takes longer than to add the numbers in it.
	maxKept = 256
	// sweepTime is after how long a table looks whether the process still has the segments
	// that are mapped and not used: a mapping keeps the memory of one that is closed.
	sweepTime = 30 * time.Second
	// It looks at once if another segment is mapped, for which the process may have closed
	// them, but not each time if many small ones are.
	minSweepTime  = time.Second
	minSweepBytes = 64 << 20
)

// Table maps the segments of one process. Its methods may be called from several
// goroutines.
type Table struct {
	pid    int
	lapsed *Lapsed

	mu     sync.Mutex // protects what follows
	known  map[mappingKey]*mapping
	latest map[uint32]uint32 // the latest generation of each descriptor
	clock  uint64            // counts uses
	swept  time.Time         // when it has last looked for closed segments
	added  int               // bytes that were mapped since
	timer  *time.Timer       // of the next sweep; nil: there is nothing to sweep
	closed bool
}

// mappingKey is a segment that is mapped for reading, or for writing.
type mappingKey struct {
	name     Name
	writable bool
}

// mapping is the memory of a segment.
type mapping struct {
	mappingKey
	file     fileID
	base     unsafe.Pointer
	size     int // of the segment, when it was last looked at
	reserved int // bytes of addresses: whole pages, at least its size
	// left is where the segment was mapped when a function was lent some of it. It lapses when
	// the segment is offered again.
	left addresses

	// What follows is protected by the mutex of the table.
	uses    int
	lastUse uint64
	dropped bool // unmapped after its last use
}

// NewTable returns a table of the segments of a process. The addresses that lapse are added to
// those of other tables.
func NewTable(pid int, lapsed *Lapsed) *Table {
	return &Table{pid: pid, lapsed: lapsed, known: make(map[mappingKey]*mapping), latest: make(map[uint32]uint32)}
}

// Read returns a range of a segment, which cannot be written to and is there until release
// is called, once.
func (t *Table) Read(name Name, offset, length uint64) (memory []byte, release func(), err error) {
	m, err := t.use(mappingKey{name, false}, offset, length)
	if err != nil {
		return nil, nil, err
	}
	memory = unsafe.Slice((*byte)(m.base), m.size)[offset : offset+length : offset+length]
	return memory, func() { t.release(m) }, nil
}

// Offer returns a segment that the process offers for a result. The caller releases it.
func (t *Table) Offer(name Name) (*Result, error) {
	m, err := t.use(mappingKey{name, true}, 0, 0)
	if err != nil {
		return nil, err
	}
	return &Result{table: t, name: name, m: m}, nil
}

// Close drops all mappings. Those in use are unmapped after their last use.
func (t *Table) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for _, m := range t.known {
		t.drop(m)
	}
	t.setTimer()
}

// use returns the mapping of a segment that has such a range, with one more use.
func (t *Table) use(key mappingKey, offset, length uint64) (*mapping, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, fmt.Errorf("segment %d: the connection has ended", key.name.FD)
	}
	latest, seen := t.latest[key.name.FD]
	if seen && int32(key.name.Generation-latest) < 0 {
		return nil, fmt.Errorf("segment %d of generation %d is superseded by generation %d", key.name.FD, key.name.Generation, latest)
	}
	m := t.known[key]
	if m != nil && m.writable && m.uses > 0 {
		return nil, fmt.Errorf("segment %d is offered to another call", key.name.FD)
	}
	if m == nil || !m.has(offset, length) {
		var err error
		if m, err = t.mapAnew(key, m); err != nil {
			return nil, fmt.Errorf("segment %d: %w", key.name.FD, err)
		}
	}
	if !m.has(offset, length) {
		return nil, fmt.Errorf("%d bytes at %d leave segment %d of %d bytes", length, offset, key.name.FD, m.size)
	}
	t.lapse(m)
	m.uses++
	t.clock++
	m.lastUse = t.clock
	t.evict()
	return m, nil
}

// mapAnew maps a segment that is not mapped yet, or has grown since, in which case old is
// its mapping so far.
func (t *Table) mapAnew(key mappingKey, old *mapping) (*mapping, error) {
	m, err := newMapping(t.pid, key)
	if err != nil {
		return nil, err
	}
	if old != nil {
		if old.file != m.file {
			t.unmap(m)
			return nil, fmt.Errorf("generation %d is another file than before", key.name.Generation)
		}
		t.drop(old)
	}
	if latest, seen := t.latest[key.name.FD]; seen && latest != key.name.Generation {
		for _, writable := range []bool{false, true} {
			if stale := t.known[mappingKey{Name{key.name.FD, latest}, writable}]; stale != nil {
				t.drop(stale)
			}
		}
	}
	if t.added += m.size; t.added >= minSweepBytes || time.Since(t.swept) >= minSweepTime {
		t.dropClosed()
	}
	t.latest[key.name.FD] = key.name.Generation
	t.known[key] = m
	t.setTimer()
	return m, nil
}

// release ends one use of a mapping.
func (t *Table) release(m *mapping) {
	t.mu.Lock()
	defer t.mu.Unlock()
	m.uses--
	if m.uses == 0 && m.dropped {
		t.unmap(m)
	}
	t.evict()
}

// takeBack has what a function was lent of a segment lose its connection to it. If it has
// moved meanwhile, it lapses at once. Nobody else uses the mapping.
func (t *Table) takeBack(m *mapping, moved bool) {
	left, err := m.leave(t.pid)
	if err == nil && !moved {
		m.left = left
		return
	}
	t.lapsed.add(left)
	if err != nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.drop(m)
	}
}

// lapse ends what a function was lent of a segment, which changes from now on.
func (t *Table) lapse(m *mapping) {
	t.lapsed.add(m.left)
	m.left = addresses{}
}

func (t *Table) unmap(m *mapping) {
	t.lapse(m)
	m.unmap()
}

// drop forgets a mapping, and unmaps it now or after its last use.
func (t *Table) drop(m *mapping) {
	if t.known[m.mappingKey] == m {
		delete(t.known, m.mappingKey)
	}
	m.dropped = true
	if m.uses == 0 {
		t.unmap(m)
	}
}

// evict drops those of too many mappings whose last use is longest ago.
func (t *Table) evict() {
	for len(t.known) > maxKept {
		var oldest *mapping
		for _, m := range t.known {
			if m.uses == 0 && (oldest == nil || m.lastUse < oldest.lastUse) {
				oldest = m
			}
		}
		if oldest == nil {
			return
		}
		t.drop(oldest)
	}
}

// trim gives back the addresses that mappings have beyond their segments, as far as no call
// uses them.
func (t *Table) trim() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, m := range t.known {
		if m.uses == 0 {
			m.trim()
		}
	}
}

// sweep drops mappings of segments that the process has closed meanwhile.
func (t *Table) sweep() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dropClosed()
	t.timer = nil
	t.setTimer()
}

func (t *Table) dropClosed() {
	t.swept, t.added = time.Now(), 0
	for _, m := range t.known {
		if m.uses == 0 && !m.isOpen(t.pid) {
			t.drop(m)
		}
	}
}

// setTimer has the table swept later, if there is anything to sweep.
func (t *Table) setTimer() {
	switch {
	case len(t.known) == 0 && t.timer != nil:
		t.timer.Stop()
		t.timer = nil
	case len(t.known) > 0 && t.timer == nil:
		t.timer = time.AfterFunc(sweepTime, t.sweep)
	}
}

// has tells whether a segment has such a range.
func (m *mapping) has(offset, length uint64) bool {
	size := uint64(m.size)
	return offset <= size && length <= size-offset
}
