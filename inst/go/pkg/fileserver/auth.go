package fileserver

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"strings"
)

// auth checks what a client knows. It holds digests, which are of one length: a comparison takes the same
// time whatever is given.
type auth struct {
	token, user, password *[sha256.Size]byte // nil if not asked for
	cookie                string             // the name of the cookie with the token
	secure                bool
}

// newAuth returns nil if nothing is asked for.
func newAuth(a Auth, secure bool) *auth {
	if a == (Auth{}) {
		return nil
	}
	checked := &auth{secure: secure}
	if a.Token != "" {
		checked.token = digest(a.Token)
		// Cookies are sent to all ports of a host: each token has a name of its own.
		sum := sha256.Sum256([]byte("name of " + a.Token))
		checked.cookie = "fileserver-" + hex.EncodeToString(sum[:6])
	}
	if a.User != "" {
		checked.user, checked.password = digest(a.User), digest(a.Password)
	}
	return checked
}

func digest(text string) *[sha256.Size]byte {
	sum := sha256.Sum256([]byte(text))
	return &sum
}

func same(want *[sha256.Size]byte, given string) bool {
	sum := sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(want[:], sum[:]) == 1
}

// allow tells whether the client of a request knows what is asked for. If the token is in the URL, the
// links of a page do not have it: a cookie keeps it.
func (a *auth) allow(header http.Header, r *http.Request) bool {
	if user, password, ok := r.BasicAuth(); ok && a.user != nil {
		sameUser, samePassword := same(a.user, user), same(a.password, password)
		return sameUser && samePassword
	}
	if a.token == nil {
		return false
	}
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return same(a.token, strings.TrimSpace(token))
	}
	if strings.Contains(r.URL.RawQuery, "token=") {
		if token := r.URL.Query().Get("token"); token != "" {
			if !same(a.token, token) {
				return false
			}
			http.SetCookie(headerWriter(header), &http.Cookie{
				Name: a.cookie, Value: token, Path: "/", HttpOnly: true, Secure: a.secure, SameSite: http.SameSiteStrictMode,
			})
			return true
		}
	}
	cookie, err := r.Cookie(a.cookie)
	return err == nil && same(a.token, cookie.Value)
}

// challenge says how a client can tell what it knows.
func (a *auth) challenge() string {
	if a.user != nil {
		return `Basic realm="files", charset="UTF-8"`
	}
	return `Bearer realm="files"`
}

// headerWriter lets http.SetCookie write to a header.
type headerWriter http.Header

func (w headerWriter) Header() http.Header     { return http.Header(w) }
func (headerWriter) Write([]byte) (int, error) { return 0, nil }
func (headerWriter) WriteHeader(int)           {}
