package transport

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.nanomsg.org/mangos/v3"
	"go.nanomsg.org/mangos/v3/protocol"
	"go.nanomsg.org/mangos/v3/protocol/rep"
	"go.nanomsg.org/mangos/v3/protocol/req"
	_ "go.nanomsg.org/mangos/v3/transport/tcp"
)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

var (
	repProto = mangos.ProtocolInfo{Self: protocol.ProtoRep, Peer: protocol.ProtoReq}
	reqProto = mangos.ProtocolInfo{Self: protocol.ProtoReq, Peer: protocol.ProtoRep}
)

// fakeListener accepts the connections and errors of a channel.
type fakeListener struct {
	accept chan any
	closed chan struct{}
}

func newFakeListener() *fakeListener {
	return &fakeListener{accept: make(chan any), closed: make(chan struct{})}
}

func (l *fakeListener) Accept() (net.Conn, error) {
	select {
	case what := <-l.accept:
		if err, ok := what.(error); ok {
			return nil, err
		}
		return what.(net.Conn), nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *fakeListener) Close() error   { close(l.closed); return nil }
func (l *fakeListener) Addr() net.Addr { return &net.UnixAddr{Name: "fake", Net: "unix"} }

// startFake returns a listener that accepts what it is given.
func startFake(t *testing.T, limits limits) (*listener, *fakeListener) {
	t.Helper()
	fake := newFakeListener()
	l := newListener("ipc", "fake", repProto, limits)
	l.bound = fake
	go l.acceptAll(fake)
	t.Cleanup(func() { _ = l.Close() })
	return l, fake
}

// connect returns the peer's end of a new connection.
func connect(t *testing.T, fake *fakeListener) net.Conn {
	t.Helper()
	ours, theirs := net.Pipe()
	t.Cleanup(func() { _ = theirs.Close() })
	if err := theirs.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	fake.accept <- ours
	return theirs
}

// shake does the peer's part of a handshake.
func shake(conn net.Conn) error {
	var ours [8]byte
	if _, err := io.ReadFull(conn, ours[:]); err != nil {
		return err
	}
	_, err := conn.Write(header(reqProto.Self))
	return err
}

// isClosed waits until the other end has closed a connection.
func isClosed(t *testing.T, conn net.Conn) {
	t.Helper()
	_, err := io.Copy(io.Discard, conn)
	if err != nil && !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("the connection is not closed: %v", err)
	}
}

func TestWhoDoesNotShakeHandsIsDropped(t *testing.T) {
	_, fake := startFake(t, limits{10, 10, time.Millisecond})
	isClosed(t, connect(t, fake)) // says nothing
	trickling := connect(t, fake)
	go func() { _, _ = trickling.Write([]byte{0}) }()
	isClosed(t, trickling)
}

func TestHandshakesOfOthersAreRefused(t *testing.T) {
	for name, bytes := range map[string][]byte{
		"HTTP":           []byte("GET / HT"),
		"another one":    {0, 'S', 'P', 0, 0, 0x10, 0, 0},
		"a version 1":    {0, 'S', 'P', 1, 0, 0x30, 0, 0},
		"reserved bytes": {0, 'S', 'P', 0, 0, 0x30, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			_, fake := startFake(t, limits{10, 10, patience})
			conn := connect(t, fake)
			go func() { _, _ = conn.Write(bytes) }()
			isClosed(t, conn)
		})
	}
}

// Who shakes hands gets in, however many do not.
func TestSilentPeersAreNoObstacle(t *testing.T) {
	l, fake := startFake(t, limits{20, 3, time.Hour})
	var silent []net.Conn
	for range 10 {
		silent = append(silent, connect(t, fake))
	}
	for _, conn := range silent[:7] {
		isClosed(t, conn)
	}
	if err := shake(connect(t, fake)); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Accept(); err != nil {
		t.Fatal(err)
	}
	isClosed(t, silent[7]) // the oldest of those that are left
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	isClosed(t, silent[8])
	isClosed(t, silent[9])
	if l.open != 1 || len(l.shaking) != 0 {
		t.Errorf("%d connections, %d of them shake hands", l.open, len(l.shaking))
	}
}

