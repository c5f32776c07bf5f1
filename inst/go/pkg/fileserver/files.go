package fileserver

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// files opens what lies in the served directory, and nothing else.
type files struct {
	root    *os.Root
	secrets []os.FileInfo // files that are never served
}

// openFile is a file or directory that may be served.
type openFile struct {
	*os.File
	name string // as asked for, relative to the root
	info os.FileInfo
}

// open opens a file by its slash-separated name below the root, "" for the root
// itself. Links are followed as long as they stay inside. All that is not a
// regular file or a directory is said not to exist.
func (f files) open(name string) (*openFile, error) {
	if name == "." || name != "" && !fs.ValidPath(name) || !plainName(name) {
		return nil, fmt.Errorf("%q: %w", name, fs.ErrNotExist)
	}
	inside, err := f.resolve(filepath.FromSlash(name))
	if err != nil {
		return nil, err
	}
	// The root refuses what leaves it, also if somebody changes a link between
	// these lines. A pipe or device is not opened: that alone could block.
	if info, err := f.root.Stat(inside); err != nil {
		return nil, err
	} else if !servable(info) || f.isSecret(info) {
		return nil, fmt.Errorf("%q: %w", name, fs.ErrNotExist)
	}
	file, err := f.root.OpenFile(inside, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && (!servable(info) || f.isSecret(info)) {
		err = fmt.Errorf("%q: %w", name, fs.ErrNotExist)
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return &openFile{File: file, name: name, info: info}, nil
}

// resolve returns the name, relative to the root, that the links of a name
// lead to. The root itself follows relative links only.
func (f files) resolve(name string) (string, error) {
	top, err := filepath.EvalSymlinks(f.root.Name())
	if err != nil {
		return "", err
	}
	target, err := filepath.EvalSymlinks(filepath.Join(top, name))
	if err != nil {
		return "", err
	}
	inside, err := filepath.Rel(top, target)
	if err != nil || !filepath.IsLocal(inside) {
		return "", fmt.Errorf("%q leads out of the directory: %w", name, fs.ErrNotExist)
	}
	return inside, nil
}

func servable(info os.FileInfo) bool {
	return info.Mode().IsRegular() || info.IsDir()
}

func (f files) isSecret(info os.FileInfo) bool {
	return slices.ContainsFunc(f.secrets, func(secret os.FileInfo) bool { return os.SameFile(secret, info) })
}

// plainName refuses the other names that a platform has for files: a NUL ends
// a name for the kernel; on Windows a backslash separates, a colon starts a
// stream, and dots and spaces at the end and short names are aliases.
func plainName(name string) bool {
	if strings.ContainsRune(name, 0) {
		return false
	}
	return runtime.GOOS != "windows" || plainWindowsName(name)
}

func plainWindowsName(name string) bool {
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
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var entries []string
	for _, name := range names {
		child := name
		if dir.name != "" {
			child = dir.name + "/" + name
		}
		if !plainName(child) {
			continue
		}
		inside, err := f.resolve(filepath.FromSlash(child))
		if err != nil {
			continue // it leads out, or nowhere
		}
		info, err := f.root.Stat(inside)
		switch {
		case err != nil || !servable(info) || f.isSecret(info):
		case info.IsDir():
			entries = append(entries, name+"/")
		default:
			entries = append(entries, name)
		}
	}
	return entries, nil
}
