//go:build !unix

package fileserver

// nonblock is nothing where there are no pipes in directories.
const nonblock = 0
