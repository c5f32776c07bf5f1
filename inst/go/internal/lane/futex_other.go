//go:build !linux

package lane

// There is no lane here: segment.Map fails.
func futexWait(*uint32, uint32) {}
func futexWake(*uint32)         {}
func yield()                    {}
func processor() uint32         { return 0 }
