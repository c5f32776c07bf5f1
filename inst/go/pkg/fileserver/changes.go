package fileserver

import (
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// filesVersion stands for the content of a directory: it is another one after a change.
type filesVersion struct{ styles, rest uint64 }

func (v filesVersion) String() string { return fmt.Sprintf("%016x %016x", v.styles, v.rest) }

// observer tells when the files in a directory change. It looks at them again and again: systems that tell
// by themselves differ, and do not see what is mounted from elsewhere.
type observer struct {
	root  *root
	ended <-chan struct{}

	mu        sync.Mutex
	listeners int
	running   bool
	now       filesVersion  // zero until it is known
	changed   chan struct{} // closed when now changes
}

const (
	lookTime    = 300 * time.Millisecond // between two looks, at least
	lookShare   = 10                     // and so many times what a look takes
	maxObserved = 20_000                 // entries of a directory that are watched
)

// state returns the version, and a channel that is closed when there is another one.
func (w *observer) state() (now filesVersion, changed <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now, w.changed
}

func (w *observer) leave() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.listeners--
}

// run looks until nobody listens. A change is told when two looks see the same: a site is
// written in many steps.
func (w *observer) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var last filesVersion
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
		timer.Reset(max(lookTime, lookShare*time.Since(started)))
	}
}

// tell tells the listeners what was seen, if it is steady. It returns false if there are none.
func (w *observer) tell(seen filesVersion, steady bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-w.ended:
		w.listeners = 0
	default:
	}
	if w.listeners <= 0 {
		w.running, w.now = false, filesVersion{}
		return false
	}
	if seen != w.now && steady {
		w.now = seen
		close(w.changed)
		w.changed = make(chan struct{})
	}
	return true
}

// version looks at the directory: at the names, sizes and times of its files. Links are not
// followed, and names that begin with a dot do not count.
func (r *root) version() filesVersion {
	styles, rest := fnv.New64a(), fnv.New64a()
	top, err := filepath.EvalSymlinks(r.path)
	if err != nil {
		return filesVersion{1, 1}
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
		if entries++; entries > maxObserved {
			return fs.SkipAll
		}
		if strings.EqualFold(path.Ext(name), ".css") {
			addVersion(styles, name, entry)
		} else {
			addVersion(rest, name, entry)
		}
		return nil
	})
	return filesVersion{styles.Sum64(), rest.Sum64()}
}

// addVersion adds a file. Of a directory no more than the name counts: its times change with its files.
func addVersion(to io.Writer, name string, entry fs.DirEntry) {
	var m meta
	if !entry.IsDir() {
		if info, err := entry.Info(); err == nil {
			m = metaOf(info)
		}
	}
	fmt.Fprintf(to, "%s\x00%d %d %d\n", name, m.size, m.mtime, m.ctime)
}
