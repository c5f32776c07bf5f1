package rgoipc

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"mangoro.local/internal/parent"
)

// registerWaiting adds a function that ends with its context, and one that
// does not end. They print when they are called.
func registerWaiting(registry *Registry) error {
	return errors.Join(
		registry.Func("wait", func(ctx context.Context) error {
			fmt.Println("waiting")
			<-ctx.Done()
			fmt.Println("done")
			return ctx.Err()
		}),
		registry.Func("hang", func() {
			fmt.Println("hanging")
			select {}
		}),
	)
}

// playParent starts the server with its own output, tells its process id, and
// waits to be killed.
func playParent() {
	server := exec.Command(os.Args[0], os.Args[1])
	server.Env = append(os.Environ(), "RGOIPC_TEST_MAIN=server")
	if os.Getenv("RGOIPC_TEST_WATCH") != "" {
		server.Env = append(server.Env, parent.Variable+"="+strconv.Itoa(os.Getpid()))
	}
	server.Stdout, server.Stderr = os.Stdout, os.Stderr
	if err := server.Start(); err != nil {
		panic(err)
	}
	fmt.Println("server", server.Process.Pid)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// family is a server and the process that started it.
type family struct {
	parent *exec.Cmd
	output *os.File       // what both print
	lines  *bufio.Scanner // its lines; they end when both have
	pid    int            // of the server
}

func startFamily(t *testing.T, url string, env ...string) *family {
	t.Helper()
	program := exec.CommandContext(t.Context(), os.Args[0], url)
	program.Env = append(append(os.Environ(), "RGOIPC_TEST_MAIN=parent"), env...)
	if _, err := program.StdinPipe(); err != nil { // the parent lives until this ends
		t.Fatal(err)
	}
	output, write, err := os.Pipe() // that of StdoutPipe is closed by Wait
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = output.Close() })
	program.Stdout, program.Stderr = write, write
	if err := errors.Join(program.Start(), write.Close()); err != nil {
		t.Fatal(err)
	}
	f := &family{parent: program, output: output, lines: bufio.NewScanner(output)}
	for listening := false; f.pid == 0 || !listening; {
		line := f.next(t)
		if text, found := strings.CutPrefix(line, "server "); found {
			if f.pid, err = strconv.Atoi(text); err != nil {
				t.Fatal(err)
			}
		}
		listening = listening || strings.Contains(line, "listening on "+url)
	}
	return f
}

func (f *family) next(t *testing.T) string {
	t.Helper()
	if !f.lines.Scan() {
		t.Fatal("the server has ended")
	}
	return f.lines.Text()
}

func (f *family) kill(t *testing.T) {
	t.Helper()
	if err := f.parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = f.parent.Wait() // killed is an error
}

// rest returns what is printed until the server ends.
func (f *family) rest() string {
	var lines []string
	for f.lines.Scan() {
		lines = append(lines, f.lines.Text())
	}
	return strings.Join(lines, "\n")
}

// A parent that is killed cannot tell its server to stop. The server ends all the same, with
// the calls that run, and removes its socket.
func TestMainEndsWithItsParent(t *testing.T) {
	for _, tt := range []struct{ name, function, says, end string }{
		{"idle", "", "", ""},
		{"a call that ends with its context", "wait", "waiting", "done"},
		{"a call that does not end", "hang", "hanging", "rgoipc: 1 calls still ran 500ms after the server was told to stop"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			url := testURL(t)
			dir := filepath.Join(t.TempDir(), "mangoro-12ab-34cd")
			if err := errors.Join(os.Mkdir(dir, 0o700), os.Mkdir(filepath.Join(dir, "build"), 0o700)); err != nil {
				t.Fatal(err)
			}
			f := startFamily(t, url, "RGOIPC_TEST_WATCH=1", parent.DirVariable+"="+dir)
			if tt.function != "" {
				sock := dial(t, url)
				if err := sock.Send(call(tt.function, nil)); err != nil {
					t.Fatal(err)
				}
				if got := f.next(t); got != tt.says {
					t.Fatalf("it says %q", got)
				}
			}
			f.kill(t)
			if got := f.rest(); got != tt.end {
				t.Errorf("it ends with %q", got)
			}
			if file, ipc := strings.CutPrefix(url, "ipc:///"); ipc {
				if _, err := os.Stat("/" + file); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("its socket is left: %v", err)
				}
			}
			if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the directory of its parent is left: %v", err)
			}
		})
	}
}

// The server removes its socket even if its output is not read any more.
func TestMainEndsWithoutReaders(t *testing.T) {
	url := testURL(t)
	f := startFamily(t, url, "RGOIPC_TEST_WATCH=1")
	sock := dial(t, url)
	if err := sock.Send(call("wait", nil)); err != nil {
		t.Fatal(err)
	}
	if got := f.next(t); got != "waiting" {
		t.Fatalf("it says %q", got)
	}
	if err := f.output.Close(); err != nil {
		t.Fatal(err)
	}
	f.kill(t)
	if got := answer(t, sock); got.Type != MsgTypeError { // after it has printed in vain
		t.Errorf("got %+v", got)
	}
}

// Without MANGORO_PARENT a server lives on.
func TestMainSurvivesItsParent(t *testing.T) {
	url := testURL(t)
	f := startFamily(t, url)
	f.kill(t)
	if reply := ask(t, dial(t, url), call("a", nil)); reply.Type != MsgTypeResult {
		t.Errorf("got %+v", reply)
	}
	server, err := os.FindProcess(f.pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	if got := f.rest(); got != "" {
		t.Errorf("it says %q", got)
	}
}

func TestMainRefusesAParent(t *testing.T) {
	program := exec.CommandContext(t.Context(), os.Args[0], testURL(t))
	program.Env = append(os.Environ(), "RGOIPC_TEST_MAIN=server", parent.Variable+"=R")
	out, err := program.CombinedOutput()
	var exit *exec.ExitError
	if want := `MANGORO_PARENT must be the id of a process, not "R"`; !errors.As(err, &exit) || exit.ExitCode() != 2 || strings.TrimSpace(string(out)) != want {
		t.Errorf("%v, %s", err, out)
	}
}
