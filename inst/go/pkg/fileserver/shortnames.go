package fileserver

import (
	"path"
	"slices"
	"strings"
)

// A file on a disk of Windows may have a second name, such as "ENV~1" for ".env", and has it wherever the
// disk is mounted. The second name is not in the list of its directory, which tells it from others that
// look the same.

// isShortName tells whether a name has the form of such a second name.
func isShortName(name string) bool {
	base, extension := name, ""
	if dot := strings.LastIndexByte(name, '.'); dot >= 0 {
		base, extension = name[:dot], name[dot+1:]
	}
	tilde := strings.LastIndexByte(base, '~')
	return tilde > 0 && len(base) <= 8 && len(extension) <= 3 && tilde < len(base)-1 && strings.Trim(base[tilde+1:], "0123456789") == ""
}

// isAlias tells whether a part of a slash-separated name, which has no link in it, is a second name.
func (t *tree) isAlias(name string) bool {
	for dir, base := name, ""; dir != "" && strings.Contains(dir, "~"); {
		dir, base = path.Split(dir)
		dir = strings.TrimSuffix(dir, "/")
		if isShortName(base) && !t.lists(dir, base) {
			return true
		}
	}
	return false
}

// lists tells whether a directory lists a name.
func (t *tree) lists(dir, name string) bool {
	f, _, err := t.open(dir)
	if err != nil {
		return false
	}
	defer f.Close()
	std := f.stdFile()
	for {
		names, err := std.Readdirnames(batch)
		if slices.Contains(names, name) {
			return true
		}
		if err != nil {
			return false
		}
	}
}
