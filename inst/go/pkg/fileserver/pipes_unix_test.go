//go:build unix

package fileserver

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A pipe that nobody writes to must not hold up the request.
func TestPipesAreNotFound(t *testing.T) {
	dir, _ := site(t)
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Skip("no pipes here:", err)
	}
	server := start(t, Config{Dir: dir})
	if status, _, _ := raw(t, server, "GET", "/pipe"); status != 404 {
		t.Errorf("GET /pipe: %d", status)
	}
	if _, _, listing := raw(t, server, "GET", "/"); strings.Contains(listing, "pipe") {
		t.Errorf("the listing shows the pipe:\n%s", listing)
	}
}

func makePipe(path string) error { return syscall.Mkfifo(path, 0o600) }
