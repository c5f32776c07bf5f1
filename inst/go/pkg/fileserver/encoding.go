package fileserver

import (
	"strconv"
	"strings"
)

// encodings are the content encodings that are known, the best first, with the extensions of their files.
var encodings = [...]struct{ name, extension string }{
	{"br", ".br"},
	{"zstd", ".zst"},
	{"gzip", ".gz"},
}

const gzipIndex = 2

// qualities are what a client gives each encoding, 0 for one that it does not accept.
type qualities [len(encodings)]float64

// best returns the encoding with the highest quality, or -1 if there is none.
func (q qualities) best() int {
	best := -1
	for i, quality := range q {
		if quality > 0 && (best < 0 || quality > q[best]) {
			best = i
		}
	}
	return best
}

// acceptedEncodings reads the Accept-Encoding headers of a request. What is malformed is not accepted.
func acceptedEncodings(headers []string) (accepted qualities) {
	var given [len(encodings)]bool
	var star float64
	for _, header := range headers {
		for item := range strings.SplitSeq(header, ",") {
			name, quality := parseQuality(item)
			if name == "*" {
				star = quality
			}
			for i, encoding := range encodings {
				if name == encoding.name || name == "x-gzip" && i == gzipIndex {
					accepted[i], given[i] = quality, true
				}
			}
		}
	}
	for i := range accepted {
		if !given[i] {
			accepted[i] = star
		}
	}
	return accepted
}

// parseQuality reads an item such as "gzip;q=0.5".
func parseQuality(item string) (name string, quality float64) {
	name, parameters, _ := strings.Cut(item, ";")
	quality = 1
	for parameter := range strings.SplitSeq(parameters, ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		if strings.EqualFold(key, "q") {
			q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil || !(q >= 0 && q <= 1) {
				q = 0
			}
			quality = q
		}
	}
	return strings.ToLower(strings.TrimSpace(name)), quality
}

// compressible tells whether files of a type are worth to be compressed. The formats of data that are
// read in parts, such as BAM and what bgzip writes, are not among them.
func compressible(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	switch strings.TrimSpace(kind) {
	case "text/html", "text/css", "text/javascript", "text/plain", "text/markdown", "text/csv", "text/tab-separated-values", "text/xml",
		"application/json", "application/geo+json", "application/xml", "application/manifest+json", "application/wasm", "image/svg+xml":
		return true
	}
	return false
}
