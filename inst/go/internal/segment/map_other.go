//go:build !linux

package segment

import "errors"

// Supported tells whether there are segments on this system.
func Supported() bool { return false }

type fileID struct{}

// Map fails: there are no segments here.
func Map(int, uint32, int) (memory []byte, unmap func(), err error) {
	return nil, nil, errors.ErrUnsupported
}

func newMapping(int, mappingKey) (*mapping, error) { return nil, errors.ErrUnsupported }

func (*mapping) unmap() {}

const reservation = 0

func (*mapping) reserve(int) bool { return false }

func (*mapping) trim() {}

func (*mapping) leave(int) (addresses, error) { return addresses{}, errors.ErrUnsupported }

func (addresses) block() error { return errors.ErrUnsupported }

func (addresses) free() {}

func (*mapping) grow(int, int) error { return errors.ErrUnsupported }

func (*mapping) isOpen(int) bool { return false }
