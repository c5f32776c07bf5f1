package fileserver

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// What a page shows of a directory.
func TestPage(t *testing.T) {
	dir, _ := site(t)
	write(t, filepath.Join(dir, "sub", "plot.png"), "png")
	write(t, filepath.Join(dir, "sub", "large.jpg"), strings.Repeat("x", maxThumb+1))
	write(t, filepath.Join(dir, "sub", "README"), "<b>hello</b> & welcome\n")
	write(t, filepath.Join(dir, "sub", "deep", "x"), "")
	server := start(t, Config{Dir: dir, Prefix: "data"})
	_, header, body := raw(t, server, "GET", "/data/sub/", "Accept: text/html")
	for _, want := range []string{
		"<title>/data/sub/</title>",
		`<a href="../"><svg role="img" aria-label="Top"><use href="#home"/></svg>data</a>`,
		`<a href="./" aria-current="page">sub</a>`,
		`<a href="../">..</a>`,
		`<a href="deep/">deep/</a>`,
		`<a href="b%20c.csv">b c.csv</a></div></td><td class="size" title="1 bytes">1 B</td>`,
		`<img class="icon" src="plot.png" alt=""`,
		`<a rel="nofollow" href="?order=desc&amp;sort=size">Size</a>`,
		`<th scope="col" class="name" aria-sort="ascending"><a rel="nofollow" href="?order=desc">Name</a>`,
		`&lt;b&gt;hello&lt;/b&gt; &amp; welcome`,
		`5 entries`,
		`<form role="search" data-whole>`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	for _, wrong := range []string{`src="large.jpg"`, "<b>hello"} {
		if strings.Contains(body, wrong) {
			t.Errorf("the page has %s", wrong)
		}
	}
	if t.Failed() {
		t.Log(body)
	}
	if policy := header.Get("Content-Security-Policy"); policy != pagePolicy || header.Get("Cache-Control") != "no-cache" {
		t.Errorf("%q, %q", policy, header.Get("Cache-Control"))
	}
	if _, _, body := raw(t, server, "GET", "/data/"); strings.Contains(body, `href="../"`) {
		t.Error("there is a way up from the top")
	}
	_, _, body = raw(t, server, "GET", "/data/sub/?q=csv&sort=size")
	for _, want := range []string{`value="csv"`, `name="sort" value="size"`, "1 entry", `href="?json&amp;q=csv&amp;sort=size"`, `<a rel="nofollow" href="?q=csv">Name</a>`} {
		if !strings.Contains(body, want) {
			t.Errorf("the filtered page lacks %s:\n%s", want, body)
		}
	}
	if strings.Contains(body, "README") || strings.Contains(body, "data-whole") {
		t.Error("the filtered page has what is not asked for")
	}
}

// The policy allows the style and the script that the page has, and no others.
func TestPagePolicy(t *testing.T) {
	dir, _ := site(t)
	_, header, body := raw(t, start(t, Config{Dir: dir}), "GET", "/")
	policy := header.Get("Content-Security-Policy")
	for _, element := range []string{"style", "script"} {
		blocks := regexp.MustCompile(`(?s)<`+element+`>(.*?)</`+element+`>`).FindAllStringSubmatch(body, -1)
		if len(blocks) != 1 || !strings.Contains(policy, element+"-src '"+sourceHash(blocks[0][1])+"'") {
			t.Errorf("%d blocks of %s, policy %s", len(blocks), element, policy)
		}
	}
	if strings.Contains(body, "style=") || strings.Contains(policy, "unsafe") {
		t.Error("the page needs more than its policy allows")
	}
}

// A list does not tell of what is not served: by its entries, its images or its text.
func TestPageHides(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need a right on Windows")
	}
	dir, outside := site(t)
	write(t, filepath.Join(dir, "sub", ".env"), "PASSWORD")
	write(t, filepath.Join(dir, "sub", "inside.txt"), "inside")
	for name, target := range map[string]string{
		"README.md": ".env", "out.png": outside, "loop": "loop", "broken": "nowhere", "linked.txt": "inside.txt", "up": "../home",
	} {
		if err := os.Symlink(target, filepath.Join(dir, "sub", name)); err != nil {
			t.Fatal(err)
		}
	}
	server := start(t, Config{Dir: dir})
	_, _, body := raw(t, server, "GET", "/sub/")
	_, texts := entriesOf(body)
	if got := strings.Join(texts, " "); got != "up/ b c.csv inside.txt linked.txt" {
		t.Errorf("the entries are %s", got)
	}
	if strings.Contains(body, "PASSWORD") || strings.Contains(body, "out.png") {
		t.Error(body)
	}
}

func TestUpward(t *testing.T) {
	tests := []struct {
		path   string
		levels int
		want   string
	}{
		{"/", 0, "./"},
		{"/a/", 0, "./"},
		{"/a/", 1, "../"},
		{"/data/a/b/", 2, "../../"},
		{"//a//b/", 1, "../"},
		{"//a//b/", 2, "../../../"},
		{"/a/", 9, "../"},
	}
	for _, tt := range tests {
		if got := upward(tt.path, tt.levels); got != tt.want {
			t.Errorf("upward(%q, %d) = %q, want %q", tt.path, tt.levels, got, tt.want)
		}
	}
}

func TestSizeText(t *testing.T) {
	for size, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1.00 kB", 1234: "1.23 kB", 9995: "10.0 kB", 99_949: "99.9 kB", 99_950: "100 kB", 999_499: "999 kB", 999_500: "1.00 MB",
		5_368_709_120: "5.37 GB", 1<<63 - 1: "9.22 EB",
	} {
		if got := sizeText(size); got != want {
			t.Errorf("sizeText(%d) = %q, want %q", size, got, want)
		}
	}
}

func TestExtension(t *testing.T) {
	for name, want := range map[string][2]string{
		"a.csv": {"csv", "data"}, "calls.vcf.gz": {"vcf.gz", "genome"}, "x-1.2.tar.gz": {"tar.gz", "archive"}, "a.PNG": {"PNG", "image"},
		"noext": {"", "file"}, ".hidden": {"", "file"}, ".hidden.txt": {"txt", "text"}, "dot.": {"", "file"}, "a.unheardofextension": {"", "file"},
		"a.folder": {"folder", "file"}, "sample.one.two.gz": {"two.gz", "archive"}, "": {"", "file"},
	} {
		extension := string(extension([]byte(name)))
		if kind := kindOf(extension); extension != want[0] || kind != want[1] {
			t.Errorf("%q: %q, %q, want %q", name, extension, kind, want)
		}
	}
}
