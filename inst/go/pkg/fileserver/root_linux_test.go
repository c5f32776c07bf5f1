package fileserver

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// What replaces the directory is served in its place, whatever happens to it.
func TestTheRootIsFollowed(t *testing.T) {
	dir, outside := site(t)
	server := start(t, Config{Dir: dir})
	expect := func(what string, status int, body string) {
		t.Helper()
		if got, _, text := raw(t, server, "GET", "/a.txt"); got != status || status == 200 && text != body {
			t.Errorf("%s: %d %q", what, got, text)
		}
	}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	expect("at first", 200, "0123456789")
	check(os.RemoveAll(dir))
	expect("removed", 404, "")
	if !server.Stats()[0].Missing {
		t.Error("nothing tells that the directory is missing")
	}
	write(t, filepath.Join(dir, "a.txt"), "anew")
	expect("made anew", 200, "anew")
	check(os.Rename(dir, dir+".old"))
	write(t, filepath.Join(dir+".next", "a.txt"), "renamed")
	check(os.Rename(dir+".next", dir))
	expect("renamed over", 200, "renamed")
	check(os.RemoveAll(dir))
	check(os.Symlink(filepath.Base(dir)+".old", dir))
	expect("a link", 200, "anew")
	write(t, filepath.Join(dir+".v2", "a.txt"), "v2")
	check(os.Symlink(dir+".v2", dir+".link"))
	check(os.Rename(dir+".link", dir))
	expect("another link", 200, "v2")
	check(os.Remove(dir))
	check(os.Symlink(outside, dir))
	expect("a file", 404, "")
	if server.Stats()[0].Missing == false {
		t.Error("a file passes for the directory")
	}
	check(os.Remove(dir))
	check(os.Rename(dir+".v2", dir))
	expect("back", 200, "v2")
}

// A directory that is swung from one version to the other gives files of one or the other.
func TestTheRootIsSwung(t *testing.T) {
	top := t.TempDir()
	for _, version := range []string{"v1", "v2"} {
		write(t, filepath.Join(top, version, "a.txt"), strings.Repeat(version, 1000))
	}
	current := filepath.Join(top, "current")
	if err := os.Symlink("v1", current); err != nil {
		t.Fatal(err)
	}
	server := start(t, Config{Dir: current})
	var done atomic.Bool
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for !done.Load() {
				status, _, body := raw(t, server, "GET", "/a.txt")
				if status != 200 || body != strings.Repeat("v1", 1000) && body != strings.Repeat("v2", 1000) {
					t.Errorf("%d, %d bytes", status, len(body))
					return
				}
			}
		})
	}
	for i := range 500 {
		next := filepath.Join(top, "next")
		if err := errors.Join(os.Symlink(fmt.Sprintf("v%d", i%2+1), next), os.Rename(next, current)); err != nil {
			t.Fatal(err)
		}
	}
	done.Store(true)
	readers.Wait()
}

// A link that is flipped between a file and a secret, or the outside, never gives those.
func TestFlippedLinks(t *testing.T) {
	for _, fallback := range []bool{false, true} {
		t.Run(fmt.Sprint("without openat2: ", fallback), func(t *testing.T) {
			noOpenat2.Store(fallback)
			defer noOpenat2.Store(false)
			dir, outside := site(t)
			write(t, filepath.Join(dir, ".env"), "secret")
			write(t, filepath.Join(dir, "real", "x.txt"), "0123456789")
			write(t, filepath.Join(dir, ".git", "x.txt"), "secret")
			write(t, filepath.Join(filepath.Dir(dir), "x.txt"), "secret")
			r, err := newRoot(dir, new(Config).hider("/"))
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			var done atomic.Bool
			var readers sync.WaitGroup
			for _, name := range []string{"flip", "flipdir/x.txt"} {
				readers.Go(func() {
					buffer := make([]byte, 16)
					for !done.Load() {
						f, err := r.open(name)
						if errors.Is(err, fs.ErrNotExist) {
							continue
						}
						if err != nil {
							t.Errorf("%s: %v", name, err)
							return
						}
						n, err := f.readAt(buffer, 0)
						f.Close()
						if err != nil || string(buffer[:n]) != "0123456789" {
							t.Errorf("%s: %q, %v", name, buffer[:n], err)
							return
						}
					}
				})
			}
			targets := map[string][]string{
				"flip":    {"a.txt", outside, ".env", "../secret.txt"},
				"flipdir": {"real", ".git", "..", filepath.Dir(dir)},
			}
			for i := range 500 {
				for name, to := range targets {
					next := filepath.Join(dir, "next")
					if err := errors.Join(os.Symlink(to[i%len(to)], next), os.Rename(next, filepath.Join(dir, name))); err != nil {
						t.Error(err)
					}
				}
			}
			done.Store(true)
			readers.Wait()
		})
	}
}

// Everything else holds where the kernel has no openat2.
func TestWithoutOpenat2(t *testing.T) {
	noOpenat2.Store(true)
	defer noOpenat2.Store(false)
	t.Run("outside", TestNothingFromOutside)
	t.Run("serve", TestServe)
	t.Run("secrets", TestSecretsAreNotServed)
}
