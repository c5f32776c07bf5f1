package fileserver

import (
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// logged writes a line for each request once it is answered, and makes a panic
// an answer of status 500.
func logged(config Config, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		defer func() {
			if p := recover(); p != nil {
				config.logf("panic while serving %s: %v\n%s", escapeControls(r.URL.Path), p, debug.Stack())
				http.Error(w, "500 internal server error", http.StatusInternalServerError)
			}
			config.logf("%s %s %s %v", r.Method, escapeControls(r.URL.Path), r.RemoteAddr, time.Since(started))
		}()
		next.ServeHTTP(w, r)
	})
}

// escapeControls keeps a name from forging a line of the log.
func escapeControls(name string) string {
	quoted := strconv.Quote(name)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}
