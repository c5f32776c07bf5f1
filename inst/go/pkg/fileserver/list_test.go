package fileserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// hostileNames are names of files that need escaping.
func hostileNames() []string {
	names := []string{"a&b#c.txt", " leading space", "%41.txt", "it's", "日本語.md", "\u202egnp.exe", "&amp;", "javascript;alert(1)", "~", strings.Repeat("x", 255)}
	if runtime.GOOS != "windows" {
		names = append(names, `<img src=x onerror=alert(1)>`, `"><svg onload=alert(1)>`, "a?b", "new\nline", "ret\rurn", "tab\t", "quo\"te", "a:b", `back\slash`,
			"javascript:alert(1)", "\x01\x1b[31m", "{{.}}", "?json", "trailing ", "trailing.")
	}
	if runtime.GOOS == "linux" {
		names = append(names, "caf\xe9", "\xff\xfe", strings.Repeat("\xf0", 255))
	}
	return names
}

// hostileSite has files and directories with hostile names.
func hostileSite(t *testing.T) (dir string, names []string) {
	t.Helper()
	dir, names = t.TempDir(), hostileNames()
	for i, name := range names {
		if i%2 == 0 {
			write(t, filepath.Join(dir, name), name)
		} else {
			write(t, filepath.Join(dir, name, "index.html"), name)
		}
	}
	return dir, names
}

var unescape = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&", "&#39;", "'", "&#34;", `"`, "&#10;", "\n", "&#13;", "\r")

// entriesOf returns the links to the entries on a page, and their texts.
func entriesOf(body string) (links, texts []string) {
	for _, match := range regexp.MustCompile(`(?s)<a href="([^"]*)">([^<]*)</a>`).FindAllStringSubmatch(body, -1) {
		if match[2] != ".." {
			links, texts = append(links, unescape.Replace(match[1])), append(texts, unescape.Replace(match[2]))
		}
	}
	return links, texts
}

// Each entry of a list, in each form, leads to its file and has its name.
func TestHostileNames(t *testing.T) {
	dir, names := hostileSite(t)
	for form, config := range map[string]Config{
		"page":  {Dir: dir},
		"plain": {Dir: dir, Listing: ListPlain},
		"JSON":  {Dir: dir},
	} {
		t.Run(form, func(t *testing.T) {
			server := start(t, config)
			target := "/"
			if form == "JSON" {
				target = "/?json"
			}
			status, _, body := raw(t, server, "GET", target)
			links, texts := entriesOf(body)
			if form == "JSON" {
				links, texts = nil, nil
				for _, e := range decode(t, body).Entries {
					links = append(links, e.Href)
					if e.Type == "directory" {
						e.Name += "/"
					}
					texts = append(texts, e.Name)
				}
			}
			if status != 200 || len(links) != len(names) {
				t.Fatalf("%d: %d links, want %d, in\n%s", status, len(links), len(names), body)
			}
			var want []string
			for i, name := range names {
				name = strings.ToValidUTF8(name, "\uFFFD")
				if i%2 == 1 {
					name += "/"
				}
				want = append(want, name)
			}
			slices.Sort(want)
			slices.Sort(texts)
			if !slices.Equal(texts, want) {
				t.Errorf("the names are\n%q, want\n%q", texts, want)
			}
			for _, link := range links {
				if status, _, body := raw(t, server, "GET", "/"+strings.TrimPrefix(link, "./")); status != 200 || !slices.Contains(names, body) {
					t.Errorf("the link %q leads to %d %q", link, status, body)
				}
			}
		})
	}
}

// No name becomes markup: the page has no tags but its own.
func TestNoMarkup(t *testing.T) {
	dir, _ := hostileSite(t)
	own := regexp.MustCompile(`^</?(a|tr|td|th|div|svg|use|img|main|header|nav|form|input|table|thead|tbody|footer|span|kbd|script|body|html|head|meta|link|title|style|symbol|path|rect|circle|section|h2|h1|pre|strong|code|p)\b`)
	for _, target := range []string{"/", "/?q=" + "%3Cb%3E%22%3E%3Ci%20x%3D", "/?sort=%22%3E%3Cb%3E&order=%22%3E%3Cb%3E", "/%3Cb%3E%22onload=x/"} {
		_, _, body := raw(t, start(t, Config{Dir: dir}), "GET", target, "Accept: text/html")
		head, rest, ok := strings.Cut(body, "</style>")
		if !ok {
			t.Fatalf("%s: no page:\n%s", target, body)
		}
		rest, _, _ = strings.Cut(rest, "<script>")
		head, _, _ = strings.Cut(head, "<style>")
		for _, tag := range regexp.MustCompile(`<[^>]*>?`).FindAllString(head+rest, -1) {
			if !own.MatchString(tag) && tag != "<!DOCTYPE html>" || strings.Contains(strings.ToLower(tag), " on") && !strings.Contains(tag, "%20on") && !strings.Contains(tag, `href="`) {
				t.Errorf("%s: the page has the tag %q", target, tag)
			}
		}
	}
}

