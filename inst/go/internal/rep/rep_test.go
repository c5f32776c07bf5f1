package rep

import (
	"encoding/binary"
	"fmt"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.nanomsg.org/mangos/v3"
	"go.nanomsg.org/mangos/v3/protocol/req"
	_ "go.nanomsg.org/mangos/v3/transport/ipc"
)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// maxUnsentBytes is the limit of servers with small replies.
const maxUnsentBytes = 1 << 30

// answer is a handler that treats all peers alike.
type answer func(request []byte, reply func([]byte))

func (a answer) Answer(request []byte, reply func([]byte)) { a(request, reply) }

func (answer) Gone() {}

// start returns a server that listens, and its address.
func start(t *testing.T, handler answer) (*Server, string) {
	t.Helper()
	return serve(t, handler, maxUnsentBytes)
}

func serve(t *testing.T, handler Handler, maxUnsentBytes int64) (*Server, string) {
	t.Helper()
	s := NewServer(func() Handler { return handler }, maxUnsentBytes)
	t.Cleanup(func() { _ = s.Socket.Close() })
	url := "ipc://" + filepath.Join(t.TempDir(), "s.ipc")
	if runtime.GOOS == "windows" {
		url = "ipc://" + strings.ReplaceAll(t.Name(), "/", "-")
	}
	if err := s.Socket.Listen(url); err != nil {
		t.Fatal(err)
	}
	return s, url
}

func dial(t *testing.T, url string) mangos.Socket {
	t.Helper()
	sock, err := req.NewSocket()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sock.Close() })
	for name, value := range map[string]any{mangos.OptionRecvDeadline: patience, mangos.OptionRetryTime: time.Duration(0)} {
		if err := sock.SetOption(name, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := sock.Dial(url); err != nil {
		t.Fatal(err)
	}
	return sock
}

// ask sends a request and returns the reply.
func ask(t *testing.T, sock interface {
	Send([]byte) error
	Recv() ([]byte, error)
}, request string,
) string {
	t.Helper()
	if err := sock.Send([]byte(request)); err != nil {
		t.Fatal(err)
	}
	reply, err := sock.Recv()
	if err != nil {
		t.Fatal(err)
	}
	return string(reply)
}

func echo(request []byte, reply func([]byte)) { reply(request) }

// Of many requests at the same time, of one socket and of several, each gets its own reply.
func TestAnswers(t *testing.T) {
	_, url := start(t, echo)
	var clients sync.WaitGroup
	for i := range 4 {
		sock := dial(t, url)
		for j := range 8 {
			line, err := sock.OpenContext()
			if err != nil {
				t.Fatal(err)
			}
			clients.Go(func() {
				for k := range 50 {
					request := fmt.Sprint(i, j, k)
					if err := line.Send([]byte(request)); err != nil {
						t.Error(err)
						return
					}
					if reply, err := line.Recv(); err != nil || string(reply) != request {
						t.Errorf("%s got %q, %v", request, reply, err)
						return
					}
				}
			})
		}
	}
	clients.Wait()
}

// However many requests of a peer are pending, the next one is answered.
func TestSlowRequestsDoNotBlock(t *testing.T) {
	const n = 3000
	release := make(chan struct{})
	s, url := start(t, func(request []byte, reply func([]byte)) {
		if string(request) == "slow" {
			<-release
		}
		reply(request)
	})
	sock := dial(t, url)
	var lines []mangos.Context
	for range n {
		line, err := sock.OpenContext()
		if err != nil {
			t.Fatal(err)
		}
		if err := line.Send([]byte("slow")); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	if reply := ask(t, sock, "fast"); reply != "fast" {
		t.Errorf("got %q", reply)
	}
	if left := s.pendingCount(); left < n/2 {
		t.Errorf("only %d are waited for", left)
	}
	close(release)
	for _, line := range lines {
		if reply, err := line.Recv(); err != nil || string(reply) != "slow" {
			t.Fatalf("got %q, %v", reply, err)
		}
	}
}

func (s *Server) pendingCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pending
}

// leaving is a handler that answers once its peer has gone.
type leaving struct{ started, gone, ended chan struct{} }

func (l leaving) Answer(_ []byte, reply func([]byte)) {
	close(l.started)
	<-l.gone
	reply(nil)
	close(l.ended)
}

func (l leaving) Gone() { close(l.gone) }

// A handler is told that its peer has gone. Then nothing is left of the peer.
func TestPeerGoes(t *testing.T) {
	handler := leaving{make(chan struct{}), make(chan struct{}), make(chan struct{})}
	s, url := serve(t, handler, maxUnsentBytes)
	before := runtime.NumGoroutine()
	sock := dial(t, url)
	if err := sock.Send([]byte("x")); err != nil {
		t.Fatal(err)
	}
	<-handler.started
	if err := sock.Close(); err != nil {
		t.Fatal(err)
	}
	<-handler.ended
	if left := s.Stop(patience); left != 0 {
		t.Errorf("%d requests are left", left)
	}
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, and %d before", runtime.NumGoroutine(), before)
		}
	}
}

