// Package object holds the Go values that R refers to.
package object

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// ID is how R names an object: 8 random bytes of its table, and 8 that count.
type ID [16]byte

// String returns the id as messages have it.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// ParseID is the inverse of String.
func ParseID(text string) (id ID, ok bool) {
	n, err := hex.Decode(id[:], []byte(text[:min(len(text), 2*len(id))]))
	return id, err == nil && n == len(id) && len(text) == 2*len(id)
}

// Store has the objects of a server, in a table for each connection.
type Store struct {
	mu      sync.Mutex // protects what follows, and all tables and uses
	n       int
	holders map[io.Closer]int // of objects that are to be closed: how many tables have each
}

// NewStore returns a store without objects.
func NewStore() *Store { return &Store{holders: make(map[io.Closer]int)} }

// Count returns how many objects there are.
func (s *Store) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n
}

// Table has the objects of a connection. No other connection finds them.
type Table struct {
	store *Store
	// Protected by the mutex of the store:
	last   ID
	byID   map[ID]*entry
	byPtr  map[any]*entry
	most   int  // objects that there were since the maps were made
	closed bool // the connection has ended
}

// entry is an object. It is in the table as long as R refers to it or a call uses it.
type entry struct {
	id   ID
	ptr  any
	sent uint64 // how often it was sent, less how often R has let it go
	uses int    // by calls that run
}

// NewTable returns a table without objects.
func (s *Store) NewTable() *Table {
	t := &Table{store: s, byID: make(map[ID]*entry), byPtr: make(map[any]*entry)}
	_, _ = rand.Read(t.last[:8]) // never fails
	return t
}

// put returns the entry of a pointer, which is sent to R once more.
func (t *Table) put(ptr any) *entry {
	e := t.byPtr[ptr]
	if e == nil {
		binary.BigEndian.PutUint64(t.last[8:], binary.BigEndian.Uint64(t.last[8:])+1)
		e = &entry{id: t.last, ptr: ptr}
		t.byID[e.id], t.byPtr[ptr] = e, e
		t.most = max(t.most, len(t.byID))
		t.store.n++
		if c, ok := ptr.(io.Closer); ok {
			t.store.holders[c]++
		}
	}
	e.sent++
	return e
}

// mostKept is for how many objects the maps of an empty table keep room.
const mostKept = 4096

// drop removes an entry that nothing refers to, and adds it to those that are to be closed.
func (t *Table) drop(e *entry, closers []io.Closer) []io.Closer {
	if e.sent > 0 || e.uses > 0 || t.byID[e.id] != e {
		return closers
	}
	delete(t.byID, e.id)
	delete(t.byPtr, e.ptr)
	t.store.n--
	if len(t.byID) == 0 && t.most > mostKept { // maps do not shrink
		t.byID, t.byPtr, t.most = make(map[ID]*entry), make(map[any]*entry), 0
	}
	c, ok := e.ptr.(io.Closer)
	if !ok || t.store.holders[c] == 0 {
		return closers
	}
	if t.store.holders[c]--; t.store.holders[c] > 0 {
		return closers
	}
	delete(t.store.holders, c)
	return append(closers, c)
}

// Release lets an object go that R has received so many times and does not refer to any
// more. Of an object that is not there nothing happens.
func (t *Table) Release(released map[ID]uint32) {
	var closers []io.Closer
	t.store.mu.Lock()
	for id, received := range released {
		if e := t.byID[id]; e != nil {
			e.sent -= min(e.sent, uint64(received))
			closers = t.drop(e, closers)
		}
	}
	t.store.mu.Unlock()
	closeAll(closers)
}

// Close lets all objects go: the connection has ended. Those that calls use are let go
// when these end.
func (t *Table) Close() {
	var closers []io.Closer
	t.store.mu.Lock()
	t.closed = true
	for _, e := range t.byID {
		e.sent = 0
		closers = t.drop(e, closers)
	}
	t.store.mu.Unlock()
	closeAll(closers)
}

// Close closes what is left, for at most so long: the server ends.
func (s *Store) Close(wait time.Duration) {
	s.mu.Lock()
	closers := slices.Collect(maps.Keys(s.holders))
	clear(s.holders)
	s.mu.Unlock()
	done := make(chan struct{})
	go func() {
		closeAll(closers)
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(wait):
	}
}

// closeAll closes objects at the same time, so that none waits for another.
func closeAll(closers []io.Closer) {
	var wg sync.WaitGroup
	for _, c := range closers {
		wg.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					log.Printf("Close of %T: panic: %v\n%s", c, p, debug.Stack())
				}
			}()
			if err := c.Close(); err != nil {
				log.Printf("Close of %T: %v", c, err)
			}
		})
	}
	wg.Wait()
}

// Uses are the objects that a call uses, which stay as they are until it ends, and those
// that it sends.
type Uses struct {
	table *Table
	// Protected by the mutex of the store:
	used     []*entry
	result   []*entry
	isResult bool
}

// Begin returns what a call uses. The caller ends it.
func (t *Table) Begin() *Uses { return &Uses{table: t} }

// Find returns the object of an id, and whether it is there.
func (u *Uses) Find(id ID) (ptr any, ok bool) {
	u.table.store.mu.Lock()
	defer u.table.store.mu.Unlock()
	e := u.table.byID[id]
	if e == nil || u.table.closed {
		return nil, false
	}
	e.uses++
	u.used = append(u.used, e)
	return e.ptr, true
}

// Put returns the id of an object that is sent to R. The same pointer has the same id
// as long as it is in the table.
func (u *Uses) Put(ptr any) ID {
	u.table.store.mu.Lock()
	defer u.table.store.mu.Unlock()
	e := u.table.put(ptr)
	if u.isResult || u.table.closed {
		u.result = append(u.result, e)
	}
	return e.id
}

// Result says that what is put from now on is sent with the result.
func (u *Uses) Result() {
	u.table.store.mu.Lock()
	defer u.table.store.mu.Unlock()
	u.isResult = true
}

// Closed notes that the call closes the last object that it has found, so that nobody
// else does.
func (u *Uses) Closed() {
	u.table.store.mu.Lock()
	defer u.table.store.mu.Unlock()
	if n := len(u.used); n > 0 {
		c, _ := u.used[n-1].ptr.(io.Closer)
		delete(u.table.store.holders, c)
	}
}

// End ends the uses. If R does not get the result, what was sent with it was not sent.
func (u *Uses) End(received bool) {
	var closers []io.Closer
	u.table.store.mu.Lock()
	for _, e := range u.used {
		e.uses--
		closers = u.table.drop(e, closers)
	}
	for _, e := range u.result {
		if !received || u.table.closed {
			e.sent -= min(e.sent, 1)
			closers = u.table.drop(e, closers)
		}
	}
	u.used, u.result = nil, nil
	u.table.store.mu.Unlock()
	closeAll(closers)
}

// EntrySize is how many bytes [ParseReleases] takes for each object.
const EntrySize = len(ID{}) + 4

// ParseReleases reads the payload of a message that lets objects go: the id of each, and
// how often R has received it.
func ParseReleases(payload []byte) (map[ID]uint32, error) {
	if len(payload)%EntrySize != 0 {
		return nil, fmt.Errorf("%d bytes are not %d for each object", len(payload), EntrySize)
	}
	out := make(map[ID]uint32, len(payload)/EntrySize)
	for ; len(payload) > 0; payload = payload[EntrySize:] {
		id := ID(payload)
		out[id] += binary.LittleEndian.Uint32(payload[len(id):])
	}
	return out, nil
}
