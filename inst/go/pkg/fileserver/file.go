package fileserver

import "os"

// file is an open file.
type file struct{ std *os.File }

// Close closes the file.
func (f file) Close() { _ = f.std.Close() }

// stdFile returns the file as os has it: to read a directory, or to send a large file.
func (f file) stdFile() *os.File { return f.std }

// ReadAt reads the bytes at an offset.
func (f file) ReadAt(p []byte, offset int64) (int, error) { return f.std.ReadAt(p, offset) }

func (f file) stat() (meta, error) {
	info, err := f.std.Stat()
	if err != nil {
		return meta{}, err
	}
	return metaOf(info), nil
}
