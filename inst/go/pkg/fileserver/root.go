package fileserver

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
)

// root opens files in a directory that is served, and no others. The directory is looked up
// by its path each time: what has replaced it is served in its place.
type root struct {
	path    string // as configured, absolute, links in it not followed
	hide    func(name string) bool
	current current
}

// fileID identifies a file, whatever its name.
type fileID struct{ dev, ino uint64 }

// meta is what is known of a file without reading it. Times are in nanoseconds since 1970.
type meta struct {
	id           fileID
	size         int64
	mtime, ctime int64 // of the last change of content, and of anything
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

// errMissing tells that the root itself is not there, errLink that a path has a link in it.
var (
	errMissing = fmt.Errorf("the directory is not there: %w", fs.ErrNotExist)
	errLink    = errors.New("a link is on the way")
)

// maxAttempts is how often a path is resolved while its links change.
const maxAttempts = 5

// newRoot returns a root whose names are hidden as told.
func newRoot(dir string, hide func(name string) bool) (*root, error) {
	r := &root{path: dir, hide: hide}
	f, err := r.open("")
	if err != nil {
		return nil, fmt.Errorf("cannot serve %q: %w; its owner can make it readable", dir, err)
	}
	f.Close()
	return r, nil
}

// Close closes the directory.
func (r *root) Close() error { return r.current.close() }

// open opens a file by its slash-separated name below the root, "" for the root itself.
// Links are followed as long as they stay inside. Anything that is not a regular file or a
// directory is reported not to exist.
//
// A name is opened without following links. If there is one, its target is looked for, checked
// like a name, and opened in the same way: what is opened is what was checked.
func (r *root) open(name string) (*opened, error) {
	f, t, err := r.openIn(name)
	if err != nil {
		return nil, err
	}
	if t.isAlias(f.real) {
		f.Close()
		return nil, notFound(name)
	}
	return f, nil
}

// openIn is open for names that a list may have. It returns the directory as well.
func (r *root) openIn(name string) (*opened, *tree, error) {
	if !validName(name) || r.hide(name) {
		return nil, nil, notFound(name)
	}
	t, err := r.current.tree(r.path)
	if err != nil {
		return nil, nil, err
	}
	real := name
	for range maxAttempts {
		f, m, err := t.open(real)
		if err == nil {
			if !servable(m.mode) || inUse.has(m.id) || inUse.hasPath(t.real, real) {
				f.Close()
				return nil, nil, notFound(name)
			}
			return &opened{file: f, name: name, real: real, meta: m}, t, nil
		}
		if !errors.Is(err, errLink) {
			return nil, nil, err
		}
		if real, err = r.resolve(t, name); err != nil {
			return nil, nil, err
		}
	}
	return nil, nil, notFound(name)
}

// resolve returns the slash-separated name that the links of a name lead to. The error does
// not say why: that would reveal what there is outside.
func (r *root) resolve(t *tree, name string) (string, error) {
	target, err := filepath.EvalSymlinks(filepath.Join(t.real, filepath.FromSlash(name)))
	if err != nil {
		return "", notFound(name)
	}
	inside, err := filepath.Rel(t.real, target)
	if err != nil || !filepath.IsLocal(inside) {
		return "", notFound(name)
	}
	real := filepath.ToSlash(inside)
	if real == "." {
		real = ""
	}
	if !validName(real) || r.hide(real) {
		return "", notFound(name)
	}
	return real, nil
}

func notFound(name string) error { return fmt.Errorf("%q: %w", name, fs.ErrNotExist) }

func servable(mode fs.FileMode) bool { return mode.IsRegular() || mode.IsDir() }

// visible tells whether an entry of a directory is served, and whether it is, or leads to, a
// directory. The type is that of fs.DirEntry: nothing is asked of the disk for plain files.
func (r *root) visible(dir *opened, name string, typ fs.FileMode) (isDir, ok bool) {
	if !validName(name) || r.hide(path.Join(dir.name, name)) {
		return false, false
	}
	if typ&(fs.ModeSymlink|fs.ModeIrregular) != 0 || inUse.linked() {
		m, err := r.stat(path.Join(dir.name, name))
		return err == nil && m.mode.IsDir(), err == nil
	}
	if inUse.hasName(name) {
		if t, err := r.current.tree(r.path); err != nil || inUse.hasPath(t.real, path.Join(dir.real, name)) {
			return false, false
		}
	}
	return typ.IsDir(), servable(typ)
}

// stat returns what is known of a file that a list has and that may be served. Links are followed.
func (r *root) stat(name string) (meta, error) {
	f, _, err := r.openIn(name)
	if err != nil {
		return meta{}, err
	}
	defer f.Close()
	return f.meta, nil
}
