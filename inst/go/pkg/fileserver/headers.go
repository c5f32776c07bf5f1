package fileserver

import "net/http"

// setHeaders sets the headers of every answer, whatever its status.
func setHeaders(header http.Header, config Config) {
	header.Set("X-Content-Type-Options", "nosniff")
	if config.CORS {
		header.Set("Access-Control-Allow-Origin", "*")
		header.Set("Access-Control-Allow-Methods", methods)
		header.Set("Access-Control-Allow-Headers",
			"Range, If-Range, If-None-Match, If-Modified-Since, Cache-Control, Content-Type, Authorization")
		header.Set("Access-Control-Expose-Headers",
			"Accept-Ranges, Content-Encoding, Content-Length, Content-Range, Content-Type, ETag, Last-Modified")
		header.Set("Access-Control-Max-Age", "600")
	}
	if config.COOP {
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Embedder-Policy", "require-corp")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
	}
}
