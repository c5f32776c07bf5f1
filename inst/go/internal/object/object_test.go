package object

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
)

type thing struct{ name string }

type closer struct{ closed atomic.Int32 }

func (c *closer) Close() error {
	c.closed.Add(1)
	return errors.New("it is told to the log")
}

type panics struct{ closer }

func (p *panics) Close() error {
	p.closed.Add(1)
	panic("no")
}

// A pointer has one id as long as it is there, and goes when R has let it go as often as it
// has received it.
func TestReleases(t *testing.T) {
	s := NewStore()
	table := s.NewTable()
	a, b := new(thing), &thing{"b"}
	u := table.Begin()
	id := u.Put(a)
	if u.Put(a) != id || u.Put(b) == id {
		t.Error("the same pointer must have the same id, and another one another")
	}
	u.End(true)
	if n := s.Count(); n != 2 {
		t.Errorf("there are %d objects", n)
	}
	table.Release(map[ID]uint32{id: 1})
	if _, ok := table.Begin().Find(id); !ok {
		t.Error("it was sent twice, and let go once")
	}
	table.Begin().End(true)
	table.Release(map[ID]uint32{id: 1})
	if n := s.Count(); n != 2 {
		t.Errorf("a call uses it, but there are %d", n)
	}
}

// What a call uses stays until the call ends, and may come back meanwhile.
func TestUses(t *testing.T) {
	s := NewStore()
	table := s.NewTable()
	c := new(closer)
	u := table.Begin()
	id := u.Put(c)
	u.End(true)
	call := table.Begin()
	if got, ok := call.Find(id); !ok || got != c {
		t.Fatal("it is not found")
	}
	table.Release(map[ID]uint32{id: 1})
	if c.closed.Load() != 0 || s.Count() != 1 {
		t.Error("a call uses it")
	}
	call.Result()
	if call.Put(c) != id {
		t.Error("it has the same id")
	}
	call.End(true)
	if c.closed.Load() != 0 || s.Count() != 1 {
		t.Error("R has it again")
	}
	table.Release(map[ID]uint32{id: 7})
	if c.closed.Load() != 1 || s.Count() != 0 {
		t.Error("nobody has it")
	}
	table.Release(map[ID]uint32{id: 1})
	table.Close()
	if c.closed.Load() != 1 {
		t.Error("it is closed once")
	}
}

// What R does not get is taken back, but not what it had got before.
func TestTakeBack(t *testing.T) {
	s := NewStore()
	table := s.NewTable()
	u := table.Begin()
	asked, fresh := new(closer), new(closer)
	u.Put(asked) // to an R function, say
	u.Result()
	u.Put(fresh)
	u.Put(asked)
	u.End(false)
	if s.Count() != 1 || fresh.closed.Load() != 1 || asked.closed.Load() != 0 {
		t.Errorf("there are %d objects, closed %d and %d times", s.Count(), fresh.closed.Load(), asked.closed.Load())
	}
}

// No connection finds the objects of another. What two have is closed when both have let it go.
func TestConnections(t *testing.T) {
	s := NewStore()
	one, other := s.NewTable(), s.NewTable()
	c := new(closer)
	u, v := one.Begin(), other.Begin()
	id, theirs := u.Put(c), v.Put(c)
	u.End(true)
	v.End(true)
	if _, ok := other.Begin().Find(id); ok || id == theirs {
		t.Error("another connection finds it")
	}
	other.Release(map[ID]uint32{id: 1})
	if s.Count() != 2 {
		t.Error("another connection has let it go")
	}
	one.Close()
	if c.closed.Load() != 0 || s.Count() != 1 {
		t.Error("the other one still has it")
	}
	other.Close()
	if c.closed.Load() != 1 || s.Count() != 0 {
		t.Error("nobody has it")
	}
}

// The end of a connection lets go all objects but those of calls that run, and those that
// come later.
func TestClose(t *testing.T) {
	s := NewStore()
	table := s.NewTable()
	used, free, late := new(closer), new(panics), new(closer)
	u := table.Begin()
	id := u.Put(used)
	u.Put(free)
	u.End(true)
	call := table.Begin()
	if _, ok := call.Find(id); !ok {
		t.Fatal("it is not found")
	}
	table.Close()
	if free.closed.Load() != 1 || used.closed.Load() != 0 {
		t.Error("one is used, the other is not")
	}
	if _, ok := table.Begin().Find(id); ok {
		t.Error("nothing is found any more")
	}
	call.Put(late)
	call.End(true)
	if used.closed.Load() != 1 || late.closed.Load() != 1 || s.Count() != 0 {
		t.Errorf("closed %d and %d times, %d are left", used.closed.Load(), late.closed.Load(), s.Count())
	}
}

// What a call of R closes itself is not closed again, and what is left is when the server ends.
func TestClosed(t *testing.T) {
	s := NewStore()
	table := s.NewTable()
	c, left := new(closer), new(closer)
	u := table.Begin()
	id := u.Put(c)
	u.Put(left)
	u.End(true)
	call := table.Begin()
	_, _ = call.Find(id)
	call.Closed()
	call.End(true)
	table.Release(map[ID]uint32{id: 1})
	s.Close(0)
	for left.closed.Load() == 0 { // on a goroutine that is not waited for
		s.Close(1e9)
	}
	if c.closed.Load() != 0 || left.closed.Load() != 1 {
		t.Errorf("closed %d and %d times", c.closed.Load(), left.closed.Load())
	}
}

func TestManyAtOnce(t *testing.T) {
	s := NewStore()
	table := s.NewTable()
	shared := new(closer)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 2000 {
				u := table.Begin()
				u.Result()
				mine, ours := u.Put(new(thing)), u.Put(shared)
				u.End(true)
				v := table.Begin()
				_, _ = v.Find(ours)
				table.Release(map[ID]uint32{mine: 1, ours: 1})
				v.End(true)
			}
		})
	}
	wg.Wait()
	if n := s.Count(); n != 0 {
		t.Errorf("%d are left", n)
	}
}

func TestIDs(t *testing.T) {
	id := ID{1, 2, 15: 0xff}
	for _, tt := range []struct {
		text string
		ok   bool
	}{{id.String(), true}, {"", false}, {id.String()[1:], false}, {id.String() + "00", false}, {"zz" + id.String()[2:], false}} {
		if got, ok := ParseID(tt.text); ok != tt.ok || ok && got != id {
			t.Errorf("%q is %v, %v", tt.text, got, ok)
		}
	}
	payload := append(append(id[:], 2, 1, 0, 0), append(append([]byte{}, id[:]...), 1, 0, 0, 0)...)
	got, err := ParseReleases(payload)
	if err != nil || len(got) != 1 || got[id] != 259 {
		t.Errorf("the releases are %v, %v", got, err)
	}
	if _, err := ParseReleases(payload[1:]); err == nil {
		t.Error("39 bytes are not objects")
	}
	if got, err := ParseReleases(nil); err != nil || len(got) != 0 {
		t.Errorf("none are %v, %v", got, err)
	}
}
