package fileserver

import (
	"bytes"
	"errors"
	"html"
	"path"
	"strings"
)

// maxReadme is the size of a file that is shown below a directory.
const maxReadme = 256 << 10

// readmeNames are the names, in lower case, of files that tell about a directory. The first counts.
var readmeNames = []string{"readme.md", "readme.txt", "readme"}

// readme returns the name of the file that tells about the directory, "" if there is none.
func (n *names) readme() string {
	best, found := len(readmeNames), ""
	for _, s := range n.all {
		if s.isDir || int(s.length) > len("readme.txt") {
			continue
		}
		name := string(n.bytes(s))
		for i, candidate := range readmeNames[:best] {
			if strings.EqualFold(name, candidate) {
				best, found = i, name
			}
		}
	}
	return found
}

// readText reads a small text file in a directory.
func (r *root) readText(dir *opened, name string) (string, error) {
	f, err := r.open(path.Join(dir.name, name))
	if err != nil {
		return "", err
	}
	defer f.Close()
	if f.mode.IsDir() || f.size > maxReadme {
		return "", errors.New("this is not a small text")
	}
	text := make([]byte, f.size)
	n, err := f.readAt(text, 0)
	if err != nil || bytes.IndexByte(text[:n], 0) >= 0 {
		return "", errors.New("this is not a text")
	}
	return strings.ToValidUTF8(strings.TrimSpace(string(text[:n])), "\uFFFD"), nil
}

// readmeHTML returns what a file tells as markup.
func readmeHTML(name, text string) string {
	if strings.EqualFold(path.Ext(name), ".md") {
		return `<div class="text">` + markdown(text) + "</div>\n"
	}
	return `<pre class="text">` + html.EscapeString(text) + "</pre>\n"
}
