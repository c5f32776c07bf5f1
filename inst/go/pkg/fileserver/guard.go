package fileserver

import (
	"fmt"
	"net/http"
	"runtime/debug"
)

// guarded makes a panic an answer of status 500 or, if another answer has begun,
// breaks that off so that it does not pass for complete. It lies inside patient,
// which knows.
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
