package rgoipc

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"go.nanomsg.org/mangos/v3"
	"go.nanomsg.org/mangos/v3/protocol/req"
)

// patience is how long a test waits for what must happen. A shorter time would not make
// any test faster.
const patience = 30 * time.Second

// testRegistry has functions that do what their names say. The function
// "wait" tells on started that it runs, and returns once release is closed.
func testRegistry(t *testing.T, started chan<- struct{}, release <-chan struct{}) *Registry {
	t.Helper()
	registry := NewRegistry()
	for name, handler := range map[string]FunctionHandler{
		"echo": func(rec arrow.RecordBatch) (arrow.RecordBatch, error) { rec.Retain(); return rec, nil },
		"none": nothing,
		"fail": func(arrow.RecordBatch) (arrow.RecordBatch, error) { return nil, fmt.Errorf("cannot: %w", io.EOF) },
		"coded": func(arrow.RecordBatch) (arrow.RecordBatch, error) {
			return nil, &Error{Code: CodeNotFound, Message: "no such file"}
		},
		"panic":   func(arrow.RecordBatch) (arrow.RecordBatch, error) { panic("oh no") },
		"invalid": func(arrow.RecordBatch) (arrow.RecordBatch, error) { return nil, errors.New("\xff") },
		"wait": func(arrow.RecordBatch) (arrow.RecordBatch, error) {
			started <- struct{}{}
			<-release
			return nil, nil
		},
	} {
		if err := registry.Register(name, handler, FunctionSignature{}); err != nil {
			t.Fatal(err)
		}
	}
	return registry
}

// serve runs Serve on an ipc socket of its own. The function that it returns
// stops the server and returns Serve's error.
func serve(t *testing.T, registry *Registry, opts ...Option) (url string, stop func() error) {
	t.Helper()
	url = testURL(t)
	ctx, cancel := context.WithCancel(t.Context())
	ready, done := make(chan struct{}), make(chan error, 1)
	opts = append(opts, WithReady(func(string) { close(ready) }))
	go func() { done <- Serve(ctx, url, registry, opts...) }()
	select {
	case <-ready:
	case err := <-done:
		t.Fatalf("Serve() = %v", err)
	}
	stop = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	t.Cleanup(func() { _ = stop() })
	return url, stop
}

func testURL(t *testing.T) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		return "ipc://" + strings.ReplaceAll(t.Name(), "/", "-")
	}
	return "ipc://" + filepath.Join(t.TempDir(), "s.ipc")
}