// A handler that ends its goroutine ends nothing else.
func TestGoexit(t *testing.T) {
	s, url := start(t, func(request []byte, reply func([]byte)) {
		defer reply(request)
		runtime.Goexit()
	})
	sock := dial(t, url)
	for range 20 {
		if reply := ask(t, sock, "x"); reply != "x" {
			t.Errorf("got %q", reply)
		}
	}
	if left := s.Stop(patience); left != 0 {
		t.Errorf("%d requests are left", left)
	}
}

func TestCutTrace(t *testing.T) {
	hop, id := []byte{0, 0, 0, 1}, []byte{0x80, 0, 0, 1}
	join := func(parts ...[]byte) (all []byte) {
		for _, part := range parts {
			all = append(all, part...)
		}
		return all
	}
	hops := make([]byte, 4*maxHops)
	tests := []struct {
		name           string
		body           []byte
		trace, request string
		ok             bool
	}{
		{"a request", join(id, []byte("x")), string(id), "x", true},
		{"an empty one", id, string(id), "", true},
		{"through a device", join(hop, id, []byte("x")), string(join(hop, id)), "x", true},
		{"through many", join(hops[4:], id, []byte("x")), string(join(hops[4:], id)), "x", true},
		{"through too many", join(hops, id, []byte("x")), "", "", false},
		{"too short", id[:3], "", "", false},
		{"without a number", join(hop, []byte("x")), "", "", false},
		{"nothing", nil, "", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			trace, request, ok := cutTrace(tt.body)
			if string(trace) != tt.trace || string(request) != tt.request || ok != tt.ok {
				t.Errorf("got %q, %q, %v", trace, request, ok)
			}
		})
	}
}

// rawDial returns a connection that has shaken hands.
func rawDial(t *testing.T, url string) net.Conn {
	t.Helper()
	conn, err := net.Dial("unix", strings.TrimPrefix(url, "ipc://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := conn.Write([]byte{0, 'S', 'P', 0, 0, 0x30, 0, 0}); err != nil {
		t.Fatal(err)
	}
	return conn
}

// After a while no more requests are read from a peer that does not read its replies, and
// other peers are still answered.
func TestPeerThatDoesNotRead(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a raw connection to a named pipe needs another client")
	}
	large := make([]byte, 1<<20)
	for _, tt := range []struct {
		name           string
		maxUnsentBytes int64
		least, most    int // replies that are kept
	}{
		{"many replies", maxUnsentBytes, maxUnsent, maxUnsent + 1},
		{"many bytes", 4 << 20, 5, 5 + maxUnsent/4}, // those on their way are not counted yet
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, url := serve(t, answer(func(request []byte, reply func([]byte)) {
				if string(request) == "large" {
					reply(large)
					return
				}
				reply(request)
			}), tt.maxUnsentBytes)
			conn := rawDial(t, url)
			request := append(binary.BigEndian.AppendUint64([]byte{1}, 4+5), 0x80, 0, 0, 1)
			request = append(request, "large"...)
			for range maxUnsent + 10 {
				if _, err := conn.Write(request); err != nil {
					t.Fatal(err)
				}
			}
			other := dial(t, url)
			for s.pendingCount() < tt.least {
				ask(t, other, "x")
			}
			for range 100 {
				if reply := ask(t, other, "x"); reply != "x" {
					t.Errorf("got %q", reply)
				}
			}
			if left := s.pendingCount(); left > tt.most {
				t.Errorf("%d replies are kept for a peer that does not read them", left)
			}
			_ = conn.Close()
			if left := s.Stop(patience); left != 0 {
				t.Errorf("%d requests are left when their peer has gone", left)
			}
		})
	}
}

// A server that stops accepts no more requests, and waits for the others.
func TestStop(t *testing.T) {
	started, release := make(chan struct{}), make(chan struct{})
	s, url := start(t, func(request []byte, reply func([]byte)) {
		close(started)
		<-release
		reply(request)
	})
	sock := dial(t, url)
	if err := sock.Send([]byte("x")); err != nil {
		t.Fatal(err)
	}
	<-started
	if left := s.Stop(0); left != 1 {
		t.Errorf("%d requests are left", left)
	}
	close(release)
	if reply, err := sock.Recv(); err != nil || string(reply) != "x" {
		t.Errorf("got %q, %v", reply, err)
	}
	if s.Begin() {
		t.Error("it takes more")
	}
}