// The list for clients that name no type is one line an entry, and nothing else.
func TestListing(t *testing.T) {
	dir, _ := site(t)
	const plain = `<pre>
<a href="..Rcheck/">..Rcheck/</a>
<a href=".Rbuildignore">.Rbuildignore</a>
<a href="a.txt">a.txt</a>
<a href="empty.bin">empty.bin</a>
<a href="home/">home/</a>
<a href="sub/">sub/</a>
</pre>
`
	const html, jsonType = "text/html; charset=utf-8", "application/json"
	tests := []struct {
		mode        ListMode
		target      string
		accept      string
		status      int
		contentType string
		begins      string
	}{
		{ListPlain, "/", "", 200, html, plain},
		{ListPlain, "/", "Accept: */*", 200, html, plain},
		{ListPlain, "/", "Accept: text/html;q=0, */*", 200, html, plain},
		{ListPlain, "/", "Accept: text/html,application/xhtml+xml,*/*;q=0.8", 200, html, "<!DOCTYPE html>"},
		{ListPlain, "/", "Accept: application/json, text/plain, */*", 200, jsonType, `{"path":"/",`},
		{ListPlain, "/?json", "", 200, jsonType, `{"path":"/",`},
		{ListPage, "/", "", 200, html, "<!DOCTYPE html>"},
		{ListPage, "/", "Accept: */*", 200, html, "<!DOCTYPE html>"},
		{ListPage, "/", "Accept: TEXT/HTML ; q=0.5 , application/json ; q=0.6", 200, jsonType, `{"path":"/",`},
		{ListPage, "/", "Accept: text/html, application/json", 200, html, "<!DOCTYPE html>"},
		{ListPage, "/", "Accept: application/json;q=2", 200, html, "<!DOCTYPE html>"},
		{ListPage, "/", "Accept: application/json;q=NaN", 200, html, "<!DOCTYPE html>"},
		{ListPage, "/?json=1", "Accept: text/html", 200, jsonType, `{"path":"/",`},
		{ListPage, "/home/?json", "", 200, html, "<h1>home</h1>"},
		{ListNone, "/", "", 404, "text/plain; charset=utf-8", "404 page not found\n"},
		{ListNone, "/?json", "", 404, "text/plain; charset=utf-8", "404 page not found\n"},
		{ListNone, "/sub/", "Accept: application/json", 404, jsonType, `{"status":404,"error":"page not found"}`},
		{ListNone, "/home/", "", 200, html, "<h1>home</h1>"},
	}
	for _, tt := range tests {
		server := start(t, Config{Dir: dir, Listing: tt.mode})
		for _, method := range []string{"GET", "HEAD"} {
			var headers []string
			if tt.accept != "" {
				headers = append(headers, tt.accept)
			}
			status, header, body := raw(t, server, method, tt.target, headers...)
			begins := tt.begins
			if method == "HEAD" {
				begins = ""
			}
			if status != tt.status || header.Get("Content-Type") != tt.contentType || !strings.HasPrefix(body, begins) ||
				(begins == "" || begins == plain) && body != begins {
				t.Errorf("mode %d, %s %s, %s: %d %s %.200q", tt.mode, method, tt.target, tt.accept, status, header.Get("Content-Type"), body)
			}
			if tt.begins != "<h1>home</h1>" && !slices.Contains(header.Values("Vary"), "Accept") {
				t.Errorf("mode %d, %s %s: Vary: %q", tt.mode, method, tt.target, header.Values("Vary"))
			}
		}
	}
}

type jsonList struct {
	jsonFolder
	Entries []jsonEntry `json:"entries"`
}

