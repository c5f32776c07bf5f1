package fileserver

import (
	"strconv"
	"strings"
	"time"
)

// maxThumb and maxThumbs limit the images that a page shows, in bytes and number.
const (
	maxThumb  = 2 << 20
	maxThumbs = 200
)

// table writes the entries.
func (p htmlPage) table(dir *opened, f *folder) {
	p.add(`<div class="card"><table>` + "\n<thead><tr>")
	p.heading(f, byName, "Name")
	p.heading(f, bySize, "Size")
	p.heading(f, byTime, "Date")
	p.heading(f, byType, "Type")
	p.add("</tr></thead>\n<tbody>\n")
	if dir.name != "" {
		p.add(`<tr class="folder up"><td class="name"><div><svg class="icon" aria-hidden="true"><use href="#up"/></svg><a href="../">..</a></div></td><td></td><td></td><td></td></tr>` + "\n")
	}
	thumbs := 0
	for i := range f.entries {
		e := &f.entries[i]
		isThumb := isImage(e) && thumbs < maxThumbs
		if isThumb {
			thumbs++
		}
		p.row(e, isThumb)
	}
	p.add("</tbody>\n</table>\n")
	none, hidden := "Nothing here has this in its name.", " hidden"
	if f.total == 0 {
		hidden = ""
		if f.filter == "" {
			none = "This folder is empty."
		}
	}
	p.add(`<div class="empty" id="none"`, hidden, `>`, none, "</div></div>\n")
}

// heading writes the heading of a column: a link that sorts by it.
func (p htmlPage) heading(f *folder, key, label string) {
	order := ""
	switch {
	case f.sort != key:
	case f.down:
		order = ` aria-sort="descending"`
	default:
		order = ` aria-sort="ascending"`
	}
	p.add(`<th scope="col" class="`, key, `"`, order, `><a rel="nofollow" href="`, escapeText(f.sorted(key).link()), `">`, label, `</a></th>`)
}

// isImage tells whether a browser can show an entry as an image, and soon.
func isImage(e *entry) bool {
	if e.isDir || !e.known || e.size == 0 || e.size > maxThumb {
		return false
	}
	switch strings.ToLower(string(extension([]byte(e.name)))) {
	case "png", "jpg", "jpeg", "gif", "webp", "avif", "svg", "bmp", "ico":
		return true
	default:
		return false
	}
}

// row writes an entry.
func (p htmlPage) row(e *entry, isThumb bool) {
	name, kind, label := e.name, "folder", "folder"
	if e.isDir {
		name += "/"
	} else {
		label = string(extension([]byte(name)))
		kind = kindOf(label)
	}
	href := escapeText(e.href())
	p.add(`<tr class="`, kind, `"><td class="name"><div>`)
	if isThumb {
		p.add(`<img class="icon" src="`, href, `" alt="" loading="lazy" decoding="async">`)
	} else {
		p.add(`<svg class="icon" aria-hidden="true"><use href="#`, kind, `"/></svg>`)
	}
	p.add(`<a href="`, href, `">`, escapeText(name), `</a></div></td>`)
	switch {
	case !e.known:
		p.add(`<td></td><td></td>`)
	case e.isDir:
		p.add(`<td></td>`)
		p.date(e.modified())
	default:
		p.add(`<td class="size" title="`, strconv.FormatInt(e.size, 10), ` bytes">`, sizeText(e.size), `</td>`)
		p.date(e.modified())
	}
	p.add(`<td>`, escapeText(strings.ToLower(label)), "</td></tr>\n")
}

func (p htmlPage) date(t time.Time) {
	p.add(`<td title="`, t.Format("2006-01-02 15:04:05 -0700"), `">`, t.Format("2006-01-02 15:04"), `</td>`)
}

// sizeText returns a number of bytes with three digits.
func sizeText(size int64) string {
	if size < 1000 {
		return strconv.FormatInt(size, 10) + " B"
	}
	value, unit := float64(size), 0
	for value >= 999.5 && unit < len(sizeUnits)-1 {
		value /= 1000
		unit++
	}
	digits := 0
	switch {
	case value < 9.995:
		digits = 2
	case value < 99.95:
		digits = 1
	}
	return strconv.FormatFloat(value, 'f', digits, 64) + " " + sizeUnits[unit]
}

var sizeUnits = []string{"B", "kB", "MB", "GB", "TB", "PB", "EB"}
