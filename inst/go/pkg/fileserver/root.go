package fileserver

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// root opens files in a directory that is served, and no others.
type root struct {
	path   string // as configured, absolute
	config *Config
	dir    *os.Root
}

// fileID identifies a file, whatever its name.
type fileID struct{ dev, ino uint64 }

// meta is what is known of a file without reading it. Times are in nanoseconds since 1970.
type meta struct {
	id           fileID
	size         int64
	mtime, ctime int64
	mode         fs.FileMode
	links        uint64
}

// opened is an open file or directory that may be served.
type opened struct {
	file
	name string // as requested, relative to the root
	real string // without links
	meta
}

func newRoot(dir string, config *Config) (*root, error) {
	r, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot serve %q: %w; its owner can make it readable", dir, err)
	}
	return &root{path: dir, config: config, dir: r}, nil
}

// Close closes the directory.
func (r *root) Close() error { return r.dir.Close() }

// open opens a file by its slash-separated name below the root, "" for the root itself.
// Links are followed as long as they stay inside. Anything that is not a regular file or a
// directory is reported not to exist.
func (r *root) open(name string) (*opened, error) {
	if !validName(name) {
		return nil, notFound(name)
	}
	inside, err := r.resolve(name)
	if err != nil {
		return nil, err
	}
	// The root refuses paths that leave it, even if a link changes between these lines. A
	// pipe or device is not opened, as that could block.
	if info, err := r.dir.Stat(inside); err != nil {
		return nil, err
	} else if !servable(info.Mode()) {
		return nil, notFound(name)
	}
	std, err := r.dir.OpenFile(inside, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, err
	}
	f := file{std}
	m, err := f.stat()
	if err == nil && (!servable(m.mode) || inUse.has(m.id) || inUse.hasPath(r.path, filepath.ToSlash(inside))) {
		err = notFound(name)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &opened{file: f, name: name, real: filepath.ToSlash(inside), meta: m}, nil
}

// resolve returns the path, relative to the root, that the links of a
// slash-separated name lead to. The error does
// not say why: that would reveal what there is outside.
func (r *root) resolve(name string) (string, error) {
	top, err := filepath.EvalSymlinks(r.path)
	if err != nil {
		return "", notFound(name)
	}
	target, err := filepath.EvalSymlinks(filepath.Join(top, filepath.FromSlash(name)))
	if err != nil {
		return "", notFound(name)
	}
	inside, err := filepath.Rel(top, target)
	if err != nil || !filepath.IsLocal(inside) {
		return "", notFound(name)
	}
	return inside, nil
}

func notFound(name string) error { return fmt.Errorf("%q: %w", name, fs.ErrNotExist) }

func servable(mode fs.FileMode) bool { return mode.IsRegular() || mode.IsDir() }

// visible tells whether an entry of a directory is served, and whether it is, or leads to, a
// directory. The type is that of fs.DirEntry: nothing is asked of the disk for plain files.
func (r *root) visible(dir *opened, name string, typ fs.FileMode) (isDir, ok bool) {
	full := path.Join(dir.name, name)
	if !validName(name) {
		return false, false
	}
	if typ&(fs.ModeSymlink|fs.ModeIrregular) == 0 && !inUse.identified() {
		return typ.IsDir(), servable(typ)
	}
	m, err := r.stat(full)
	return err == nil && m.mode.IsDir(), err == nil
}

// stat returns what is known of a file that may be served. Links are followed.
func (r *root) stat(name string) (meta, error) {
	f, err := r.open(name)
	if err != nil {
		return meta{}, err
	}
	defer f.Close()
	return f.meta, nil
}
