package fileserver

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// logged writes a line for each request once it is answered.
func logged(config Config, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		defer func() {
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