func dial(t *testing.T, url string) mangos.Socket {
	t.Helper()
	sock, err := req.NewSocket()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sock.Close() })
	for name, value := range map[string]any{
		mangos.OptionRecvDeadline: patience, mangos.OptionSendDeadline: patience,
		mangos.OptionRetryTime: time.Duration(0), mangos.OptionMaxRecvSize: 0,
	} {
		if err := sock.SetOption(name, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := sock.Dial(url); err != nil {
		t.Fatal(err)
	}
	return sock
}

func ask(t *testing.T, sock mangos.Socket, request []byte) *RPCMessage {
	t.Helper()
	if err := sock.Send(request); err != nil {
		t.Fatal(err)
	}
	return answer(t, sock)
}

func answer(t *testing.T, sock mangos.Socket) *RPCMessage {
	t.Helper()
	reply, err := sock.Recv()
	if err != nil {
		t.Fatal(err)
	}
	message, err := UnmarshalRPCMessage(reply)
	if err != nil {
		t.Fatal(err)
	}
	return message
}

func call(name string, payload []byte) []byte {
	return (&RPCMessage{Type: MsgTypeCall, FuncName: name, ArrowData: payload}).Marshal()
}

func TestServeAnswers(t *testing.T) {
	stream, err := WriteArrowRecord(record(t, column{name: "x", values: []float64{1, 2}}))
	if err != nil {
		t.Fatal(err)
	}
	url, stop := serve(t, testRegistry(t, nil, nil))
	sock := dial(t, url)
	tests := []struct {
		name     string
		request  []byte
		wantType uint8
		want     string // the error's text
		wantCode Code
	}{
		{"manifest", make([]byte, 9), MsgTypeManifest, "", ""},
		{"echo", call("echo", stream), MsgTypeResult, "", ""},
		{"no payload, no result", call("none", nil), MsgTypeResult, "", ""},
		{"unknown function", call("nope", nil), MsgTypeError, `there is no function "nope"`, CodeNotFound},
		{"an error", call("fail", nil), MsgTypeError, "cannot: EOF", CodeHandler},
		{"an error with a code", call("coded", nil), MsgTypeError, "no such file", CodeNotFound},
		{"an error that is not UTF-8", call("invalid", nil), MsgTypeError, "\uFFFD", CodeHandler},
		{"a panic", call("panic", nil), MsgTypeError, "oh no", CodePanic},
		{"garbage for Arrow", call("echo", []byte("garbage")), MsgTypeError, "", CodeProtocol},
		{"garbage for an envelope", []byte("?"), MsgTypeError, "invalid message", CodeProtocol},
		{"a type that is not known", append([]byte{99}, make([]byte, 8)...), MsgTypeError, "messages of type 99", CodeProtocol},
		{"a result as a request", append([]byte{2}, make([]byte, 8)...), MsgTypeError, "messages of type 2", CodeProtocol},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			reply := ask(t, sock, tt.request)
			if reply.Type != tt.wantType || !strings.Contains(reply.ErrorMsg, tt.want) {
				t.Fatalf("type %d, error %q; want type %d, error %q", reply.Type, reply.ErrorMsg, tt.wantType, tt.want)
			}
			if reply.Type != MsgTypeError {
				return
			}
			var detail struct {
				Code  Code
				Stack string
			}
			if err := json.Unmarshal(reply.ArrowData, &detail); err != nil || detail.Code != tt.wantCode {
				t.Errorf("detail %s (%v), want code %s", reply.ArrowData, err, tt.wantCode)
			}
			if hasStack := strings.Contains(detail.Stack, "testRegistry"); hasStack != (tt.wantCode == CodePanic) {
				t.Errorf("code %s comes with the stack %q", detail.Code, detail.Stack)
			}
		})
	}
	if err := stop(); err != nil {
		t.Errorf("Serve() = %v", err)
	}
}

func TestServeEchoesARecord(t *testing.T) {
	want := record(t,
		column{name: "x", values: []float64{1, 2}, nulls: []bool{false, true}},
		column{name: "s", values: []string{"a", "\u00e9"}})
	stream, err := WriteArrowRecord(want)
	if err != nil {
		t.Fatal(err)
	}
	url, _ := serve(t, testRegistry(t, nil, nil))
	reply := ask(t, dial(t, url), call("echo", stream))
	got, err := readRecord(nil, reply.ArrowData)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Release()
	if !array.RecordEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A slow function does not hold up others.
func TestServeSlowAndFast(t *testing.T) {
	started, release := make(chan struct{}), make(chan struct{})
	url, _ := serve(t, testRegistry(t, started, release))
	var slow []mangos.Socket
	for range 9 {
		sock := dial(t, url)
		if err := sock.Send(call("wait", nil)); err != nil {
			t.Fatal(err)
		}
		<-started
		slow = append(slow, sock)
	}
	if reply := ask(t, dial(t, url), call("none", nil)); reply.Type != MsgTypeResult {
		t.Errorf("the fast call got %+v", reply)
	}
	close(release)
	for _, sock := range slow {
		if reply := answer(t, sock); reply.Type != MsgTypeResult {
			t.Errorf("a slow call got %+v", reply)
		}
	}
}

func TestServeStopsGracefully(t *testing.T) {
	started, release := make(chan struct{}), make(chan struct{})
	url, stop := serve(t, testRegistry(t, started, release))
	sock := dial(t, url)
	if err := sock.Send(call("wait", nil)); err != nil {
		t.Fatal(err)
	}
	<-started
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	close(release)
	if reply := answer(t, sock); reply.Type != MsgTypeResult {
		t.Errorf("the call that ran got %+v", reply)
	}
	if err := sock.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-stopped; err != nil {
		t.Errorf("Serve() = %v", err)
	}
	if path := strings.TrimPrefix(url, "ipc://"); runtime.GOOS != "windows" {
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the socket file %s is left behind", path)
		}
	}
}

