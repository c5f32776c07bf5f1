//go:build !linux

// Package segmenttest makes segments as R does, for tests.
package segmenttest

import (
	"os"
	"testing"

	"mangoro.local/internal/segment"
)

const reason = "there are no segments on this system"

// New skips the test.
func New(t testing.TB, _ int64) *os.File { t.Skip(reason); return nil }

// Unsealed skips the test.
func Unsealed(t testing.TB, _ int64) *os.File { t.Skip(reason); return nil }

// Name returns no name.
func Name(*os.File, uint32) segment.Name { return segment.Name{FD: segment.None} }

// Offer skips the test.
func Offer(t testing.TB, _ int64) (*segment.Result, *os.File) { t.Skip(reason); return nil, nil }