func decode(t *testing.T, body string) (list jsonList) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		t.Fatalf("%v in\n%s", err, body)
	}
	return list
}

func namesOf(list jsonList) string {
	var names []string
	for _, e := range list.Entries {
		names = append(names, e.Name)
	}
	return strings.Join(names, " ")
}

// The order of entries, and which of them there are.
func TestViews(t *testing.T) {
	dir := t.TempDir()
	for name, size := range map[string]int{"chr10.bed": 30, "chr2.bed": 20, "Chr1.bed": 10, "b.vcf.gz": 5, "a.txt": 40, "noext": 0, ".env": 9} {
		write(t, filepath.Join(dir, name), strings.Repeat("x", size))
	}
	write(t, filepath.Join(dir, "zoo", "x"), "")
	write(t, filepath.Join(dir, "Ape", "x"), "")
	server := start(t, Config{Dir: dir})
	for query, want := range map[string]string{
		"":                                "Ape zoo a.txt b.vcf.gz Chr1.bed chr2.bed chr10.bed noext",
		"order=desc":                      "zoo Ape noext chr10.bed chr2.bed Chr1.bed b.vcf.gz a.txt",
		"sort=size":                       "Ape zoo noext b.vcf.gz Chr1.bed chr2.bed chr10.bed a.txt",
		"sort=size&order=desc":            "Ape zoo a.txt chr10.bed chr2.bed Chr1.bed b.vcf.gz noext",
		"sort=type":                       "Ape zoo noext Chr1.bed chr2.bed chr10.bed a.txt b.vcf.gz",
		"sort=type&order=desc":            "zoo Ape b.vcf.gz a.txt Chr1.bed chr2.bed chr10.bed noext",
		"q=CHR1":                          "Chr1.bed chr10.bed",
		"q=chr&sort=size&order=desc":      "chr10.bed chr2.bed Chr1.bed",
		"q=nothing":                       "",
		"q=.env":                          "",
		"sort=bad&order=bad&page=-1":      "Ape zoo a.txt b.vcf.gz Chr1.bed chr2.bed chr10.bed noext",
		"page=99999999999999999999":       "Ape zoo a.txt b.vcf.gz Chr1.bed chr2.bed chr10.bed noext",
		"page=7":                          "Ape zoo a.txt b.vcf.gz Chr1.bed chr2.bed chr10.bed noext",
		"q=" + strings.Repeat("x", 5_000): "",
	} {
		_, _, body := raw(t, server, "GET", "/?json&"+query)
		if got := namesOf(decode(t, body)); got != want {
			t.Errorf("%q: %s\nwant %s", query, got, want)
		}
	}
}

func TestViewLinks(t *testing.T) {
	for query, want := range map[string]string{
		"":                                    "./",
		"sort=name&order=asc&page=1&q=":       "./",
		"sort=size&order=desc&page=3&q=a%26b": "?order=desc&page=3&q=a%26b&sort=size",
		"sort=x&token=secret":                 "./",
	} {
		r := httptest.NewRequest(http.MethodGet, "/?"+query, nil)
		if got := viewOf(r.URL.Query()).link(); got != want {
			t.Errorf("%q: %q, want %q", query, got, want)
		}
	}
}

// A page of a large directory holds what it would if all was sorted.
func TestPages(t *testing.T) {
	dir := t.TempDir()
	const n = 2*pageSize + 100
	for i := range n {
		write(t, filepath.Join(dir, fmt.Sprintf("f%d", i)), "")
	}
	write(t, filepath.Join(dir, "a", "x"), "")
	server := start(t, Config{Dir: dir})
	for _, order := range []string{"asc", "desc"} {
		var all []string
		next := "?json&order=" + order
		for next != "" {
			_, _, body := raw(t, server, "GET", "/"+next)
			list := decode(t, body)
			if list.Total != n+1 || list.Pages != 3 || len(list.Entries) > pageSize {
				t.Fatalf("%s: %d of %d entries, %d pages", next, len(list.Entries), list.Total, list.Pages)
			}
			for _, e := range list.Entries {
				all = append(all, e.Name)
			}
			next = list.Next
		}
		if len(all) != n+1 || all[0] != "a" {
			t.Fatalf("%s: %d names, the first is %q", order, len(all), all[0])
		}
		for i, name := range all[1:] {
			number := i
			if order == "desc" {
				number = n - 1 - i
			}
			if want := fmt.Sprintf("f%d", number); name != want {
				t.Fatalf("%s: name %d is %s, want %s", order, i, name, want)
			}
		}
	}
	_, _, body := raw(t, server, "GET", "/?page=2")
	if links, _ := entriesOf(body); len(links) != pageSize || !strings.Contains(body, "Page 2 of 3") {
		t.Errorf("page 2 has %d links", len(links))
	}
}

