//go:build !linux && !darwin && !windows

package fileserver

import "os"

func metaOf(info os.FileInfo) meta {
	return meta{size: info.Size(), mtime: info.ModTime().UnixNano(), mode: info.Mode()}
}
