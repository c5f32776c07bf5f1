package fileserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestStopDoesNotWaitForStalledDownloads(t *testing.T) {
	dir, _ := site(t)
	makeBig(t, dir)
	server := start(t, Config{Dir: dir})
	conn, err := net.Dial("tcp", server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if _, err := conn.Read(make([]byte, 1)); err != nil { // the answer is under way
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := server.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Stop() = %v", err)
	}
	<-server.Done()
	if server.Err() != nil {
		t.Errorf("Err() = %v after a stop", server.Err())
	}
	if err := server.Stop(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the second Stop() = %v", err)
	}
}

func TestContextStops(t *testing.T) {
	dir, _ := site(t)
	ctx, cancel := context.WithCancel(t.Context())
	server, err := Start(ctx, Config{Addr: "127.0.0.1:0", Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	<-server.Done()
	if server.Err() != nil {
		t.Errorf("Err() = %v after the end of the context", server.Err())
	}
	// Another program may listen there by now.
	if answer, err := http.Get(server.URL() + "a.txt"); err == nil {
		defer answer.Body.Close()
		if body, _ := io.ReadAll(answer.Body); string(body) == "0123456789" {
			t.Error("the server still serves")
		}
	}
}

// A server that cannot accept connections any more ends, and says why.
func TestFailure(t *testing.T) {
	dir, _ := site(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	var lines lockedBuffer
	handler, err := New(Config{Dir: dir, Log: log.New(&lines, "", 0)})
	if err != nil {
		t.Fatal(err)
	}
	server := newServer(handler, nil, listener.Addr().String())
	server.run(t.Context(), listener)
	<-server.Done()
	if err := server.Err(); !errors.Is(err, net.ErrClosed) || !strings.Contains(lines.String(), err.Error()) {
		t.Errorf("Err() = %v, the log is\n%s", err, lines.String())
	}
	if err := server.Stop(t.Context()); err != nil {
		t.Errorf("Stop() = %v of a server that has ended", err)
	}
}

func TestStartAndStopLeaveNothing(t *testing.T) {
	dir, _ := site(t)
	before, filesBefore := runtime.NumGoroutine(), openFiles()
	for range 1000 {
		server, err := Start(t.Context(), Config{Addr: "127.0.0.1:0", Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		raw(t, server, "GET", "/a.txt")
		if err := server.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	// What Stop has told to end may take a moment to do so.
	deadline := time.Now().Add(patience)
	for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
		runtime.Gosched()
	}
	if files := openFiles(); files > filesBefore+2 {
		t.Errorf("%d open files before, %d after", filesBefore, files)
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines before, %d after", before, after)
	}
}

// openFiles returns the number of open files, 0 where that cannot be told.
func openFiles() int {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(files)
}

// Many clients that read parts of one file each get theirs.
func TestParallelRanges(t *testing.T) {
	dir, _ := site(t)
	data := make([]byte, 1<<20)
	for i := range data {
		data[i] = byte(i>>8) ^ byte(i)
	}
	write(t, filepath.Join(dir, "big.bin"), string(data))
	server := start(t, Config{Dir: dir})
	transport := &http.Transport{MaxIdleConnsPerHost: 200}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	var readers sync.WaitGroup
	for reader := range 200 {
		readers.Go(func() {
			for round := range 5 {
				start := (reader*7919 + round*104729) % len(data)
				length := min(len(data)-start, 1+reader*997)
				request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL()+"big.bin", nil)
				if err != nil {
					t.Error(err)
					return
				}
				request.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", start, start+length-1))
				answer, err := client.Do(request)
				if err != nil {
					t.Error(err)
					return
				}
				body, err := io.ReadAll(answer.Body)
				_ = answer.Body.Close()
				if err != nil || answer.StatusCode != 206 || !bytes.Equal(body, data[start:start+length]) {
					t.Errorf("%d+%d: %d, %d bytes, %v", start, length, answer.StatusCode, len(body), err)
				}
			}
		})
	}
	readers.Wait()
}