func TestSortPart(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		n := random.IntN(400)
		all := make([]int, n)
		for i := range all {
			all[i] = random.IntN(1 + random.IntN(500))
		}
		want := slices.Sorted(slices.Values(all))
		lo := random.IntN(n + 1)
		hi := lo + random.IntN(n-lo+1)
		sortPart(all, lo, hi, func(a, b int) int { return a - b })
		if !slices.Equal(all[lo:hi], want[lo:hi]) {
			t.Fatalf("%d to %d of %d: %v, want %v", lo, hi, n, all[lo:hi], want[lo:hi])
		}
		slices.Sort(all)
		if !slices.Equal(all, want) {
			t.Fatal("elements were lost")
		}
	}
}

func TestCompareNatural(t *testing.T) {
	sorted := []string{"", "1", "01", "2", "10", "10a", "a", "A1", "a2", "A10", "a10b", "B", "b", "chr99999999999999999999", "chr100000000000000000000", "é"}
	for i, a := range sorted {
		for j, b := range sorted {
			got := compareNatural([]byte(a), []byte(b))
			if i == j && got != 0 || i < j && got >= 0 || i > j && got <= 0 {
				if strings.EqualFold(a, b) || strings.TrimLeft(a, "0") == strings.TrimLeft(b, "0") {
					continue // either order is right, see below
				}
				t.Errorf("compareNatural(%q, %q) = %d", a, b, got)
			}
			if got != -compareNatural([]byte(b), []byte(a)) || (got == 0) != (a == b) {
				t.Errorf("%q and %q have no order", a, b)
			}
		}
	}
}

// A list ends when its client has gone.
func TestListGivesUp(t *testing.T) {
	dir := t.TempDir()
	for i := range batch + 1 {
		write(t, filepath.Join(dir, fmt.Sprint(i)), "")
	}
	r, err := newRoot(dir, func(string) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	top, err := r.open("")
	if err != nil {
		t.Fatal(err)
	}
	defer top.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.list(ctx, top, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// A page of a large directory takes not much more memory than the list of net/http, which is simpler: it
// knows neither sizes nor dates.
func TestListMemory(t *testing.T) {
	dir := manyFiles(t, 20_000)
	handler, err := New(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer handler.Close()
	ours, theirs := allocated(t, handler), allocated(t, http.FileServer(http.Dir(dir)))
	if ours > 2*theirs {
		t.Errorf("%d bytes are allocated, and %d by net/http", ours, theirs)
	}
}

func allocated(t *testing.T, handler http.Handler) uint64 {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	get(t, handler)
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func get(t testing.TB, handler http.Handler) {
	t.Helper()
	w := &discard{header: make(http.Header)}
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost/", nil))
	if w.bytes == 0 {
		t.Fatal("nothing was answered")
	}
}

// discard is a response that is only counted.
type discard struct {
	header http.Header
	bytes  int
}

func (d *discard) Header() http.Header { return d.header }
func (d *discard) WriteHeader(int)     {}
func (d *discard) Write(p []byte) (int, error) {
	d.bytes += len(p)
	return io.Discard.Write(p)
}

func manyFiles(t testing.TB, n int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf("sample-%06d.txt", i)))
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	return dir
}

// BenchmarkList is the page, and the whole list, of a directory with 100,000 files, beside that of net/http.
func BenchmarkList(b *testing.B) {
	dir := manyFiles(b, 100_000)
	page, err := New(Config{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	defer page.Close()
	plain, err := New(Config{Dir: dir, Listing: ListPlain})
	if err != nil {
		b.Fatal(err)
	}
	defer plain.Close()
	for name, handler := range map[string]http.Handler{"page": page, "plain": plain, "net-http": http.FileServer(http.Dir(dir))} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				get(b, handler)
			}
		})
	}
}
