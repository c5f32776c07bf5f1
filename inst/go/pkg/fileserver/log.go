package fileserver

import (
	"strconv"
	"strings"
)

// escapeControls keeps a name from forging a line of the log.
func escapeControls(name string) string {
	quoted := strconv.Quote(name)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}
