package fileserver

import (
	"encoding/binary"
	"hash"
	"hash/fnv"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// version stands for the content of a directory: it is another one after a change.
type version struct{ styles, rest uint64 }

// watcher tells when the files in a directory change. It looks at them again and again: systems that tell
// by themselves differ, and do not see what is mounted from elsewhere.
type watcher struct {
	root  *root
	ended <-chan struct{}

	mu        sync.Mutex
	listeners int
	running   bool
	now       version       // zero until the first look
	changed   chan struct{} // closed when now changes
}

const (
	watchTime  = 300 * time.Millisecond // between two looks, at least
	watchShare = 10                     // and so many times what a look takes
	maxWatched = 20_000                 // entries of a directory that are watched
)

// state returns the version, and a channel that is closed when there is another one.
func (w *watcher) state() (now version, changed <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now, w.changed
}

func (w *watcher) leave() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.listeners--
}

// run looks until nobody listens. A change is told when two looks see the same: a site is
// written in many steps.
func (w *watcher) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var last version
	for {
		select {
		case <-timer.C:
		case <-w.ended:
		}
		started := time.Now()
		seen := w.root.version()
		if !w.tell(seen, seen == last) {
			return
		}
		last = seen
		timer.Reset(max(watchTime, watchShare*time.Since(started)))
	}
}

// tell tells the listeners what was seen, unless it may change again. It returns false if there are none.
func (w *watcher) tell(seen version, steady bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-w.ended:
		w.listeners = 0
	default:
	}
	if w.listeners <= 0 {
		w.running, w.now = false, version{}
		return false
	}
	if seen != w.now && (steady || w.now == version{}) {
		w.now = seen
		close(w.changed)
		w.changed = make(chan struct{})
	}
	return true
}

// version looks at the directory: at the names, sizes and times of its files. Links are not
// followed, and names that begin with a dot do not count.
func (r *root) version() version {
	styles, rest := fnv.New64a(), fnv.New64a()
	top, err := filepath.EvalSymlinks(r.path)
	if err != nil {
		return version{1, 1}
	}
	rest.Write([]byte(top))
	entries := 0
	_ = filepath.WalkDir(top, func(file string, entry fs.DirEntry, err error) error {
		if file == top {
			return nil
		}
		name, relErr := filepath.Rel(top, file)
		name = filepath.ToSlash(name)
		if base := path.Base(name); err != nil || relErr != nil || strings.HasPrefix(base, ".") || strings.HasSuffix(base, "~") || r.hide(name) {
			if entry != nil && entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if entries++; entries > maxWatched {
			return fs.SkipAll
		}
		if strings.EqualFold(path.Ext(name), ".css") {
			addVersion(styles, name, entry)
		} else {
			addVersion(rest, name, entry)
		}
		return nil
	})
	return version{styles.Sum64(), rest.Sum64()}
}

// addVersion adds a file. Of a directory no more than the name counts: its times change with its files.
func addVersion(to hash.Hash64, name string, entry fs.DirEntry) {
	to.Write([]byte(name + "\x00"))
	if entry.IsDir() {
		return
	}
	info, err := entry.Info()
	if err != nil {
		return
	}
	m := metaOf(info)
	for _, number := range []int64{m.size, m.mtime, m.ctime} {
		to.Write(binary.LittleEndian.AppendUint64(nil, uint64(number)))
	}
}
