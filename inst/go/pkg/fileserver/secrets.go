package fileserver

import (
	"os"
	"slices"
)

// secrets are files that are never served, by whatever name or link.
type secrets struct {
	paths []string
	first identities // the files at the start
}

// identities identify files, whatever their names.
type identities []os.FileInfo

// newSecrets hides the files at the paths. Empty paths are ignored.
func newSecrets(paths ...string) secrets {
	s := secrets{paths: paths}
	s.first = s.now()
	return s
}

// now returns the files to hide: those at the start, and those that have replaced them
// since, such as a renewed certificate.
func (s secrets) now() identities {
	hidden := slices.Clip(s.first)
	for _, path := range s.paths {
		if path == "" {
			continue
		}
		if info, err := os.Stat(path); err == nil && !hidden.has(info) {
			hidden = append(hidden, info)
		}
	}
	return hidden
}

func (ids identities) has(info os.FileInfo) bool {
	return slices.ContainsFunc(ids, func(id os.FileInfo) bool { return os.SameFile(id, info) })
}
