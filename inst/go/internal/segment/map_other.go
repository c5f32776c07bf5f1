//go:build !linux

package segment

import "errors"

type fileID struct{}

func newMapping(int, mapped) (*mapping, error) { return nil, errors.ErrUnsupported }

func (*mapping) unmap() {}

func (*mapping) grow(int, int) error { return errors.ErrUnsupported }

func (*mapping) isOpen(int) bool { return false }
