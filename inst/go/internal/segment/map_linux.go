package segment

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// reservation is how many bytes of addresses a segment has once a call allocates in it, so
// that it grows without moving: a mapping may reach beyond the end of its file.
const reservation = 64<<30>>(64-bits.UintSize) | 64<<20

// growthChunk is how much a segment grows by at once: a signal, of which Go sends some to
// itself, undoes what a call of fallocate has done.
const growthChunk = 16 << 20

// Supported tells whether there are segments on this system. A limit on addresses, such as
// that of "ulimit -v", leaves none for reservations.
func Supported() bool {
	var limit unix.Rlimit
	return unix.Getrlimit(unix.RLIMIT_AS, &limit) == nil && limit.Cur == unix.RLIM_INFINITY
}

// fileID tells files apart.
type fileID struct{ device, inode uint64 }

// file is an open segment.
type file struct {
	fd   int
	id   fileID
	size int
}

func (f file) close() { _ = unix.Close(f.fd) }

// open opens a segment of a process: a memfd of our own user that nobody can shrink, or
// else reading it could fault.
func open(pid int, fd uint32, writable bool) (file, error) {
	flags := unix.O_RDONLY
	if writable {
		flags = unix.O_RDWR
	}
	f := file{fd: -1}
	err := retry(func() (err error) {
		// Without O_NONBLOCK, the open of a pipe could wait.
		f.fd, err = unix.Open(path(pid, fd), flags|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
		return err
	})
	if err != nil {
		return f, fmt.Errorf("cannot open %s: %w", path(pid, fd), err)
	}
	if err := f.check(); err != nil {
		f.close()
		return f, err
	}
	return f, nil
}

func path(pid int, fd uint32) string { return fmt.Sprintf("/proc/%d/fd/%d", pid, fd) }

func (f *file) check() error {
	var st unix.Stat_t
	if err := unix.Fstat(f.fd, &st); err != nil {
		return err
	}
	seals, err := unix.FcntlInt(uintptr(f.fd), unix.F_GET_SEALS, 0)
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return errors.New("it is not a regular file")
	case st.Uid != uint32(os.Geteuid()):
		return fmt.Errorf("it belongs to user %d", st.Uid)
	case err != nil || seals&unix.F_SEAL_SHRINK == 0:
		return errors.New("it can be shrunk")
	case st.Size <= 0 || st.Size > math.MaxInt/2:
		return fmt.Errorf("it has %d bytes", st.Size)
	}
	f.id, f.size = fileID{uint64(st.Dev), st.Ino}, int(st.Size)
	return nil
}

