package lane

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"mangoro.local/internal/segment"
	"mangoro.local/internal/segment/segmenttest"
)

var token = []byte("0123456789abcdef")

// client is R's end of a lane.
type client struct {
	t      *testing.T
	fd     int
	memory []byte
}

func newClient(t *testing.T) *client {
	t.Helper()
	fd := int(segmenttest.New(t, Size).Fd())
	memory, err := unix.Mmap(fd, 0, Size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	must(t, err)
	t.Cleanup(func() { _ = unix.Munmap(memory) })
	copy(memory[magicAt:], magic)
	copy(memory[tokenAt:], token)
	for i, v := range []uint32{Version, mailboxSize, ringSlots, slotSize} {
		binary.NativeEndian.PutUint32(memory[settledAt+4*i:], v)
	}
	c := &client{t, fd, memory}
	c.store(offerFD, segment.None)
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (c *client) open() (*Lane, error) { return Open(os.Getpid(), uint32(c.fd), Size, token) }

// serve has the lane served until the end of the test.
func (c *client) serve(answer Answer) *Lane {
	c.t.Helper()
	l, err := c.open()
	must(c.t, err)
	go l.Serve(answer)
	c.t.Cleanup(func() {
		l.Close()
		c.await(closed, 1)
	})
	return l
}

func (c *client) word(at int) *uint32    { return (*uint32)(unsafe.Pointer(&c.memory[at])) }
func (c *client) load(at int) uint32     { return atomic.LoadUint32(c.word(at)) }
func (c *client) store(at int, v uint32) { atomic.StoreUint32(c.word(at), v) }

func (c *client) post(number uint32, message string) {
	copy(c.memory[requestBox:], message)
	c.store(requestSize, uint32(len(message)))
	c.store(request, number)
	c.event()
}

func (c *client) event() {
	atomic.AddUint32(c.word(rEvents), 1)
	if c.load(goSleeps) != 0 {
		futexWake(c.word(rEvents))
	}
}

// await sleeps until a word has a value.
func (c *client) await(at int, v uint32) {
	for {
		c.store(rSleeps, 1)
		seen := c.load(goEvents)
		if c.load(at) == v {
			c.store(rSleeps, 0)
			return
		}
		futexWait(c.word(goEvents), seen)
	}
}

func (c *client) call(number uint32, message string) string {
	c.post(number, message)
	c.await(reply, number)
	return string(c.memory[replyBox : replyBox+c.load(replySize)])
}

func echo(r Request) { r.Reply(r.Message, 0) }

func TestServe(t *testing.T) {
	c := newClient(t)
	offers := make(chan segment.Name, 102)
	c.serve(func(r Request) {
		offers <- r.Offer
		if string(r.Message) == "large" {
			r.Reply(nil, 1<<20)
			return
		}
		r.Reply(append([]byte("<"), r.Message...), 0)
	})
	for i := range 100 {
		message := fmt.Sprint("message ", i)
		if got := c.call(uint32(i+1), message); got != "<"+message {
			t.Fatalf("got %q", got)
		}
	}
	long := strings.Repeat("x", mailboxSize-1)
	if got := c.call(101, long); got != "<"+long {
		t.Errorf("got %d bytes", len(got))
	}
	c.store(offerFD, 7)
	c.store(offerGeneration, 9)
	c.store(chunksRead, 3)
	c.post(102, "large")
	c.await(reply, 102)
	if size := c.load(replySize); size != 1<<20|replyInOffer || c.load(chunksRead) != 0 {
		t.Errorf("got a size of %x, %d chunks read", size, c.load(chunksRead))
	}
	if first := <-offers; first.FD != segment.None {
		t.Errorf("got %v", first)
	}
	for range 100 {
		<-offers
	}
	if last := <-offers; last != (segment.Name{FD: 7, Generation: 9}) {
		t.Errorf("got %v", last)
	}
	if c.load(server) != uint32(os.Getpid()) {
		t.Errorf("got process %d", c.load(server))
	}
}

// A request is not the same after the number has wrapped around.
func TestServeWrapsAround(t *testing.T) {
	c := newClient(t)
	c.store(reply, ^uint32(0)-1)
	c.store(request, ^uint32(0)-1)
	c.serve(echo)
	for _, n := range []uint32{^uint32(0), 0, 1} {
		if got := c.call(n, fmt.Sprint(n)); got != fmt.Sprint(n) {
			t.Errorf("got %q for %d", got, n)
		}
	}
}

// R may write to the mailbox while a function reads its request.
func TestServeCopiesRequests(t *testing.T) {
	c := newClient(t)
	c.serve(func(r Request) {
		copy(c.memory[requestBox:], "overwritten")
		r.Reply(r.Message, 0)
	})
	if got := c.call(1, "as it was"); got != "as it was" {
		t.Errorf("got %q", got)
	}
}

// A function that ends its goroutine does not end the lane.
func TestServeAfterGoexit(t *testing.T) {
	c := newClient(t)
	c.serve(func(r Request) {
		defer r.Reply(r.Message, 0)
		if string(r.Message) == "goexit" {
			runtime.Goexit()
		}
	})
	for i, message := range []string{"goexit", "goexit", "a"} {
		if got := c.call(uint32(i+1), message); got != message {
			t.Errorf("got %q", got)
		}
	}
}

// A request that was left does not hold those after it, nor serves them when it ends.
func TestServeLeft(t *testing.T) {
	c := newClient(t)
	goesOn := make(chan bool)
	c.serve(func(r Request) {
		r.Reply(r.Message, 0)
		if string(r.Message) == "goes on" {
			r.Leave()
			r.Leave()
			<-goesOn
		}
	})
	for i, message := range []string{"a", "goes on", "b", "c"} {
		if got := c.call(uint32(i+1), message); got != message {
			t.Errorf("got %q", got)
		}
	}
	goesOn <- true
	for i := range uint32(3) {
		if got := c.call(5+i, "d"); got != "d" {
			t.Errorf("got %q", got)
		}
	}
}

// Closed while it waits, computes, or before it is served, a lane says so and is unmapped.
func TestClose(t *testing.T) {
	t.Run("idle", func(t *testing.T) {
		c := newClient(t)
		l := c.serve(echo)
		c.call(1, "a")
		l.Close()
		c.await(closed, 1)
		l.Close()
	})
	t.Run("busy", func(t *testing.T) {
		c := newClient(t)
		runs, end := make(chan bool), make(chan bool)
		l := c.serve(func(r Request) {
			close(runs)
			<-end
			r.Reply([]byte("late"), 0)
		})
		c.post(1, "a")
		<-runs
		l.Close()
		if c.load(closed) != 0 {
			t.Error("it is closed while a function runs")
		}
		close(end)
		c.await(closed, 1)
		if c.load(reply) != 1 {
			t.Error("there is no reply")
		}
	})
	t.Run("before", func(t *testing.T) {
		c := newClient(t)
		l, err := c.open()
		must(t, err)
		l.Close()
		l.Serve(echo)
		if c.load(closed) != 1 {
			t.Error("it is not closed")
		}
	})
}

// A call that waits for chunks ends when R has given it up.
func TestWaitUntilGivenUp(t *testing.T) {
	c := newClient(t)
	waits, got := make(chan bool), make(chan bool, 1)
	c.serve(func(r Request) {
		close(waits)
		got <- r.lane.wait(func() bool { return r.lane.isGivenUp(r.number) }, true)
		r.Reply(nil, 0)
	})
	c.post(1, "a")
	<-waits
	c.store(givenUp, 1)
	c.event()
	c.await(reply, 1)
	if !<-got {
		t.Error("it was not told")
	}
}

// A message that claims more than the mailbox ends the lane.
func TestServeRefuses(t *testing.T) {
	c := newClient(t)
	c.serve(func(Request) { t.Error("it was answered") })
	c.store(requestSize, mailboxSize+1)
	c.store(request, 1)
	c.event()
	c.await(closed, 1)
}

func TestOpenRefuses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(c *client)
		open   func(c *client) (*Lane, error)
		want   string
	}{
		{"magic", func(c *client) { c.memory[magicAt] = 'x' }, (*client).open, "no lane"},
		{"token", func(c *client) { c.memory[tokenAt]++ }, (*client).open, "another token"},
		{"short token", nil, func(c *client) (*Lane, error) {
			return Open(os.Getpid(), uint32(c.fd), Size, token[:8])
		}, "another token"},
		{"version", func(c *client) { c.memory[settledAt]++ }, (*client).open, "another layout"},
		{"slots", func(c *client) { c.memory[settledAt+8]++ }, (*client).open, "another layout"},
		{"size claimed", nil, func(c *client) (*Lane, error) {
			return Open(os.Getpid(), uint32(c.fd), Size-1, token)
		}, "not"},
		{"descriptor", nil, func(*client) (*Lane, error) {
			return Open(os.Getpid(), 1<<30, Size, token)
		}, "memory"},
		{"process", nil, func(c *client) (*Lane, error) {
			return Open(1<<30, uint32(c.fd), Size, token)
		}, "memory"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newClient(t)
			if tt.change != nil {
				tt.change(c)
			}
			l, err := tt.open(c)
			if l != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, %v", l, err)
			}
		})
	}
	t.Run("a short segment", func(t *testing.T) {
		if l, err := Open(os.Getpid(), uint32(segmenttest.New(t, Size-1).Fd()), Size, token); l != nil || err == nil {
			t.Errorf("got %v, %v", l, err)
		}
	})
	t.Run("a file that can be shrunk", func(t *testing.T) {
		f, err := os.Create(t.TempDir() + "/lane")
		must(t, err)
		defer f.Close()
		must(t, f.Truncate(Size))
		if l, err := Open(os.Getpid(), uint32(f.Fd()), Size, token); l != nil || err == nil {
			t.Errorf("got %v, %v", l, err)
		}
	})
}

// No goroutine and no mapping is left of lanes that were closed.
func TestCloseLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 20 {
		c := newClient(t)
		l, err := c.open()
		must(t, err)
		go l.Serve(echo)
		c.call(1, "a")
		l.Close()
		c.await(closed, 1)
	}
	deadline := time.After(10 * time.Second)
	for runtime.NumGoroutine() > before {
		select {
		case <-deadline:
			t.Fatal(errors.New("goroutines are left"))
		default:
			runtime.Gosched()
		}
	}
	maps, err := os.ReadFile("/proc/self/maps")
	must(t, err)
	if n := bytes.Count(maps, []byte("memfd:lane")); n > 20 { // those of the clients
		t.Errorf("%d mappings are left", n)
	}
}
