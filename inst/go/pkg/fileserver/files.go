package fileserver

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// files opens files in the served directory, and no others.
type files struct {
	root    *os.Root
	secrets secrets
}

// openFile is a file or directory that may be served.
type openFile struct {
	*os.File
	name string // as requested, relative to the root
	info os.FileInfo
}

// open opens a file by its slash-separated name below the root, "" for the root itself.
// Links are followed as long as they stay inside. Anything that is not a regular file or a
// directory is reported not to exist.
func (f files) open(name string) (*openFile, error) {
	if name == "." || name != "" && !fs.ValidPath(name) || !simpleName(name) {
		return nil, fmt.Errorf("%q: %w", name, fs.ErrNotExist)
	}
	inside, err := f.resolve(name)
	if err != nil {
		return nil, err
	}
	hidden := f.secrets.now()
	// The root refuses paths that leave it, even if a link changes between these lines. A
	// pipe or device is not opened, as that could block.
	if info, err := f.root.Stat(inside); err != nil {
		return nil, err
	} else if !servable(info) || hidden.has(info) {
		return nil, fmt.Errorf("%q: %w", name, fs.ErrNotExist)
	}
	file, err := f.root.OpenFile(inside, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && (!servable(info) || hidden.has(info)) {
		err = fmt.Errorf("%q: %w", name, fs.ErrNotExist)
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return &openFile{File: file, name: name, info: info}, nil
}

// resolve returns the path, relative to the root, that the links of a
// slash-separated name lead to. The root itself follows relative links only. The error does
// not say why: that would reveal what there is outside.
func (f files) resolve(name string) (string, error) {
	nowhere := fmt.Errorf("%q: %w", name, fs.ErrNotExist)
	top, err := filepath.EvalSymlinks(f.root.Name())
	if err != nil {
		return "", nowhere
	}
	target, err := filepath.EvalSymlinks(filepath.Join(top, filepath.FromSlash(name)))
	if err != nil {
		return "", nowhere
	}
	inside, err := filepath.Rel(top, target)
	if err != nil || !filepath.IsLocal(inside) {
		return "", nowhere
	}
	return inside, nil
}

func servable(info os.FileInfo) bool {
	return info.Mode().IsRegular() || info.IsDir()
}

// simpleName refuses names that a platform reads in another way: a NUL ends a name for the
// kernel; on Windows a backslash separates, a colon starts a stream, and dots and spaces at
// the end and short names are aliases.
func simpleName(name string) bool {
	if strings.ContainsRune(name, 0) {
		return false
	}
	return runtime.GOOS != "windows" || simpleWindowsName(name)
}

func simpleWindowsName(name string) bool {
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

// list returns the names in a directory that can be served, sorted, with a
// slash after those of directories.
func (f files) list(dir *openFile) ([]string, error) {
	children, err := dir.ReadDir(-1)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(children, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	hidden := f.secrets.now()
	var entries []string
	for _, child := range children {
		info, err := f.child(dir, child)
		switch {
		case err != nil || !simpleName(child.Name()) || !servable(info) || hidden.has(info):
		case info.IsDir():
			entries = append(entries, child.Name()+"/")
		default:
			entries = append(entries, child.Name())
		}
	}
	return entries, nil
}

// child returns the information on an entry of a directory, or on the target of a link.
func (f files) child(dir *openFile, entry fs.DirEntry) (os.FileInfo, error) {
	if entry.Type()&(fs.ModeSymlink|fs.ModeIrregular) == 0 {
		return entry.Info()
	}
	inside, err := f.resolve(path.Join(dir.name, entry.Name()))
	if err != nil {
		return nil, err
	}
	return f.root.Stat(inside)
}
