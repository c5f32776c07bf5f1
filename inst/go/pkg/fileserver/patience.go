package fileserver

import (
	"io"
	"net/http"
	"time"
)

// writeTime is how long a client may take for the next chunk of an answer.
// There is no limit to how long the whole answer takes.
const writeTime = time.Minute

// chunk is the number of bytes that a client has writeTime for.
const chunk = 1 << 20

// patient gives a client writeTime for each chunk of an answer: the WriteTimeout of
// http.Server would cut off a large download that makes progress. It gives no time for the
// body of a request, which is never read, but for which http.Server would wait.
func patient(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pw := &patientWriter{ResponseWriter: w, control: http.NewResponseController(w)}
		pw.extend()
		if r.ContentLength != 0 {
			_ = pw.control.SetReadDeadline(time.Now())
		}
		next.ServeHTTP(pw, r)
	})
}

type patientWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	begun   bool // the status of the answer has been sent
}

// extend restarts the time limit, if the connection supports one.
func (w *patientWriter) extend() { _ = w.control.SetWriteDeadline(time.Now().Add(writeTime)) }

// WriteHeader begins the answer, unless the status is informational.
func (w *patientWriter) WriteHeader(status int) {
	w.begun = w.begun || status >= http.StatusOK
	w.ResponseWriter.WriteHeader(status)
}

func (w *patientWriter) Write(p []byte) (int, error) {
	w.begun = true
	w.extend()
	return w.ResponseWriter.Write(p)
}

// ReadFrom copies a file chunk by chunk, in a way that lets the kernel do it.
func (w *patientWriter) ReadFrom(src io.Reader) (int64, error) {
	limited, ok := src.(*io.LimitedReader)
	if !ok {
		limited = &io.LimitedReader{R: src, N: 1<<63 - 1}
	}
	w.begun = true
	var written int64
	for limited.N > 0 {
		w.extend()
		n, err := io.CopyN(w.ResponseWriter, limited.R, min(chunk, limited.N))
		written += n
		limited.N -= n
		if err == io.EOF {
			return written, nil
		}
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// Unwrap gives http.ResponseController access to the original writer.
func (w *patientWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
