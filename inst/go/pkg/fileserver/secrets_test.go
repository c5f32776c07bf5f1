package fileserver

import (
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// examples returns a name for each entry of the table.
func examples() (names []string) {
	for _, name := range secretNames {
		names = append(names, strings.ReplaceAll(name, "*", "x"))
	}
	return names
}

func TestIsSecret(t *testing.T) {
	for _, name := range examples() {
		for _, variant := range []string{
			name, strings.ToUpper(name), strings.ToLower(name), name + "~", name + ".bak", "#" + name + "#", name + ".OLD",
			name + ".", name + " . ", name + ":$DATA", name + "~.", "\u200d" + name, name[:2] + "\u00ad" + name[2:], strings.ReplaceAll(name, "s", "\u017f"), strings.ReplaceAll(name, "ss", "\u00df"),
			strings.ReplaceAll(strings.ToUpper(name), "K", "\u212a"), strings.ReplaceAll(name, "st", "\ufb06"),
		} {
			if !isSecret(variant) {
				t.Errorf("%q is no secret", variant)
			}
		}
	}
	for _, name := range []string{
		"", "a.txt", ".Rbuildignore", "..Rcheck", "git", "env", "x.RData", "id_rsa.pub", "index.html", "keys.csv", "a.pem.txt", "pem", "key",
		".gitignore", ".well-known", ".github", "environment.yml", "monkey", "~", "#", ".", "x~", "i", ":", ":.env", "a:b", "...", " ", "\u200d", "stra\u00dfe.csv", "12:30.txt", "\xff.txt",
	} {
		if isSecret(name) {
			t.Errorf("%q is a secret", name)
		}
	}
	if !isSecret(".id_rsa.swp") || !isSecret(".env.swp") {
		t.Error("the copies of vim are no secrets")
	}
	names := SecretNames()
	names[0] = "changed"
	if SecretNames()[0] == "changed" {
		t.Error("the table can be changed")
	}
}

func TestSecretsAreNotServed(t *testing.T) {
	dir, _ := site(t)
	for _, name := range examples() {
		write(t, filepath.Join(dir, name), "SECRET")
		write(t, filepath.Join(dir, "folder", name, "config"), "SECRET")
	}
	links := os.Symlink(".env", filepath.Join(dir, "link.txt")) == nil
	if links {
		if err := os.Symlink(filepath.Join("folder", ".git"), filepath.Join(dir, "linked")); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("../.env", filepath.Join(dir, "sub", "index.html")); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(".env", filepath.Join(dir, "404.html")); err != nil {
			t.Fatal(err)
		}
	}
	server := start(t, Config{Dir: dir})
	missing, _, missingBody := raw(t, server, "GET", "/nothing")
	targets := []string{
		"/%2eenv", "/.ENV", "//.env", "/.env/", "/%2egit/config", "/folder/.git", "/folder/.git/", "/folder//.git//config", "/sub/../.env",
		"/link.txt", "/linked/config", "/linked", "/linked/", "/.git/../a.txt", "/sub/index.html",
	}
	for _, name := range examples() {
		escaped := (&url.URL{Path: name}).EscapedPath()
		targets = append(targets, "/"+escaped, "/"+escaped+"/", "/folder/"+escaped, "/folder/"+escaped+"/", "/folder/"+escaped+"/config")
	}
	for _, target := range targets {
		status, header, body := raw(t, server, "GET", target)
		if status != missing || body != missingBody || header.Get("Location") != "" {
			t.Errorf("GET %s: %d %q", target, status, body)
		}
	}
	for _, target := range []string{"/", "/folder/", "/sub/"} {
		_, _, listing := raw(t, server, "GET", target)
		for _, name := range append(examples(), "link.txt", "linked", "SECRET") {
			if strings.Contains(listing, `"`+name) {
				t.Errorf("the listing of %s shows %s", target, name)
			}
		}
	}

	allowed := start(t, Config{Dir: dir, Prefix: "p", Allow: []string{".env", "/p/folder/.git/config"}})
	for target, want := range map[string]int{
		"/p/.env": 200, "/p/folder/.git/config": 200, "/p/folder/.git/": 404, "/p/folder/.hg/config": 404, "/p/.ENV": 404,
		"/p/folder/.env/config": 404,
	} {
		if runtime.GOOS != "linux" && target == "/p/.ENV" {
			continue
		}
		if status, _, _ := raw(t, allowed, "GET", target); status != want {
			t.Errorf("allowed: GET %s: %d", target, status)
		}
	}
}

func TestHideDots(t *testing.T) {
	dir, _ := site(t)
	write(t, filepath.Join(dir, ".well-known", "x.txt"), "known")
	write(t, filepath.Join(dir, ".config", "x.txt"), "config")
	server := start(t, Config{Dir: dir, HideDots: true, Allow: []string{".config/x.txt"}})
	for target, want := range map[string]int{
		"/.Rbuildignore": 404, "/..Rcheck/": 404, "/..Rcheck": 404, "/..Rcheck/log": 404, "/a.txt": 200,
		"/.well-known/x.txt": 200, "/.config/x.txt": 200, "/.config/": 404,
	} {
		if status, _, _ := raw(t, server, "GET", target); status != want {
			t.Errorf("GET %s: %d", target, status)
		}
	}
	for _, name := range []string{".a", "\u200d.a"} {
		if !isDotted(name) {
			t.Errorf("%q does not begin with a dot", name)
		}
	}
	for _, name := range []string{"", "a.", "\u200d", "\u00e4.a"} {
		if isDotted(name) {
			t.Errorf("%q begins with a dot", name)
		}
	}
	if _, _, listing := raw(t, server, "GET", "/"); strings.Contains(listing, "Rbuildignore") || strings.Contains(listing, "Rcheck") || strings.Contains(listing, ".config") {
		t.Errorf("%s", listing)
	}
}

// No server of the process serves the key of another, by whatever name.
func TestKeysOfOtherServers(t *testing.T) {
	dir, _ := site(t)
	write(t, filepath.Join(dir, "mine"), "KEY")
	write(t, filepath.Join(dir, "also-mine"), "KEY")
	if err := os.Link(filepath.Join(dir, "mine"), filepath.Join(dir, "hard")); err != nil {
		t.Skip(err)
	}
	first := start(t, Config{Dir: dir})
	second := start(t, Config{Dir: dir, Protect: []string{filepath.Join(dir, "mine")}})
	first.Protect(filepath.Join(dir, "also-mine"), filepath.Join(dir, "later"))
	write(t, filepath.Join(dir, "later"), "KEY")
	for _, server := range []*Server{first, second} {
		for _, target := range []string{"/mine", "/also-mine", "/later", "/hard"} {
			if runtime.GOOS == "windows" && target == "/hard" {
				continue
			}
			if status, _, _ := raw(t, server, "GET", target); status != 404 {
				t.Errorf("GET %s: %d", target, status)
			}
		}
		if _, _, listing := raw(t, server, "GET", "/"); strings.Contains(listing, "mine") || strings.Contains(listing, "later") || strings.Contains(listing, "hard") && runtime.GOOS != "windows" {
			t.Errorf("%s", listing)
		}
	}
	if err := second.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := raw(t, first, "GET", "/mine"); status != 200 {
		t.Errorf("a key that is not in use any more: %d", status)
	}
}
