package fileserver

import (
	"os"
	"syscall"
)

func metaOf(info os.FileInfo) meta {
	m := meta{size: info.Size(), mtime: info.ModTime().UnixNano(), mode: info.Mode()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		m.id, m.links, m.ctime = fileID{uint64(st.Dev), uint64(st.Ino)}, uint64(st.Nlink), st.Ctimespec.Nano()
	}
	return m
}
