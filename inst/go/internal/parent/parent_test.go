package parent

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

// The test binary plays a parent and its child when it is told to.
const roleVariable = "PARENT_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "":
		os.Exit(m.Run())
	case "parent":
		playParent()
	case "child":
		playChild(gone)
	case "ticking child":
		playChild(ticking)
	}
}

// playParent starts a child that has its standard output, and lives until its
// standard input ends.
func playParent() {
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), roleVariable+"="+os.Getenv("CHILD_ROLE"), Variable+"="+strconv.Itoa(os.Getpid()))
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	if err := child.Start(); err != nil {
		panic(err)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// playChild says that it is there, and what ended its context.
func playChild(gone func(ctx context.Context, pid int) bool) {
	pid, err := FromEnvironment()
	if err != nil {
		panic(err)
	}
	fmt.Println("watching", pid)
	if gone(context.Background(), pid) {
		fmt.Println("gone")
	}
}

// The child's output ends when it has: it is the last to have it open.
func TestChildEndsAfterParent(t *testing.T) {
	for _, role := range []string{"child", "ticking child"} {
		for name, end := range map[string]func(parent *exec.Cmd, input io.Closer) error{
			"killed":    func(parent *exec.Cmd, _ io.Closer) error { return parent.Process.Kill() },
			"at an end": func(_ *exec.Cmd, input io.Closer) error { return input.Close() },
		} {
			t.Run(role+" "+name, func(t *testing.T) {
				parent := exec.CommandContext(t.Context(), os.Args[0])
				parent.Env = append(os.Environ(), roleVariable+"=parent", "CHILD_ROLE="+role)
				input, err := parent.StdinPipe()
				if err != nil {
					t.Fatal(err)
				}
				// A pipe of our own: that of StdoutPipe is closed by Wait.
				output, write, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				defer output.Close()
				parent.Stdout, parent.Stderr = write, os.Stderr
				if err := errors.Join(parent.Start(), write.Close()); err != nil {
					t.Fatal(err)
				}
				lines := bufio.NewScanner(output)
				if want := fmt.Sprint("watching ", parent.Process.Pid); !lines.Scan() || lines.Text() != want {
					t.Fatalf("the child says %q, want %q", lines.Text(), want)
				}
				if err := end(parent, input); err != nil {
					t.Fatal(err)
				}
				_ = parent.Wait() // killed is an error
				if !lines.Scan() || lines.Text() != "gone" || lines.Scan() {
					t.Errorf("the child says %q", lines.Text())
				}
			})
		}
	}
}

func TestWatch(t *testing.T) {
	ctx, stop := Watch(t.Context(), os.Getppid())
	if ctx.Err() != nil {
		t.Errorf("a parent that lives is gone: %v", context.Cause(ctx))
	}
	stop()
	<-ctx.Done()
	if errors.Is(context.Cause(ctx), ErrGone) {
		t.Error("who stops a watch hears that the parent is gone")
	}

	outer, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ctx, stop = Watch(outer, os.Getpid()) // not the parent
	defer stop()
	<-ctx.Done()
	if !errors.Is(context.Cause(ctx), ErrGone) {
		t.Errorf("the cause is %v", context.Cause(ctx))
	}
}

// All ways to wait end with their context.
func TestGoneStops(t *testing.T) {
	for name, gone := range map[string]func(context.Context, int) bool{"gone": gone, "tick": ticking} {
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan bool)
		go func() { result <- gone(ctx, os.Getppid()) }()
		cancel()
		if <-result {
			t.Errorf("%s says that a parent that lives is gone", name)
		}
	}
}

func TestFromEnvironment(t *testing.T) {
	for _, tt := range []struct {
		value string
		want  int
		bad   bool
	}{
		{"", 0, false},
		{"12", 12, false},
		{"0", 0, true},
		{"-1", 0, true},
		{"R", 0, true},
		{"99999999999999999999", 0, true},
	} {
		t.Setenv(Variable, tt.value)
		got, err := FromEnvironment()
		if got != tt.want || (err != nil) != tt.bad {
			t.Errorf("%q: %d, %v", tt.value, got, err)
		}
		if _, set := os.LookupEnv(Variable); set && tt.want > 0 {
			t.Errorf("%q is left to the children", tt.value)
		}
	}
}
