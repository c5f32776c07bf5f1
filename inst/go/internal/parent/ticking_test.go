//go:build !windows

package parent

var ticking = tick
