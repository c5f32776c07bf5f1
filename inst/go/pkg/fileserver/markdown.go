package fileserver

import (
	"html"
	"net/url"
	"strings"
	"unicode"
)

// markdown returns what people mostly use of Markdown as HTML: headings, paragraphs, lists, quotes, code, links,
// images and emphasis. All else stays text. It makes no other tags than these, and links lead to
// files and web pages only: the text is not trusted.
func markdown(text string) string {
	m := &markdownWriter{}
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		trimmed := strings.TrimSpace(line)
		switch marker, rest := listItem(trimmed); {
		case strings.HasPrefix(trimmed, "```"), strings.HasPrefix(trimmed, "~~~"):
			fence, start := trimmed[:3], i+1
			for i++; i < len(lines) && !strings.HasPrefix(strings.TrimSpace(lines[i]), fence); i++ {
			}
			m.code(lines[start:min(i, len(lines))])
		case trimmed == "":
			m.close()
		case strings.HasPrefix(trimmed, "<!--"):
			for ; i < len(lines)-1 && !strings.Contains(lines[i], "-->"); i++ {
			}
		case heading(trimmed) > 0:
			level := heading(trimmed)
			m.close()
			tag := "h" + string(rune('0'+min(level+2, 6)))
			m.block(tag, strings.TrimSpace(strings.TrimRight(trimmed[level:], "#")))
			m.close()
		case strings.Trim(trimmed, "-* ") == "" && len(trimmed) >= 3:
			m.close()
			m.out.WriteString("<hr>\n")
		case marker != "":
			m.item(marker, rest)
		case strings.HasPrefix(trimmed, ">"):
			if m.tag != "blockquote" {
				m.close()
			}
			m.block("blockquote", strings.TrimSpace(trimmed[1:]))
		case strings.HasPrefix(trimmed, "|"), m.tag == "" && m.list == "" && strings.HasPrefix(line, "    "):
			start := i
			for i < len(lines)-1 && strings.TrimSpace(lines[i+1]) != "" && (strings.HasPrefix(strings.TrimSpace(lines[i+1]), "|") || strings.HasPrefix(lines[i+1], "    ")) {
				i++
			}
			m.code(lines[start : i+1])
		default:
			tag := m.tag
			if tag == "" {
				tag = "p"
			}
			m.block(tag, trimmed)
		}
	}
	m.close()
	return m.out.String()
}

// heading returns the level of a heading, 0 if the line is none.
func heading(line string) int {
	level := len(line) - len(strings.TrimLeft(line, "#"))
	if level > 6 || len(line) == level || line[level] != ' ' {
		return 0
	}
	return level
}

// listItem returns the tag of the list that a line belongs to, and the rest of the line.
func listItem(line string) (tag, rest string) {
	if len(line) > 2 && strings.IndexByte("-*+", line[0]) >= 0 && line[1] == ' ' {
		return "ul", strings.TrimSpace(line[2:])
	}
	digits := len(number([]byte(line)))
	if digits > 0 && digits < 10 && strings.HasPrefix(line[digits:], ". ") {
		return "ol", strings.TrimSpace(line[digits+2:])
	}
	return "", ""
}

// markdownWriter writes blocks. The lines of one are collected until it is closed.
type markdownWriter struct {
	out   strings.Builder
	list  string // the tag of the open list
	tag   string // of the open block
	lines []string
}

func (m *markdownWriter) block(tag, line string) {
	m.tag = tag
	m.lines = append(m.lines, line)
}

func (m *markdownWriter) item(list, line string) {
	if m.list == list {
		m.flush()
	} else {
		m.close()
		m.list = list
		m.out.WriteString("<" + list + ">\n")
	}
	m.block("li", line)
}

func (m *markdownWriter) code(lines []string) {
	m.close()
	m.out.WriteString("<pre>" + html.EscapeString(strings.Join(lines, "\n")) + "</pre>\n")
}

// flush writes the open block.
func (m *markdownWriter) flush() {
	if m.tag != "" {
		m.out.WriteString("<" + m.tag + ">")
		m.inline(strings.Join(m.lines, "\n"), 0)
		m.out.WriteString("</" + m.tag + ">\n")
	}
	m.tag, m.lines = "", nil
}

// close writes the open block, and ends the open list.
func (m *markdownWriter) close() {
	m.flush()
	if m.list != "" {
		m.out.WriteString("</" + m.list + ">\n")
		m.list = ""
	}
}

// The end of what is marked within a block is looked for so far, and in so many levels: a text that is made
// to cost much costs no more than its length.
const (
	maxSpan   = 600
	maxLevels = 3
)

