package fileserver

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
)

// The connections of a server can send files by the kernel.
func TestWatchedConnectionsCopyFiles(t *testing.T) {
	var conn net.Conn = new(watchedConn)
	if _, ok := conn.(io.ReaderFrom); !ok {
		t.Error("a connection cannot send files by the kernel")
	}
	var w http.ResponseWriter = new(answer)
	if _, ok := w.(io.ReaderFrom); !ok {
		t.Error("an answer cannot")
	}
}

// A reader that makes progress, however slow, is served; one that makes none is not.
func TestStalledReaders(t *testing.T) {
	dir, _ := site(t)
	makeBig(t, dir)
	server := start(t, Config{Dir: dir})
	conn, err := net.Dial("tcp", server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n")
	in := bufio.NewReader(conn)
	if _, err := in.Discard(1); err != nil {
		t.Fatal(err)
	}
	idle, err := net.Dial("tcp", server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	fmt.Fprintf(idle, "GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n")
	readAnswer(t, bufio.NewReader(idle))

	watched := server.watched.Load()
	open := func() int { return watched.count() }
	now := time.Now()
	step := func(d time.Duration) {
		now = now.Add(d)
		watched.look(now)
	}
	step(time.Second)
	for range 3 {
		before := busyConn(t, watched).acknowledged()
		deadline := time.Now().Add(patience)
		for busyConn(t, watched).acknowledged() == before {
			if _, err := io.CopyN(io.Discard, in, 1<<20); err != nil {
				t.Fatal(err)
			}
			if time.Now().After(deadline) {
				t.Fatal("no progress shows")
			}
		}
		step(stallTime - time.Second)
		if open() != 2 {
			t.Fatal("a reader that makes progress is cut off")
		}
	}
	// What is on its way to a reader that has stopped may still arrive.
	for last := uint64(0); last != busyConn(t, watched).acknowledged(); {
		last = busyConn(t, watched).acknowledged()
		step(time.Second)
	}
	step(time.Second)
	step(stallTime + time.Second)
	if n, err := io.Copy(io.Discard, in); err == nil && n >= 1<<29 {
		t.Error("a reader that has stopped is not cut off")
	}
	if _, err := idle.Write([]byte("GET /a.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(idle); err != nil || !strings.HasSuffix(string(answer), "0123456789") {
		t.Errorf("an idle connection is cut off: %q, %v", answer, err)
	}
}

func readAnswer(t *testing.T, in *bufio.Reader) {
	t.Helper()
	answer, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		t.Fatal(err)
	}
}

func anyBusy(w *watcher) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.open {
		if c.busy.Load() {
			return true
		}
	}
	return false
}

func busyConn(t *testing.T, w *watcher) *watchedConn {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.open {
		if c.busy.Load() {
			return c
		}
	}
	t.Fatal("no connection is busy")
	return nil
}

// Beyond the limit idle connections make room, and if there are none, new ones are turned away.
func TestLimitOfConnections(t *testing.T) {
	dir, _ := site(t)
	makeBig(t, dir)
	var lines lockedBuffer
	server := start(t, Config{Dir: dir, MaxConns: 3, Log: log.New(&lines, "", 0)})
	dial := func(target string) (net.Conn, *bufio.Reader) {
		t.Helper()
		conn, err := net.Dial("tcp", server.Addr())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", target)
		in := bufio.NewReader(conn)
		if _, err := in.Peek(12); err != nil {
			t.Fatal(err)
		}
		return conn, in
	}
	_, idle := dial("/a.txt")
	readAnswer(t, idle)
	// The state of a connection is told a moment after its answer.
	for deadline := time.Now().Add(patience); anyBusy(server.watched.Load()) && time.Now().Before(deadline); {
		runtime.Gosched()
	}
	for range 3 {
		dial("/big")
	}
	// Those that were idle have made room.
	if _, err := idle.ReadByte(); err == nil {
		t.Error("the idle connection is still open")
	}
	_, refused := dial("/a.txt")
	answer, err := http.ReadResponse(refused, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if err != nil || answer.StatusCode != 503 || string(body) != "503 too many connections\n" {
		t.Errorf("%d %q, %v", answer.StatusCode, body, err)
	}
	if strings.Count(lines.String(), "3 connections are open") != 1 {
		t.Errorf("the log is\n%s", lines.String())
	}
	if server.Connections() > 3 {
		t.Errorf("%d connections", server.Connections())
	}
}

func TestMaxConns(t *testing.T) {
	if got := (&Config{MaxConns: 5}).maxConns(); got != 5 {
		t.Errorf("%d", got)
	}
	if got := (&Config{}).maxConns(); got < 1 || got > defaultMaxConns {
		t.Errorf("%d", got)
	}
}
