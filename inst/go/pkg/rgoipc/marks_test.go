package rgoipc

import (
	"io"
	"log"
	"log/slog"
	"os"
	"strings"
	"testing"
)

// piped returns a file to write to, and a function that closes it and returns what was written.
func piped(t *testing.T) (*os.File, func() string) {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	return write, func() string {
		_ = write.Close()
		text, err := io.ReadAll(read)
		if err != nil {
			t.Error(err)
		}
		return string(text)
	}
}

func TestMarking(t *testing.T) {
	stdout, printed := piped(t)
	stderr, logged := piped(t)
	logger := log.New(&marking{stdout: stdout, stderr: stderr}, "", 0)
	_, _ = stdout.WriteString("a\n")
	logger.Print("b")
	slog.New(slog.NewTextHandler(logger.Writer(), nil)).Info("c")
	_, _ = stdout.WriteString("d\n")
	if got, want := printed(), "a\n"+mark+mark+"d\n"; got != want {
		t.Errorf("standard output has %q, not %q", got, want)
	}
	got := logged()
	if !strings.HasPrefix(got, mark+"b\n"+mark) || !strings.HasSuffix(got, "msg=c\n") || strings.Count(got, mark) != 2 {
		t.Errorf("standard error has %q", got)
	}
}

func TestMarkingWithoutStandardOutput(t *testing.T) {
	stdout, printed := piped(t)
	stderr, logged := piped(t)
	printed()
	n, err := (&marking{stdout: stdout, stderr: stderr}).Write([]byte("line\n"))
	if got := logged(); n != 5 || err != nil || got != "line\n" {
		t.Errorf("%d bytes of %q are written: %v", n, got, err)
	}
}

func TestMarkLog(t *testing.T) {
	old := log.Writer()
	t.Cleanup(func() { log.SetOutput(old) })
	log.SetOutput(io.Discard)
	if markLog(); log.Writer() != io.Discard {
		t.Error("a writer of the program's own is replaced")
	}
	log.SetOutput(os.Stderr)
	if markLog(); log.Writer() == io.Writer(os.Stderr) {
		t.Error("package log has no marks")
	}
}
