package fileserver

import (
	"fmt"
	"net/http"
	"runtime/debug"
)

// guarded answers with status 500 if the handler panics. If another answer has begun, it
// aborts that, so that the client does not take it for complete. It must lie inside
// patient, which knows whether an answer has begun.
func guarded(config Config, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			config.logf("panic while serving %s: %s\n%s", escapeControls(r.URL.Path), escapeControls(fmt.Sprint(p)), debug.Stack())
			if pw, ok := w.(*patientWriter); ok && pw.begun {
				panic(http.ErrAbortHandler)
			}
			http.Error(w, "500 internal server error", http.StatusInternalServerError)
		}()
		next.ServeHTTP(w, r)
	})
}