// A connection beyond the limit is closed at once, until there is room.
func TestConnectionsAreLimited(t *testing.T) {
	l, fake := startFake(t, limits{2, 2, time.Hour})
	pipes := make([]mangos.TranPipe, 2)
	for i := range pipes {
		if err := shake(connect(t, fake)); err != nil {
			t.Fatal(err)
		}
		var err error
		if pipes[i], err = l.Accept(); err != nil {
			t.Fatal(err)
		}
	}
	isClosed(t, connect(t, fake))
	for range 2 { // to close a connection twice frees one place
		if err := pipes[0].Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := shake(connect(t, fake)); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Accept(); err != nil {
		t.Fatal(err)
	}
	isClosed(t, connect(t, fake))
}

// Without file descriptors the silent peers go first; and it is not tried again
// and again, but there is an end to the pauses.
func TestAcceptFails(t *testing.T) {
	l, fake := startFake(t, limits{10, 10, time.Hour})
	silent := []net.Conn{connect(t, fake), connect(t, fake)}
	tooMany := errors.New("too many open files")
	for _, conn := range silent {
		fake.accept <- tooMany
		isClosed(t, conn)
	}
	started := time.Now()
	for range 4 {
		fake.accept <- tooMany
	}
	if err := shake(connect(t, fake)); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Accept(); err != nil {
		t.Fatal(err)
	}
	if passed := time.Since(started); passed < 15*firstPause {
		t.Errorf("4 failures took %v: there is no pause", passed)
	}
}

// A pause ends with the listener.
func TestCloseWhileAcceptFails(t *testing.T) {
	l, fake := startFake(t, limits{10, 10, time.Hour})
	fake.accept <- errors.New("too many open files")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Accept(); err != mangos.ErrClosed {
		t.Errorf("got %v", err)
	}
	if err := l.Close(); err != nil {
		t.Errorf("the second time: %v", err)
	}
	if err := l.Listen(); err != mangos.ErrClosed {
		t.Errorf("got %v", err)
	}
}

// countingReader reads what is there, and then fails.
type countingReader struct{ left int }

func (r *countingReader) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n := min(len(p), r.left)
	r.left -= n
	return n, nil
}

// However much is claimed, the memory that is taken goes by what has arrived.
func TestMemoryIsTakenAsBytesArrive(t *testing.T) {
	const claimed = 4 << 30
	for _, arrived := range []int{0, 1, 100, firstSize - 1, firstSize, firstSize + 1, 5 << 20} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		body, err := readBody(&countingReader{arrived}, min(claimed, maxInt), firstSize)
		runtime.ReadMemStats(&after)
		if body != nil || err == nil {
			t.Fatalf("%d bytes of %d are a message: %v", arrived, claimed, err)
		}
		// All that has been allocated on the way, of which most is garbage by then.
		if taken, limit := after.TotalAlloc-before.TotalAlloc, uint64(firstSize+growth*arrived*8/7+1<<20); taken > limit {
			t.Errorf("%d bytes for %d that have arrived", taken, arrived)
		}
	}
}

func TestReadBody(t *testing.T) {
	random := rand.NewChaCha8([32]byte{1})
	for _, size := range []int{0, 1, firstSize - 1, firstSize, firstSize + 1, growth * firstSize, growth*firstSize + 1, 20 << 20} {
		sent := make([]byte, size)
		_, _ = random.Read(sent)
		for _, first := range []int{firstSize, size + 1} {
			if got, err := readBody(bytes.NewReader(sent), size, first); err != nil || !bytes.Equal(got, sent) || cap(got) != size {
				t.Errorf("%d bytes came as %d (%d), %v", size, len(got), cap(got), err)
			}
		}
	}
}

// frame returns a message as it is sent over ipc.
func frame(claimed uint64, body string) []byte {
	return append(binary.BigEndian.AppendUint64([]byte{1}, claimed), body...)
}

