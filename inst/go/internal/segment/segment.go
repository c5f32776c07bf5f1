// Package segment maps shared memory that R has made. R owns it: a server opens a segment
// through /proc, and never makes or removes one.
package segment

// Name is how R names a segment.
type Name struct {
	FD         uint32 // R's file descriptor
	Generation uint32 // tells it from others that have had the same one
}

// None is the descriptor of no segment.
const None = ^uint32(0)
