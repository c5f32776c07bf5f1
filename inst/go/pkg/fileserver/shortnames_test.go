package fileserver

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestIsShortName(t *testing.T) {
	for _, name := range []string{"ENV~1", "GIT~1", "RENVIR~1", "env~1", "ID_ED2~1", "A1B2C3~10.PEM", "X~1.", "a~2.x"} {
		if want := name != "A1B2C3~10.PEM"; isShortName(name) != want {
			t.Errorf("%q is a short name: %v", name, !want)
		}
	}
	for _, name := range []string{"", "~", "~1", "a~", "a~b", "env~1x", "a.txt~", "a.txt~1", "abcdefgh~1", "a~1.html", ".~1", "a"} {
		if isShortName(name) {
			t.Errorf("%q is a short name", name)
		}
	}
}

// A name that looks like a second one is served if its directory lists it, and only then.
func TestShortNames(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("names with a tilde are not served")
	}
	dir, _ := site(t)
	write(t, filepath.Join(dir, "A~1"), "first")
	write(t, filepath.Join(dir, "D~1", "B~2.TXT"), "second")
	if err := os.Symlink("D~1", filepath.Join(dir, "link")); err != nil {
		t.Skip(err)
	}
	server := start(t, Config{Dir: dir})
	for target, want := range map[string]string{"/A~1": "first", "/D~1/B~2.TXT": "second", "/link/B~2.TXT": "second"} {
		if status, _, body := raw(t, server, "GET", target); status != 200 || body != want {
			t.Errorf("%s: %d %q", target, status, body)
		}
	}
	tree, err := server.handler.mounts[0].root.current.tree(dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"A~1": false, "D~1/B~2.TXT": false, "D~1": false, "a.txt": false, "sub/x~y": false,
		"ENV~1": true, "D~1/ENV~1": true, "NO~1/a.txt": true, "GIT~1/config/x": true,
	} {
		if got := tree.isAlias(name); got != want {
			t.Errorf("%s is an alias: %v", name, got)
		}
	}
}
