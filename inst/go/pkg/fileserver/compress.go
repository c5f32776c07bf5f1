package fileserver

import (
	"bytes"
	"compress/gzip"
	"container/list"
	"sync"
)

const (
	minCompress   = 1 << 10  // smaller files gain nothing
	maxCompress   = 8 << 20  // larger ones take too long
	maxCompressed = 32 << 20 // bytes that are kept
	compressLevel = 5
)

// compressedFiles keeps what was compressed, up to a limit: what was not used for longest goes first.
type compressedFiles struct {
	mu    sync.Mutex // held while a file is compressed: one at a time
	files map[version]*list.Element
	order list.List // of compressedFile, the last used first
	bytes int
}

// version identifies a version of a file.
type version struct {
	id                 fileID
	name               string
	size, mtime, ctime int64
}

type compressedFile struct {
	version version
	data    []byte
}

// get returns a file in compressed form.
func (c *compressedFiles) get(f *opened) ([]byte, error) {
	v := version{f.id, f.real, f.size, f.mtime, f.ctime}
	c.mu.Lock()
	defer c.mu.Unlock()
	if element, ok := c.files[v]; ok {
		c.order.MoveToFront(element)
		return element.Value.(compressedFile).data, nil
	}
	data, err := readAll(f)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, compressLevel)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	c.keep(compressedFile{v, out.Bytes()})
	return out.Bytes(), nil
}

func (c *compressedFiles) keep(f compressedFile) {
	if c.files == nil {
		c.files = make(map[version]*list.Element)
	}
	c.files[f.version] = c.order.PushFront(f)
	c.bytes += len(f.data)
	for c.bytes > maxCompressed {
		last := c.order.Remove(c.order.Back()).(compressedFile)
		delete(c.files, last.version)
		c.bytes -= len(last.data)
	}
}
