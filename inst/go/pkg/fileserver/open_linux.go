package fileserver

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// current is the directory that is at the path of a root.
type current struct {
	mu   sync.Mutex // held to replace the tree
	last atomic.Pointer[tree]
}

// tree is an open directory. Requests under way keep theirs when it is replaced; the last closes it.
type tree struct {
	dir  *os.File
	real string // its path without links
	id   fileID
}

// tree returns the directory that is at the path now.
func (c *current) tree(path string) (*tree, error) {
	var st unix.Stat_t
	if err := again(func() error { return unix.Stat(path, &st) }); err != nil {
		return nil, errMissing
	}
	id := fileID{uint64(st.Dev), uint64(st.Ino)}
	if t := c.last.Load(); t != nil && t.id == id {
		return t, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	dir, err := os.OpenFile(path, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NONBLOCK, 0)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) {
			return nil, err
		}
		return nil, errMissing
	}
	t := &tree{dir: dir}
	m, err := statFile(dir)
	if err == nil {
		t.id = m.id
		t.real, err = os.Readlink(fmt.Sprintf("/proc/self/fd/%d", dir.Fd()))
	}
	if err != nil {
		t.real, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		_ = dir.Close()
		return nil, errMissing
	}
	c.last.Store(t)
	return t, nil
}

func (c *current) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.last.Swap(nil); t != nil {
		return t.dir.Close()
	}
	return nil
}

// noOpenat2 is set when the kernel lacks openat2, or a sandbox forbids it.
var noOpenat2 atomic.Bool

var beneath = unix.OpenHow{
	Flags:   unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NONBLOCK | unix.O_NOCTTY,
	Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS,
}

// open opens a file that has no link in its path. To open a pipe would wake its writer, and a
// device may act: so they are told before.
func (t *tree) open(name string) (file, meta, error) {
	defer runtime.KeepAlive(t)
	dir := int(t.dir.Fd())
	if name == "" {
		name = "."
	}
	var st unix.Stat_t
	if err := again(func() error { return unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW) }); err != nil {
		return file{}, meta{}, openError(name, err)
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG, unix.S_IFDIR:
	case unix.S_IFLNK:
		return file{}, meta{}, errLink
	default:
		return file{}, meta{}, notFound(name)
	}
	if noOpenat2.Load() {
		return openByRoot(t.real, name)
	}
	f := file{fd: -1}
	err := again(func() (err error) {
		f.fd, err = unix.Openat2(dir, name, &beneath)
		return err
	})
	switch {
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EPERM):
		noOpenat2.Store(true)
		return openByRoot(t.real, name)
	case err != nil:
		return file{}, meta{}, openError(name, err)
	}
	m, err := f.stat()
	if err != nil {
		f.Close()
		return file{}, meta{}, openError(name, err)
	}
	return f, m, nil
}

// openError returns the error of a file that cannot be opened, as package fs has it.
func openError(name string, err error) error {
	switch {
	case errors.Is(err, unix.ELOOP):
		return errLink
	case errors.Is(err, fs.ErrPermission), errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE):
		return fmt.Errorf("%q: %w", name, err)
	default:
		return notFound(name)
	}
}

// again repeats a system call that was interrupted, or that found its path being changed.
func again(call func() error) error {
	for {
		if err := call(); err != unix.EINTR && err != unix.EAGAIN {
			return err
		}
	}
}

// file is an open file. Most need no more than a descriptor: what os does to one takes three system calls.
type file struct {
	fd  int
	std *os.File // nil until it is asked for
}

// Close closes the file.
func (f *file) Close() {
	if f.std != nil {
		_ = f.std.Close()
		return
	}
	_ = unix.Close(f.fd)
}

// stdFile returns the file as os has it: to read a directory, or to send a large file.
func (f *file) stdFile() *os.File {
	if f.std == nil {
		// By this name os asks for the types of entries, on file systems that do not tell them with the names.
		f.std = os.NewFile(uintptr(f.fd), fmt.Sprintf("/proc/self/fd/%d", f.fd))
	}
	return f.std
}

// readAt reads the bytes at an offset, all of them or as many as there are.
func (f *file) readAt(p []byte, offset int64) (n int, err error) {
	for n < len(p) {
		var m int
		err := again(func() (err error) {
			m, err = unix.Pread(f.fd, p[n:], offset+int64(n))
			return err
		})
		if err != nil || m == 0 {
			return n, err
		}
		n += m
	}
	return n, nil
}

func (f *file) stat() (meta, error) {
	var st unix.Stat_t
	if err := again(func() error { return unix.Fstat(f.fd, &st) }); err != nil {
		return meta{}, err
	}
	m := meta{
		id: fileID{uint64(st.Dev), uint64(st.Ino)}, size: st.Size, links: uint64(st.Nlink),
		mtime: st.Mtim.Nano(), ctime: st.Ctim.Nano(), mode: fs.FileMode(st.Mode & 0o777),
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
	case unix.S_IFDIR:
		m.mode |= fs.ModeDir
	default:
		m.mode |= fs.ModeIrregular
	}
	return m, nil
}

// newFile returns a file that os has opened.
func newFile(std *os.File) file { return file{fd: int(std.Fd()), std: std} }
