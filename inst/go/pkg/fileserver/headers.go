package fileserver

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// headers are those of every answer, prepared: the values are shared by all answers.
type headers struct {
	first http.Header // before the answer is worked out
	last  http.Header // after all others
	cors  cors

	// Cache-Control of files, of what depends on more than one file, and of errors.
	fresh, asked, failed []string
}

func newHeaders(c *Config) *headers {
	h := &headers{first: http.Header{}, last: http.Header{}, cors: cors{all: c.CORS, origins: c.Origins}}
	h.first.Set("X-Content-Type-Options", "nosniff")
	if c.COOP {
		h.first.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.first.Set("Cross-Origin-Embedder-Policy", "require-corp")
	}
	if c.COOP || c.CORP != "" {
		policy := c.CORP
		if policy == "" {
			policy = "same-origin"
		}
		h.first.Set("Cross-Origin-Resource-Policy", policy)
	}
	fresh, asked := "no-cache", "no-cache"
	if c.MaxAge > 0 {
		fresh = "max-age=" + strconv.FormatInt(int64(c.MaxAge/time.Second), 10)
	}
	if c.Auth != (Auth{}) {
		fresh, asked = "private, "+fresh, "private, "+asked
	}
	if c.Auth.Token != "" {
		h.first.Set("Referrer-Policy", "same-origin") // the URL may have the token
	}
	h.fresh, h.asked, h.failed = []string{fresh}, []string{asked}, []string{"no-store"}
	for name, value := range c.Headers {
		h.last.Set(name, value)
	}
	return h
}

// begin sets the headers of an answer that do not depend on its status.
func (h *headers) begin(header http.Header, r *http.Request) {
	for name, values := range h.first {
		header[name] = values
	}
	h.cors.set(header, r.Header)
}

// finish sets the headers that an answer lacks, and those that go before all others.
func (h *headers) finish(header http.Header, status int) {
	if _, ok := header["Cache-Control"]; !ok {
		if status < http.StatusBadRequest {
			header["Cache-Control"] = h.fresh
		} else {
			header["Cache-Control"] = h.failed
		}
	}
	for name, values := range h.last {
		header[name] = values
	}
}

// isToken tells whether a text can be the name of a header.
func isToken(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r)
	})
}
