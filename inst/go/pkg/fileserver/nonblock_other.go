//go:build !unix

package fileserver

// nonblock is empty: directories have no pipes here.
const nonblock = 0
