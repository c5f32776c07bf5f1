package fileserver

import "net/http"

// setHeaders sets the headers of every answer, whatever its status.
func (h *Handler) setHeaders(header http.Header, _ *http.Request) {
	header.Set("X-Content-Type-Options", "nosniff")
	if h.config.CORS {
		header.Set("Access-Control-Allow-Origin", "*")
		header.Set("Access-Control-Allow-Methods", methods)
		header.Set("Access-Control-Allow-Headers",
			"Range, If-Range, If-None-Match, If-Modified-Since, Cache-Control, Content-Type, Authorization")
		header.Set("Access-Control-Expose-Headers",
			"Accept-Ranges, Content-Encoding, Content-Length, Content-Range, Content-Type, ETag, Last-Modified")
		header.Set("Access-Control-Max-Age", "600")
	}
	if h.config.COOP {
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Embedder-Policy", "require-corp")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
	}
}

// canonicalHeader returns the name of a header as net/http writes it.
func canonicalHeader(name string) string { return http.CanonicalHeaderKey(name) }

// isToken tells whether a text can be the name of a header.
func isToken(name string) bool {
	for i := range len(name) {
		c := name[i]
		if c <= ' ' || c >= 0x7f || c == ':' || c == '"' || c == '(' || c == ')' || c == ',' || c == '/' || c >= ';' && c <= '@' ||
			c >= '[' && c <= ']' || c == '{' || c == '}' {
			return false
		}
	}
	return name != ""
}
