package fileserver

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// openByRoot opens a file that has no link in its path, where the kernel has no call for
// that. If a link is put there meanwhile, it leads to a file inside.
func openByRoot(top, name string) (file, meta, error) {
	dir, err := os.OpenRoot(top)
	if err != nil {
		return file{}, meta{}, errMissing
	}
	defer dir.Close()
	part := ""
	for next := range strings.SplitSeq(name, "/") {
		part = filepath.Join(part, next)
		info, err := dir.Lstat(part)
		switch {
		case err != nil:
			return file{}, meta{}, rootError(name, err)
		case info.Mode()&(fs.ModeSymlink|fs.ModeIrregular) != 0:
			return file{}, meta{}, errLink
		case !servable(info.Mode()):
			return file{}, meta{}, notFound(name)
		}
	}
	std, err := dir.OpenFile(filepath.FromSlash(name), os.O_RDONLY|nonblock, 0)
	if err != nil {
		return file{}, meta{}, rootError(name, err)
	}
	m, err := statFile(std)
	if err != nil {
		_ = std.Close()
		return file{}, meta{}, rootError(name, err)
	}
	return newFile(std), m, nil
}

func rootError(name string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%q: %w", name, fs.ErrPermission)
	}
	return notFound(name)
}

func statFile(std *os.File) (meta, error) {
	info, err := std.Stat()
	if err != nil {
		return meta{}, err
	}
	return metaOf(info), nil
}
