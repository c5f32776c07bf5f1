package fileserver

import (
	"os"
	"syscall"
)

// metaOf leaves out what identifies the file: that would take a handle. The time of its creation
// is that of its last change of name or content.
func metaOf(info os.FileInfo) meta {
	m := meta{size: info.Size(), mtime: info.ModTime().UnixNano(), mode: info.Mode()}
	if data, ok := info.Sys().(*syscall.Win32FileAttributeData); ok {
		m.ctime = data.CreationTime.Nanoseconds()
	}
	return m
}