func TestServeGivesUpOnCallsThatRunOn(t *testing.T) {
	started, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	url, stop := serve(t, testRegistry(t, started, release), WithGracePeriod(0))
	if err := dial(t, url).Send(call("wait", nil)); err != nil {
		t.Fatal(err)
	}
	<-started
	if err := stop(); err == nil || !strings.Contains(err.Error(), "1 calls still ran") {
		t.Errorf("Serve() = %v, want an error about the call", err)
	}
}

func TestServeLimitsMessages(t *testing.T) {
	const limit = 2 << 20 // above mangos' own limit of 1 MiB
	url, _ := serve(t, testRegistry(t, nil, nil), WithMaxMessageSize(limit))
	if reply := ask(t, dial(t, url), call("nope", make([]byte, limit-100))); reply.Type != MsgTypeError {
		t.Errorf("a message below the limit got %+v", reply)
	}
	sock := dial(t, url)
	left := make(chan struct{})
	var once sync.Once
	sock.SetPipeEventHook(func(event mangos.PipeEvent, _ mangos.Pipe) {
		if event == mangos.PipeEventDetached {
			once.Do(func() { close(left) })
		}
	})
	if err := sock.Send(call("nope", make([]byte, limit))); err != nil {
		t.Fatal(err)
	}
	select {
	case <-left:
	case <-time.After(patience):
		t.Error("a peer that sends more than the limit stays connected")
	}
}

func TestServeRefuses(t *testing.T) {
	taken, _ := serve(t, testRegistry(t, nil, nil))
	good := testURL(t)
	tests := []struct {
		name string
		url  string
		opts []Option
		want string
	}{
		{"no URL", "nonsense", nil, "cannot listen"},
		{"unknown transport", "smoke://signal", nil, "cannot listen"},
		{"address taken", taken, nil, "address in use"},
		{"no directory", "ipc:///no/such/directory/s.ipc", nil, "cannot listen"},
		{"no calls", good, []Option{WithMaxCalls(0)}, "at least 1"},
		{"message shorter than a header", good, []Option{WithMaxMessageSize(1)}, "out of range"},
		{"negative grace", good, []Option{WithGracePeriod(-1)}, "negative"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := Serve(t.Context(), tt.url, NewRegistry(), tt.opts...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Serve() = %v, want %q in it", err, tt.want)
			}
		})
	}
}

