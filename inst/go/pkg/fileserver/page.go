package fileserver

import (
	"bufio"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

//go:embed page.css
var pageStyle string

//go:embed page.js
var pageScript string

//go:embed icons.svg
var pageIcons string

// pagePolicy lets a page use its own style, script and images, and nothing that the name or the content of
// a file could bring in. It may be framed: viewers of development environments do.
var pagePolicy = "default-src 'none'; img-src 'self' data:; style-src '" + sourceHash(pageStyle) + "'; script-src '" + sourceHash(pageScript) +
	"'; base-uri 'none'; form-action 'self'"

// reloadPolicy is that of a page that loads itself again.
var reloadPolicy = strings.Replace(pagePolicy, "script-src", "connect-src 'self'; script-src 'self'", 1)

func sourceHash(source string) string {
	sum := sha256.Sum256([]byte(source))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// htmlPage is a page that is being written. Errors are ignored: the client has gone.
type htmlPage struct{ *bufio.Writer }

// add writes markup; names and other texts in it must be escaped.
func (p htmlPage) add(parts ...string) {
	for _, part := range parts {
		p.WriteString(part)
	}
}

// startPage begins a page. Call end after it is written.
func (h *Handler) startPage(a *answer, status int, title string) (p htmlPage, end func()) {
	header := a.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	policy := pagePolicy
	if h.config.Reload {
		policy = reloadPolicy
	}
	header.Set("Content-Security-Policy", policy)
	a.WriteHeader(status)
	p = htmlPage{bufio.NewWriterSize(a, writeSize)}
	p.add("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<link rel=\"icon\" href=\"data:,\">\n<title>",
		escapeText(title), "</title>\n<style>", pageStyle, "</style>\n</head>\n<body>\n", pageIcons, "<main>\n")
	return p, func() {
		p.add("</body>\n</html>\n")
		_ = p.Flush()
	}
}

// servePage answers with a page that shows a directory.
func (h *Handler) servePage(a *answer, r *http.Request, m *mount, dir *opened, f *folder) {
	p, end := h.startPage(a, http.StatusOK, r.URL.Path)
	defer end()
	if r.Method == http.MethodHead {
		return
	}
	p.header(r.URL.Path, m, dir, f)
	if f.unsorted {
		p.add(`<p class="card note">There are too many entries to sort them by size or date.</p>` + "\n")
	}
	p.table(dir, f)
	p.pages(f)
	p.footer(f)
	if f.readme != "" && f.page == 1 && f.filter == "" {
		p.readme(m, dir, f.readme)
	}
	p.add("</main>\n<script>", pageScript, "</script>\n")
	if h.config.Reload {
		p.add(reloadTag(r, m))
	}
}

// header writes where the directory is, from the prefix of its mount on, and the box for the filter.
func (p htmlPage) header(path string, m *mount, dir *opened, f *folder) {
	p.add(`<header>` + "\n" + `<nav class="path" aria-label="Path">`)
	var parts []string
	if dir.name != "" {
		parts = strings.Split(dir.name, "/")
	}
	p.crumb(path, len(parts), `<svg role="img" aria-label="Top"><use href="#home"/></svg>`+escapeText(strings.Trim(m.prefix, "/")))
	for i, part := range parts {
		p.add("<span>/</span>")
		p.crumb(path, len(parts)-i-1, escapeText(part))
	}
	whole := ""
	if f.pages == 1 && f.filter == "" {
		whole = " data-whole"
	}
	p.add("</nav>\n<form role=\"search\"", whole, `><input type="search" name="q" value="`, escapeText(f.filter),
		`" placeholder="Filter" aria-label="Filter by name" autocomplete="off" spellcheck="false" maxlength="`, strconv.Itoa(maxFilter), `">`)
	if f.sort != byName {
		p.add(`<input type="hidden" name="sort" value="`, f.sort, `">`)
	}
	if f.down {
		p.add(`<input type="hidden" name="order" value="desc">`)
	}
	p.add("</form>\n</header>\n")
}

// crumb writes a link to a directory some levels up.
func (p htmlPage) crumb(path string, levels int, label string) {
	current := ""
	if levels == 0 {
		current = ` aria-current="page"`
	}
	p.add(`<a href="`, upward(path, levels), `"`, current, `>`, label, `</a>`)
}

// upward returns the relative address of the directory some levels above the path of another. It is
// relative so that it is right behind a proxy that serves it below a path of its own. Slashes
// may be doubled in the path, and count for a browser.
func upward(path string, levels int) string {
	steps := 0
	rest := strings.TrimSuffix(path, "/")
	for levels > 0 && rest != "" {
		slash := strings.LastIndexByte(rest, '/')
		if slash+1 < len(rest) {
			levels--
		}
		rest = rest[:max(slash, 0)]
		steps++
	}
	if steps == 0 {
		return "./"
	}
	return strings.Repeat("../", steps)
}

// toTop returns the relative address of the directory at a prefix, from a path below it.
func toTop(path, prefix string) string {
	dir := path[:strings.LastIndexByte(path, '/')+1]
	return upward(dir, strings.Count(strings.TrimPrefix(mergeSlashes(dir), prefix), "/"))
}

// pages writes links to the other pages.
func (p htmlPage) pages(f *folder) {
	if f.pages == 1 {
		return
	}
	p.add(`<nav class="pages" aria-label="Pages">`)
	link := func(page int, label string) {
		if page >= 1 && page <= f.pages && page != f.page {
			p.add(`<a rel="nofollow" href="`, escapeText(f.at(page).link()), `">`, label, `</a>`)
		}
	}
	if f.page > 2 {
		link(1, "First")
	}
	link(f.page-1, "Previous")
	p.add(fmt.Sprintf(`<span>Page %d of %d</span>`, f.page, f.pages))
	link(f.page+1, "Next")
	if f.page < f.pages-1 {
		link(f.pages, "Last")
	}
	p.add("</nav>\n")
}

// footer writes how much there is, and how to use the page.
func (p htmlPage) footer(f *folder) {
	what := "entries"
	if f.total == 1 {
		what = "entry"
	}
	p.add(`<footer><span id="count" aria-live="polite">`, grouped(f.total), " ", what, `</span>`,
		`<span class="keys" hidden><span><kbd>/</kbd> filter</span><span><kbd>&#8593;</kbd><kbd>&#8595;</kbd> move</span>`,
		`<span><kbd>&#8629;</kbd> open</span><span><kbd>&#8592;</kbd> up</span></span>`,
		`<a rel="nofollow" href="`, escapeText(f.json()), `">JSON</a></footer>`+"\n")
}

// grouped returns a number with commas between the thousands.
func grouped(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// readme writes what a file tells about the directory.
func (p htmlPage) readme(m *mount, dir *opened, name string) {
	text, err := m.root.readText(dir, name)
	if err != nil || text == "" {
		return
	}
	p.add(`<section class="card readme"><h2>`, escapeText(name), "</h2>\n")
	p.add(readmeHTML(name, text), "</section>\n")
}
