package fileserver

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// events listens at a server, and returns a function that waits for the next event.
func events(t *testing.T, url string) (next func() (string, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+reloadName, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "text/event-stream")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	if kind := answer.Header.Get("Content-Type"); answer.StatusCode != 200 || kind != "text/event-stream" {
		t.Fatalf("%d %s", answer.StatusCode, kind)
	}
	lines := bufio.NewScanner(answer.Body)
	return func() (string, error) {
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				return data, nil
			}
		}
		return "", errors.Join(lines.Err(), errors.New("the stream has ended"))
	}
}

// Each change is told once, that of styles apart from others.
func TestReload(t *testing.T) {
	dir, _ := site(t)
	// What is written under a hidden name and then renamed changes in one step, on a slow machine too.
	replace := func(name, text string) {
		hidden := filepath.Join(dir, ".new")
		write(t, hidden, text)
		rename(t, hidden, filepath.Join(dir, name))
	}
	replace("style.css", "a {}")
	server := start(t, Config{Dir: dir, Prefix: "data", Reload: true})
	next := events(t, server.URL())
	last, err := next()
	if err != nil {
		t.Fatal(err)
	}
	steps := []struct {
		name         string
		change       func()
		styles, rest bool
	}{
		{"styles", func() { replace("style.css", "b {}") }, true, false},
		{"hidden files, then a page", func() {
			write(t, filepath.Join(dir, ".page.swp"), "x")
			write(t, filepath.Join(dir, "page.html~"), "x")
			write(t, filepath.Join(dir, "sub", ".git", "index"), "x")
			replace("home/index.html", "<h1>new</h1>")
		}, false, true},
		{"a removed file", func() { _ = os.Remove(filepath.Join(dir, "a.txt")) }, false, true},
		{"both", func() {
			write(t, filepath.Join(dir, ".both", "page.html"), "x")
			write(t, filepath.Join(dir, ".both", "page.css"), "x")
			rename(t, filepath.Join(dir, ".both"), filepath.Join(dir, "both"))
		}, true, true},
	}
	for _, step := range steps {
		step.change()
		now, err := next()
		if err != nil {
			t.Fatal(step.name, err)
		}
		styles, rest, _ := strings.Cut(now, " ")
		oldStyles, oldRest, _ := strings.Cut(last, " ")
		if (styles != oldStyles) != step.styles || (rest != oldRest) != step.rest {
			t.Errorf("%s: %s after %s", step.name, now, last)
		}
		last = now
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// The streams end with the server, which does not wait for them.
func TestReloadEnds(t *testing.T) {
	dir, _ := site(t)
	server := start(t, Config{Dir: dir, Reload: true})
	next := events(t, server.URL())
	if _, err := next(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := server.Stop(ctx); err != nil {
		t.Errorf("the server was stopped with %v", err)
	}
	if event, err := next(); err == nil {
		t.Errorf("there is an event after the end: %s", event)
	}
}

// A observer looks only while somebody listens.
func TestObserverRests(t *testing.T) {
	dir, _ := site(t)
	root, err := newRoot(dir, func(string) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	var l reloads
	w := l.join(&mount{root: root})
	_, changed := w.state()
	<-changed
	w.leave()
	deadline := time.After(patience)
	for {
		w.mu.Lock()
		running := w.running
		w.mu.Unlock()
		if !running {
			return
		}
		select {
		case <-deadline:
			t.Fatal("the observer still runs")
		case <-time.After(time.Millisecond):
		}
	}
}

// A change is told when it has settled.
func TestObserverWaits(t *testing.T) {
	w := &observer{listeners: 1, changed: make(chan struct{})}
	for i, step := range []struct {
		seen   uint64
		steady bool
		told   uint64
	}{{1, false, 0}, {1, true, 1}, {2, false, 1}, {3, false, 1}, {3, true, 3}, {4, false, 3}, {3, false, 3}, {3, true, 3}} {
		if !w.tell(filesVersion{rest: step.seen}, step.steady) || w.now.rest != step.told {
			t.Errorf("step %d: %d is told, want %d", i, w.now.rest, step.told)
		}
	}
	w.leave()
	if w.tell(filesVersion{rest: 5}, true) || w.running {
		t.Error("it goes on without listeners")
	}
}

func TestReloadScript(t *testing.T) {
	dir, _ := site(t)
	server := start(t, Config{Dir: dir, Reload: true})
	for _, target := range []string{"/.mangoro/reload", "//.mangoro/reload"} {
		status, header, body := raw(t, server, "GET", target)
		if status != 200 || header.Get("Content-Type") != "text/javascript; charset=utf-8" || !strings.HasPrefix(body, `"use strict"`) || !regexp.MustCompile(`parse\("[0-9a-f]{16} [0-9a-f]{16}"\)`).MatchString(body) {
			t.Errorf("%s: %d %v %q", target, status, header, body)
		}
	}
	_, header, body := raw(t, server, "GET", "/sub/")
	if !strings.Contains(body, `<script src="../.mangoro/reload" async></script>`) || header.Get("Content-Security-Policy") != reloadPolicy {
		t.Errorf("%v\n%s", header, body)
	}
	if status, _, _ := raw(t, start(t, Config{Dir: dir}), "GET", "/.mangoro/reload"); status != 404 {
		t.Errorf("%d without Reload", status)
	}
}

func TestWithReload(t *testing.T) {
	const tag = `<script src="./.mangoro/reload" async></script>` + "\n"
	for page, want := range map[string]string{
		"<body>x</body></html>":              "<body>x" + tag + "</body></html>",
		"<BODY>x</BODY >":                    "<BODY>x" + tag + "</BODY >",
		"<pre></body></pre>x</body>":         "<pre></body></pre>x" + tag + "</body>",
		"<h1>x</h1>":                         "<h1>x</h1>" + tag,
		"":                                   tag,
		"<":                                  "<" + tag,
		"\xff\u0130</body>":                  "\xff\u0130" + tag + "</body>",
		"x</bod":                             "x</bod" + tag,
		"x</body":                            "x" + tag + "</body",
		strings.Repeat("<", 9) + "</body></": strings.Repeat("<", 9) + tag + "</body></",
	} {
		if got := string(withReload(httptest.NewRequest(http.MethodGet, "/x.html", nil), &mount{prefix: "/"}, []byte(page))); got != want {
			t.Errorf("%q: %q, want %q", page, got, want)
		}
	}
	for path, want := range map[string]string{"/data/": "./", "/data/a": "./", "/data/a/": "../", "/data/a/b/c.html": "../../", "/data//a//c.html": "../../"} {
		if got := toTop(path, "/data/"); got != want {
			t.Errorf("toTop(%q) = %q, want %q", path, got, want)
		}
	}
}
