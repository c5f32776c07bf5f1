package fileserver

import (
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

func TestListing(t *testing.T) {
	dir, _ := site(t)
	names := []string{`<img src=x onerror=alert(1)>`, "a&b?c#d.txt", "sp ace", "quo\"te'"}
	if runtime.GOOS != "windows" {
		for _, name := range names {
			write(t, filepath.Join(dir, "sub", name), "")
		}
		write(t, filepath.Join(dir, "sub", "new\nline"), "")
	}
	server := start(t, Config{Dir: dir})
	_, header, body := raw(t, server, "GET", "/")
	const want = `<pre>
<a href="..Rcheck/">..Rcheck/</a>
<a href=".Rbuildignore">.Rbuildignore</a>
<a href="a.txt">a.txt</a>
<a href="empty.bin">empty.bin</a>
<a href="home/">home/</a>
<a href="sub/">sub/</a>
</pre>
`
	if body != want || header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("%s\n%s", header.Get("Content-Type"), body)
	}
	if runtime.GOOS == "windows" {
		return
	}
	_, _, body = raw(t, server, "GET", "/sub/")
	if strings.Contains(body, "<img") {
		t.Errorf("a name is markup:\n%s", body)
	}
	// Every link leads to its file.
	links := regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(body, -1)
	if len(links) != len(names)+2 {
		t.Fatalf("%d links in\n%s", len(links), body)
	}
	for _, link := range links {
		target := strings.NewReplacer("&amp;", "&", "&#39;", "'", "&#34;", `"`).Replace(link[1])
		if status, _, _ := raw(t, server, "GET", "/sub/"+strings.TrimPrefix(target, "./")); status != 200 {
			t.Errorf("the link %q has status %d", target, status)
		}
	}
}