func TestRecv(t *testing.T) {
	tests := []struct {
		name string
		sent []byte
		want string // "" is an error
	}{
		{"a message", frame(5, "hello"), "hello"},
		{"its beginning", frame(6, "hello"), ""},
		{"half a length", frame(5, "hello")[:5], ""},
		{"another first byte", append([]byte{2}, frame(5, "hello")[1:]...), ""},
		{"the longest", frame(100, strings.Repeat("x", 100)), strings.Repeat("x", 100)},
		{"too long", frame(101, strings.Repeat("x", 101)), ""},
		{"a negative length", frame(1<<63, "hello"), ""},
		{"nothing", nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ours, theirs := net.Pipe()
			go func() {
				_, _ = theirs.Write(tt.sent)
				_ = theirs.Close()
			}()
			p := newPipe(ours, true, 100, func() {})
			message, err := p.Recv()
			_ = p.Close()
			if (err != nil) != (tt.want == "") || err == nil && string(message.Body) != tt.want {
				t.Errorf("got %v, %v", message, err)
			}
		})
	}
}

// url returns an address of a test.
func url(t *testing.T, scheme string) string {
	t.Helper()
	switch {
	case scheme == "tcp":
		return "tcp://127.0.0.1:0"
	case runtime.GOOS == "windows":
		return "ipc://" + strings.ReplaceAll(t.Name(), "/", "-")
	default:
		return "ipc://" + filepath.Join(t.TempDir(), "s.ipc")
	}
}

// newSocket returns a socket that lives as long as the test.
func newSocket(t *testing.T, make func() (mangos.Socket, error)) mangos.Socket {
	t.Helper()
	sock, err := make()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sock.Close() })
	for name, value := range map[string]any{
		mangos.OptionRecvDeadline: patience, mangos.OptionSendDeadline: patience, mangos.OptionMaxRecvSize: 0,
	} {
		if err := sock.SetOption(name, value); err != nil {
			t.Fatal(err)
		}
	}
	return sock
}

// Our pipes and mangos' own understand each other, messages of all sizes.
func TestMangosUnderstands(t *testing.T) {
	for _, scheme := range []string{"ipc", "tcp"} {
		t.Run(scheme, func(t *testing.T) {
			server := newSocket(t, rep.NewSocket)
			l, err := NewListener(server, url(t, scheme))
			if err != nil {
				t.Fatal(err)
			}
			if err := l.Listen(); err != nil {
				t.Fatal(err)
			}
			client := newSocket(t, req.NewSocket)
			if err := client.Dial(l.Address()); err != nil {
				t.Fatal(err)
			}
			var echo sync.WaitGroup
			sizes := []int{0, 1, bufferSize, firstSize + 1, 3 << 20, 5}
			echo.Go(func() {
				for range sizes {
					message, err := server.Recv()
					if err == nil {
						err = server.Send(message)
					}
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
			for _, size := range sizes {
				sent := bytes.Repeat([]byte{byte(size), 7}, size)
				if err := client.Send(sent); err != nil {
					t.Fatal(err)
				}
				if got, err := client.Recv(); err != nil || !bytes.Equal(got, sent) {
					t.Errorf("%d bytes came back as %d, %v", len(sent), len(got), err)
				}
			}
			echo.Wait()
		})
	}
}

func TestNewListenerRefuses(t *testing.T) {
	for _, url := range []string{"nonsense", "smoke://signal", "", "ws://127.0.0.1:0", "tcp://127.0.0.1:port"} {
		if _, err := NewListener(newSocket(t, rep.NewSocket), url); err == nil {
			t.Errorf("%q is fine", url)
		}
	}
	if err := newSocket(t, req.NewSocket).Dial(prefix + "ipc://x"); err != mangos.ErrBadTran {
		t.Errorf("Dial() = %v", err)
	}
}

// A file of a server that is gone is replaced, and none that is somebody's.
func TestListenReplacesStaleFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the pipes of Windows are no files")
	}
	path := filepath.Join(t.TempDir(), "s.ipc")
	listenAt := func(path string) (mangos.Listener, error) {
		l, err := NewListener(newSocket(t, rep.NewSocket), "ipc://"+path)
		if err != nil {
			t.Fatal(err)
		}
		return l, l.Listen()
	}
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	if err := stale.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := listenAt(path)
	if err != nil {
		t.Fatalf("a stale file is not replaced: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("the file is %v, %v", info, err)
	}
	if _, err := listenAt(path); err != mangos.ErrAddrInUse {
		t.Errorf("the address of another one: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file is left behind: %v", err)
	}
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := listenAt(path); err == nil {
		t.Error("somebody's file is replaced")
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "mine" {
		t.Errorf("the file has %q, %v", text, err)
	}
}
