package fileserver

import (
	"runtime"
	"strings"
)

// mergeSlashes makes one slash of several, as most servers do.
func mergeSlashes(path string) string {
	if !strings.Contains(path, "//") {
		return path
	}
	merged := make([]byte, 0, len(path))
	for i := range len(path) {
		if path[i] != '/' || i == 0 || path[i-1] != '/' {
			merged = append(merged, path[i])
		}
	}
	return string(merged)
}

// validName tells whether a slash-separated name below a root can be that of a file. It may hold
// any bytes, but none that a platform reads in another way: a NUL ends a name for the kernel;
// on Windows a backslash separates, a colon starts a stream, and dots and spaces at
// the end and short names are aliases. The root itself is "".
func validName(name string) bool {
	if name == "" {
		return true
	}
	start := 0
	for i := 0; i <= len(name); i++ {
		if i < len(name) && name[i] != '/' {
			if name[i] == 0 {
				return false
			}
			continue
		}
		switch name[start:i] {
		case "", ".", "..":
			return false
		}
		start = i + 1
	}
	return runtime.GOOS != "windows" || validWindowsName(name)
}

func validWindowsName(name string) bool {
	if strings.ContainsAny(name, `\:~`) {
		return false
	}
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasSuffix(part, ".") || strings.HasSuffix(part, " ") {
			return false
		}
	}
	return true
}
