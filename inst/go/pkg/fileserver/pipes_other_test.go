//go:build !unix

package fileserver

import "errors"

func makePipe(string) error { return errors.ErrUnsupported }
