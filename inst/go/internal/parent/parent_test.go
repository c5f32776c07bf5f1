package parent

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
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
	parent, err := FromEnvironment()
	if err != nil {
		panic(err)
	}
	fmt.Println("watching", parent.PID)
	if gone(context.Background(), parent.PID) {
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
		t.Setenv(DirVariable, "/dir")
		got, err := FromEnvironment()
		if got.PID != tt.want || (got.Dir == "/dir") != (tt.want > 0) || (err != nil) != tt.bad {
			t.Errorf("%q: %+v, %v", tt.value, got, err)
		}
		for _, variable := range []string{Variable, DirVariable} {
			if _, set := os.LookupEnv(variable); set && tt.want > 0 {
				t.Errorf("%s is left to the children", variable)
			}
		}
	}
}

// Nothing is removed that is not what the parent has made for itself, and nothing
// while it lives.
func TestClean(t *testing.T) {
	gone, cancel := context.WithCancelCause(t.Context())
	cancel(ErrGone)
	const name = "mangoro-12ab-34cd"
	make := func(name string, mode os.FileMode) func(t *testing.T, base string) string {
		return func(t *testing.T, base string) string {
			dir := filepath.Join(base, name)
			if err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(filepath.Join(dir, "file"), nil, 0o600), os.Chmod(dir, mode)); err != nil {
				t.Fatal(err)
			}
			return dir
		}
	}
	for _, tt := range []struct {
		name    string
		ctx     context.Context
		make    func(t *testing.T, base string) string
		removed bool
	}{
		{"gone", gone, make(name, 0o700), true},
		{"alive", t.Context(), make(name, 0o700), false},
		{"another name", gone, make("mangoro-12ab", 0o700), false},
		{"a longer name", gone, make(name+"-x", 0o700), false},
		{"others may enter", gone, make(name, 0o755), runtime.GOOS == "windows"},
		{"a link", gone, func(t *testing.T, base string) string {
			link := filepath.Join(base, name)
			if err := os.Symlink(make("other", 0o700)(t, base), link); err != nil {
				t.Skip(err) // Windows asks for a privilege
			}
			return link
		}, false},
		{"a file", gone, func(t *testing.T, base string) string {
			file := filepath.Join(base, name)
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			return file
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := tt.make(t, t.TempDir())
			if err := (Parent{PID: os.Getppid(), Dir: dir}).Clean(tt.ctx); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) != tt.removed {
				t.Errorf("after it: %v", err)
			}
		})
	}
	t.Run("notes", func(t *testing.T) {
		base := t.TempDir()
		dir := make(name, 0o700)(t, base)
		noted := map[string]bool{".new-12ab-34cd": true, "trash-12ab-34cd": true, "new-12ab-34cd": false, ".new-12ab": false}
		for name := range noted {
			path := make(name, 0o700)(t, base)
			if err := os.WriteFile(filepath.Join(dir, "at-"+name), []byte(path+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, "at-x"), []byte("/\n.new-12ab-34cd"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := (Parent{PID: os.Getppid(), Dir: dir}).Clean(gone); err != nil {
			t.Error(err)
		}
		for name, removed := range noted {
			if _, err := os.Stat(filepath.Join(base, name)); errors.Is(err, os.ErrNotExist) != removed {
				t.Errorf("%s after it: %v", name, err)
			}
		}
	})
	for _, dir := range []string{"", name, "/no/such/" + name} {
		if err := (Parent{PID: os.Getppid(), Dir: dir}).Clean(gone); err != nil {
			t.Errorf("%q: %v", dir, err)
		}
	}
}
