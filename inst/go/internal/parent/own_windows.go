package parent

import "io/fs"

// isOwn is true: a user's temporary directory is the user's alone on Windows.
func isOwn(fs.FileInfo) bool { return true }