// One hostile client after the other: the server goes on.
func TestServeSurvivesManyClients(t *testing.T) {
	url, _ := serve(t, testRegistry(t, nil, nil), WithMaxCalls(2))
	var wg sync.WaitGroup
	for i := range 8 {
		sock := dial(t, url)
		wg.Go(func() {
			for j := range 50 {
				name := []string{"none", "panic", "fail", "nope"}[(i+j)%4]
				if err := sock.Send(call(name, nil)); err != nil {
					t.Error(err)
					return
				}
				if _, err := sock.Recv(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// TestMain plays the server of TestMainProgram when it is told to, or a process
// that starts it.
func TestMain(m *testing.M) {
	switch os.Getenv("RGOIPC_TEST_MAIN") {
	case "":
		os.Exit(m.Run())
	case "parent":
		playParent()
	default:
		playServer()
	}
}

func playServer() {
	registry := NewRegistry()
	for _, name := range []string{"b", "a"} {
		if err := registry.Register(name, nothing, FunctionSignature{}); err != nil {
			panic(err)
		}
	}
	if err := registerWaiting(registry); err != nil {
		panic(err)
	}
	registry.LeaveOut("c", "it is generic", "", 0)
	registry.LeaveOut("d", "it is generic", "/d.go", 7)
	Main(registry, WithTitle("Test server"))
}

func TestMainProgram(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no signal to send to another process")
	}
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			url := testURL(t)
			program := exec.CommandContext(t.Context(), os.Args[0], url)
			program.Env = append(os.Environ(), "RGOIPC_TEST_MAIN=1")
			program.Stdin = nil // ends at once, which is not a reason to stop
			var stderr strings.Builder
			program.Stderr = &stderr
			out, err := program.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := program.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(out)
			for _, want := range []string{"Registered functions: [b a wait hang]", "Test server listening on " + url} {
				if !lines.Scan() || lines.Text() != want {
					t.Errorf("printed %q, want %q", lines.Text(), want)
				}
			}
			if reply := ask(t, dial(t, url), call("a", nil)); reply.Type != MsgTypeResult {
				t.Errorf("got %+v", reply)
			}
			if err := program.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if err := program.Wait(); err != nil {
				t.Errorf("the program ended with %v", err)
			}
			if want := "left out: c: it is generic\nleft out: d at /d.go:7: it is generic\n"; stderr.String() != want {
				t.Errorf("printed %q to stderr, want %q", stderr.String(), want)
			}
		})
	}
}

func TestMainProgramFails(t *testing.T) {
	tests := []struct {
		name   string
		args   []string
		status int
		want   string
	}{
		{"no URL", nil, 2, "usage: "},
		{"two", []string{"a", "b"}, 2, "usage: "},
		{"bad URL", []string{"nonsense"}, 1, "cannot listen at \"nonsense\""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			program := exec.CommandContext(t.Context(), os.Args[0], tt.args...)
			program.Env = append(os.Environ(), "RGOIPC_TEST_MAIN=1")
			var stderr strings.Builder
			program.Stderr = &stderr
			err := program.Run()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != tt.status || !strings.Contains(stderr.String(), tt.want) {
				t.Errorf("%v, %q; want status %d, %q", err, stderr.String(), tt.status, tt.want)
			}
		})
	}
}

// contexts sends a request n times over one socket.
func contexts(t *testing.T, sock mangos.Socket, n int, request []byte) (lines []mangos.Context) {
	t.Helper()
	for range n {
		line, err := sock.OpenContext()
		if err == nil {
			err = line.Send(request)
		}
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return lines
}

// Calls that go on after they were given up do not block a server. It says which go on, and
// accepts no more calls when there are too many.
func TestServeCallsThatGoOn(t *testing.T) {
	started, release := make(chan struct{}, 100), make(chan struct{})
	defer close(release)
	url, _ := serve(t, testRegistry(t, started, release), WithMaxCalls(2), WithGracePeriod(0))
	sock := dial(t, url)
	for i := range 2 * givenUpPerCall {
		if reply := ask(t, sock, call("none", nil)); reply.Type != MsgTypeResult {
			t.Fatalf("after %d calls got %+v", i, reply)
		}
		begin(t, url, "wait", `{"call_id":"a"}`)
		<-started
		reply := ask(t, sock, cancelMessage("a"))
		want := fmt.Sprintf(`{"max_calls":2,"given_up":{"wait":%d}}`, i+1)
		if reply.Type != MsgTypeResult || reply.FuncName != "" || len(reply.ArrowData) != 0 || reply.ErrorMsg != want {
			t.Errorf("the reply to a cancel is %+v, want %s", reply, want)
		}
	}
	if reply := ask(t, sock, call("none", nil)); codeOf(t, reply) != CodeResourceExhausted || !strings.Contains(reply.ErrorMsg, "8 of `wait()`") {
		t.Errorf("got %+v", reply)
	}
	if reply := ask(t, sock, make([]byte, 9)); reply.Type != MsgTypeManifest {
		t.Errorf("got %+v", reply)
	}
}

// A call whose caller leaves is given up.
func TestServeCallersThatLeave(t *testing.T) {
	started, release := make(chan struct{}, 1), make(chan struct{})
	defer close(release)
	url, _ := serve(t, testRegistry(t, started, release), WithMaxCalls(1), WithGracePeriod(0))
	running := begin(t, url, "wait", "")
	<-started
	waiting := dial(t, url)
	if err := waiting.Send(call("none", nil)); err != nil {
		t.Fatal(err)
	}
	if err := running.Close(); err != nil {
		t.Fatal(err)
	}
	if reply := answer(t, waiting); reply.Type != MsgTypeResult {
		t.Errorf("got %+v", reply)
	}
}

// However many calls wait, the manifest and a cancel are answered. Calls beyond the limit
// are refused at once.
func TestServeManyCalls(t *testing.T) {
	started, release := make(chan struct{}, maxWaiting+1), make(chan struct{})
	url, _ := serve(t, testRegistry(t, started, release), WithMaxCalls(1))
	sock, other := dial(t, url), dial(t, url)
	lines := contexts(t, sock, maxWaiting+400, call("wait", nil))
	refused := make(chan bool, len(lines))
	for _, line := range lines {
		go func() {
			bytes, err := line.Recv()
			if err != nil {
				t.Error(err)
				return
			}
			reply, err := UnmarshalRPCMessage(bytes)
			if err != nil {
				t.Error(err)
				return
			}
			refused <- codeOf(t, reply) == CodeResourceExhausted
		}()
	}
	for range 399 { // one more than the queue holds runs
		if !<-refused {
			t.Error("a call has run")
		}
	}
	for range 10 {
		if reply := ask(t, other, make([]byte, 9)); reply.Type != MsgTypeManifest {
			t.Errorf("got %+v", reply)
		}
	}
	if reply := ask(t, other, cancelMessage("a")); reply.Type != MsgTypeResult || reply.ErrorMsg != `{"max_calls":1,"running":{"wait":1}}` {
		t.Errorf("got %+v", reply)
	}
	reply := ask(t, other, call("none", nil))
	if codeOf(t, reply) != CodeResourceExhausted || !strings.Contains(reply.ErrorMsg, "1 calls (1 of `wait()`) run, and 1024 wait for their turn") {
		t.Errorf("got %+v", reply)
	}
	close(release)
	for range maxWaiting + 1 {
		if <-refused {
			t.Error("a call that waited is refused")
		}
	}
}

// rawDial connects without a handshake.
func rawDial(t *testing.T, url string) net.Conn {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("a raw connection to a named pipe needs another client")
	}
	conn, err := net.Dial("unix", strings.TrimPrefix(url, "ipc://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// A peer that only claims a large message takes no memory, and one that stays silent is
// dropped.
func TestServeHostilePeers(t *testing.T) {
	url, _ := serve(t, testRegistry(t, nil, nil))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	claim := append([]byte{0, 'S', 'P', 0, 0, 0x30, 0, 0, 1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}, make([]byte, 100)...)
	for range 20 {
		if _, err := rawDial(t, url).Write(claim); err != nil {
			t.Fatal(err)
		}
	}
	var silent []net.Conn
	for range 200 {
		silent = append(silent, rawDial(t, url))
	}
	sock := dial(t, url)
	for range 10 {
		if reply := ask(t, sock, call("none", nil)); reply.Type != MsgTypeResult {
			t.Errorf("got %+v", reply)
		}
	}
	for _, conn := range silent[:100] {
		if _, err := io.Copy(io.Discard, conn); err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("a silent peer is not dropped: %v", err)
		}
	}
	runtime.ReadMemStats(&after)
	if taken := after.TotalAlloc - before.TotalAlloc; taken > 100<<20 {
		t.Errorf("%d bytes are taken for what is only claimed", taken)
	}
}