// Map maps the first size bytes of a segment of a process, which both write. It must
// be unmapped, once, when nothing uses the memory any more.
func Map(pid int, fd uint32, size int) (memory []byte, unmap func(), err error) {
	f, err := open(pid, fd, true)
	if err != nil {
		return nil, nil, err
	}
	defer f.close()
	if f.size < size {
		return nil, nil, fmt.Errorf("it has %d bytes, not %d", f.size, size)
	}
	base, err := unix.MmapPtr(f.fd, 0, nil, uintptr(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot map %d bytes: %w", size, err)
	}
	return unsafe.Slice((*byte)(base), size), func() { _ = unix.MunmapPtr(base, uintptr(size)) }, nil
}

// newMapping maps a segment.
func newMapping(pid int, key mappingKey) (*mapping, error) {
	f, err := open(pid, key.name.FD, key.writable)
	if err != nil {
		return nil, err
	}
	defer f.close()
	m := &mapping{mappingKey: key, file: f.id, size: f.size, reserved: wholePages(f.size)}
	protection := unix.PROT_READ
	if key.writable {
		protection |= unix.PROT_WRITE
	}
	if m.base, err = unix.MmapPtr(f.fd, 0, nil, uintptr(m.reserved), protection, unix.MAP_SHARED); err != nil {
		return nil, fmt.Errorf("cannot map %d bytes: %w", f.size, err)
	}
	return m, nil
}

func wholePages(n int) int {
	page := os.Getpagesize()
	return (n + page - 1) / page * page
}

// reserve has a mapping whose memory nothing uses reach beyond the segment, and returns false
// if there are no addresses left. It may move.
func (m *mapping) reserve(size int) bool { return m.reserved >= size || m.resize(wholePages(size)) }

// trim gives back the addresses beyond the segment.
func (m *mapping) trim() { m.resize(wholePages(m.size)) }

// resize has a mapping reach so far. The pages that are in it stay so.
func (m *mapping) resize(size int) bool {
	if size == m.reserved {
		return true
	}
	base, err := unix.MremapPtr(m.base, uintptr(m.reserved), nil, uintptr(size), unix.MREMAP_MAYMOVE)
	if err == nil {
		m.base, m.reserved = base, size
	}
	return err == nil
}

func (m *mapping) unmap() {
	m.addresses().free()
	m.base, m.size, m.reserved = nil, 0, 0
}

func (m *mapping) addresses() addresses { return addresses{m.base, m.reserved} }

// leave has the segment mapped elsewhere. What it has left then holds what the segment does,
// but what is written there is not written to the segment. If there is an error, the segment
// is not mapped any more.
func (m *mapping) leave(pid int) (left addresses, err error) {
	left = m.addresses()
	m.base, m.reserved = nil, 0
	f, err := m.open(pid)
	if err != nil {
		return left, err
	}
	defer f.close()
	size := uintptr(left.size)
	// This moves the pages as well, which are not touched anew then. Linux does so from 5.13 on.
	base, err := unix.MremapPtr(left.base, size, nil, size, unix.MREMAP_MAYMOVE|unix.MREMAP_DONTUNMAP)
	if err != nil {
		base, err = unix.MmapPtr(f.fd, 0, nil, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	}
	if err != nil {
		return left, err
	}
	_, err = unix.MmapPtr(f.fd, 0, left.base, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_FIXED|unix.MAP_NORESERVE)
	if err != nil {
		addresses{base, left.size}.free()
		return left, err
	}
	m.base, m.reserved = base, left.size
	return left, nil
}

// block has every access to the addresses fault, and keeps no memory for them.
func (a addresses) block() error {
	_, err := unix.MmapPtr(-1, 0, a.base, uintptr(a.size), unix.PROT_NONE,
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_FIXED|unix.MAP_NORESERVE)
	return err
}

// free unmaps what lies at the addresses.
func (a addresses) free() { _ = unix.MunmapPtr(a.base, uintptr(a.size)) }

// grow lets a segment have at least so many bytes, with memory for them: otherwise a write
// would end the process if there is none. Others may have let it grow already.
func (m *mapping) grow(pid, size int) error {
	f, err := m.open(pid)
	if err != nil {
		return err
	}
	defer f.close()
	if m.size = min(f.size, m.reserved); size <= m.size {
		return nil
	}
	// Larger steps as it grows, so that many allocations do not take many calls.
	size = min(wholePages(size+m.size/8), m.reserved)
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	if uint64(size) > limit.Cur { // it would raise SIGXFSZ
		return unix.EFBIG
	}
	for m.size < size {
		n := min(size-m.size, growthChunk)
		if err := retry(func() error { return unix.Fallocate(f.fd, 0, int64(m.size), int64(n)) }); err != nil {
			return err
		}
		m.size += n
	}
	return nil
}

// open opens the segment again.
func (m *mapping) open(pid int) (file, error) {
	f, err := open(pid, m.name.FD, true)
	if err == nil && f.id != m.file {
		f.close()
		err = errors.New("it is another file than before")
	}
	return f, err
}

// isOpen tells whether the process still has the segment.
func (m *mapping) isOpen(pid int) bool {
	var st unix.Stat_t
	err := retry(func() error { return unix.Stat(path(pid, m.name.FD), &st) })
	return err == nil && m.file == fileID{uint64(st.Dev), st.Ino}
}

// retry repeats a system call that a signal has interrupted.
func retry(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}
