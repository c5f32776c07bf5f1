package fileserver

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// inUse are the certificates and keys that the servers of this process use, and what they are told to
// protect. It is one for all servers, so that none serves the key of another.
var inUse registry

// registry is a set of files that are not served, by whatever name. Readers take no lock.
type registry struct {
	mu    sync.Mutex
	files map[*protectedFile]struct{}
	now   atomic.Pointer[protectedFiles] // nil if there are none
}

// protectedFile is one of them. It is kept open, so that no other file can get its identity.
type protectedFile struct {
	path, real string
	held       *os.File // nil if it could not be opened
	id         fileID
}

type protectedFiles struct {
	paths []string
	ids   map[fileID]struct{}

	counted atomic.Pointer[linkCount]
}

// linkCount tells whether one of them had several names at a time.
type linkCount struct {
	at     time.Time
	linked bool
}

// add protects a file, or what will be at its path. It returns what ends that.
func (r *registry) add(path string) (remove func()) {
	p := &protectedFile{path: path, real: path}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		p.real = real
	}
	if std, err := os.OpenFile(p.real, os.O_RDONLY|nonblock, 0); err == nil {
		p.held = std
		if m, err := statFile(std); err == nil {
			p.id = m.id
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.files == nil {
		r.files = make(map[*protectedFile]struct{})
	}
	r.files[p] = struct{}{}
	r.update()
	return sync.OnceFunc(func() { r.remove(p) })
}

func (r *registry) remove(p *protectedFile) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.files, p)
	r.update()
	if p.held != nil {
		_ = p.held.Close()
	}
}

// update makes what readers see. Call it with r.mu held.
func (r *registry) update() {
	if len(r.files) == 0 {
		r.now.Store(nil)
		return
	}
	now := &protectedFiles{ids: make(map[fileID]struct{})}
	for p := range r.files {
		now.paths = append(now.paths, p.path, p.real)
		if p.id != (fileID{}) {
			now.ids[p.id] = struct{}{}
		}
	}
	r.now.Store(now)
}

// hasPath tells whether the file at a real path, slash-separated below a directory, is in use.
func (r *registry) hasPath(top, name string) bool {
	now := r.now.Load()
	if now == nil {
		return false
	}
	name = filepath.FromSlash(name)
	for _, p := range now.paths {
		if rest, ok := cutDir(p, top); ok && strings.EqualFold(rest, name) {
			return true
		}
	}
	return false
}

// cutDir returns the rest of a path below a directory.
func cutDir(path, dir string) (rest string, ok bool) {
	if len(path) <= len(dir) || !strings.EqualFold(path[:len(dir)], dir) {
		return "", false
	}
	rest = path[len(dir):]
	if os.IsPathSeparator(rest[0]) {
		return rest[1:], true
	}
	return rest, len(dir) > 0 && os.IsPathSeparator(dir[len(dir)-1])
}

// has tells whether a file is in use, whatever its name.
func (r *registry) has(id fileID) bool {
	now := r.now.Load()
	if now == nil || id == (fileID{}) {
		return false
	}
	_, ok := now.ids[id]
	return ok
}

// hasName tells whether a file in use has that name, in whatever directory.
func (r *registry) hasName(name string) bool {
	now := r.now.Load()
	return now != nil && slices.ContainsFunc(now.paths, func(path string) bool { return strings.EqualFold(filepath.Base(path), name) })
}

// linkTime is for how long the number of names of a file is remembered.
const linkTime = time.Second

// linked tells whether one of them has several names, or had a moment ago: then a list must look at each file.
func (r *registry) linked() bool {
	now := r.now.Load()
	if now == nil {
		return false
	}
	if last := now.counted.Load(); last != nil && time.Since(last.at) < linkTime {
		return last.linked
	}
	count := &linkCount{at: time.Now()}
	r.mu.Lock()
	defer r.mu.Unlock()
	for p := range r.files {
		if p.held == nil {
			continue
		}
		if m, err := statFile(p.held); err != nil || m.links > 1 {
			count.linked = true
		}
	}
	now.counted.Store(count)
	return count.linked
}