// inline writes the text of a block.
func (m *markdownWriter) inline(text string, level int) {
	plain := 0 // the start of what is not written yet
	for i := 0; i < len(text); {
		markup, length := m.span(text, i, level)
		if length == 0 {
			i++
			continue
		}
		m.out.WriteString(html.EscapeString(text[plain:i]))
		markup()
		i += length
		plain = i
	}
	m.out.WriteString(html.EscapeString(text[plain:]))
}

// span returns how to write what begins at a place of a text, and its length; 0 if it is plain text.
func (m *markdownWriter) span(text string, at, level int) (write func(), length int) {
	rest := text[at:min(len(text), at+maxSpan)]
	switch c := rest[0]; {
	case c == '\\' && len(rest) > 1 && rest[1] < 0x80 && unicode.IsPunct(rune(rest[1])):
		return func() { m.out.WriteString(html.EscapeString(rest[1:2])) }, 2
	case c == '`':
		ticks := len(rest) - len(strings.TrimLeft(rest, "`"))
		if end := strings.Index(rest[ticks:], rest[:ticks]); end > 0 {
			return func() { m.wrapped("code", html.EscapeString(strings.TrimSpace(rest[ticks:ticks+end]))) }, 2*ticks + end
		}
		return func() { m.out.WriteString(rest[:ticks]) }, ticks
	case level >= maxLevels:
	case c == '[':
		if label, target, length := link(rest); length > 0 {
			return func() {
				if !safeTarget(target) {
					m.inline(label, level+1)
					return
				}
				m.out.WriteString(`<a href="` + escapeText(target) + `">`)
				m.inline(label, level+1)
				m.out.WriteString("</a>")
			}, length
		}
	case c == '!' && len(rest) > 1 && rest[1] == '[':
		if label, target, length := link(rest[1:]); length > 0 {
			return func() {
				if u, err := url.Parse(target); err != nil || u.Scheme != "" || u.Host != "" || strings.Contains(target, `\`) { // a slash to browsers
					m.out.WriteString(html.EscapeString(label)) // the page shows no images of others
					return
				}
				m.out.WriteString(`<img src="` + escapeText(target) + `" alt="` + escapeText(label) + `" loading="lazy">`)
			}, length + 1
		}
	case c == '<' && (strings.HasPrefix(rest, "<https://") || strings.HasPrefix(rest, "<http://")):
		if end := strings.IndexAny(rest, "> \n"); end > 0 && rest[end] == '>' && safeTarget(rest[1:end]) {
			return func() {
				m.out.WriteString(`<a href="` + escapeText(rest[1:end]) + `">` + escapeText(rest[1:end]) + `</a>`)
			}, end + 1
		}
	case c == '*' || c == '_' && (at == 0 || !isWord(text[at-1])):
		for _, emphasis := range []struct{ mark, tag string }{{rest[:1] + rest[:1], "strong"}, {rest[:1], "em"}} {
			inside, ok := strings.CutPrefix(rest, emphasis.mark)
			if !ok || inside == "" || inside[0] == ' ' || inside[0] == '\n' {
				continue
			}
			end := strings.Index(inside, emphasis.mark)
			if end <= 0 || inside[end-1] == ' ' || c == '_' && end+len(emphasis.mark) < len(inside) && isWord(inside[end+len(emphasis.mark)]) {
				continue
			}
			return func() {
				m.out.WriteString("<" + emphasis.tag + ">")
				m.inline(inside[:end], level+1)
				m.out.WriteString("</" + emphasis.tag + ">")
			}, end + 2*len(emphasis.mark)
		}
	}
	return nil, 0
}

func (m *markdownWriter) wrapped(tag, markup string) {
	m.out.WriteString("<" + tag + ">" + markup + "</" + tag + ">")
}

func isWord(c byte) bool { return c >= 0x80 || isDigit(c) || 'a' <= lower(c) && lower(c) <= 'z' }

// link returns the parts of a "[label](target)" at the start of a text, and its length.
func link(text string) (label, target string, length int) {
	depth := 0
	for i := range len(text) {
		switch text[i] {
		case '[':
			depth++
		case ']':
			depth--
		}
		if depth > 0 {
			continue
		}
		rest, ok := strings.CutPrefix(text[i+1:], "(")
		end := strings.IndexByte(rest, ')')
		if !ok || end < 0 {
			return "", "", 0
		}
		target, _, _ = strings.Cut(strings.TrimSpace(rest[:end]), " ") // a title may follow
		return text[1:i], target, i + 1 + end + 2
	}
	return "", "", 0
}

// safeTarget tells whether a link leads to a file, a web page or a mail address.
func safeTarget(target string) bool {
	u, err := url.Parse(target)
	if err != nil {
		return false
	}
	switch u.Scheme {
	case "", "http", "https", "mailto":
		return true
	default:
		return false
	}
}
