//go:build !linux

package fileserver

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// current is the directory that is at the path of a root. It is not held open: on Windows nobody
// could remove it then.
type current struct{}

// tree is a directory.
type tree struct {
	real string // its path without links
}

// tree returns the directory that is at the path now.
func (current) tree(path string) (*tree, error) {
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrPermission) {
		return nil, err
	}
	if err != nil {
		return nil, errMissing
	}
	return &tree{real: real}, nil
}

func (current) close() error { return nil }

// open opens a file that has no link in its path.
func (t *tree) open(name string) (file, meta, error) {
	if name == "" {
		name = "."
	}
	return openByRoot(t.real, name)
}

// file is an open file.
type file struct{ std *os.File }

// Close closes the file.
func (f *file) Close() { _ = f.std.Close() }

// stdFile returns the file as os has it: to read a directory, or to send a large file.
func (f *file) stdFile() *os.File { return f.std }

// readAt reads the bytes at an offset, all of them or as many as there are.
func (f *file) readAt(p []byte, offset int64) (int, error) {
	n, err := f.std.ReadAt(p, offset)
	if err == io.EOF {
		err = nil
	}
	return n, err
}

func (f *file) stat() (meta, error) { return statFile(f.std) }

// newFile returns a file that os has opened.
func newFile(std *os.File) file { return file{std} }
