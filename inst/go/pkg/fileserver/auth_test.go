package fileserver

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
)

func TestAuth(t *testing.T) {
	dir, _ := site(t)
	basic := func(text string) string {
		return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(text))
	}
	token := start(t, Config{Dir: dir, Auth: Auth{Token: "abc"}})
	user := start(t, Config{Dir: dir, Auth: Auth{User: "me", Password: "a:b"}})
	both := start(t, Config{Dir: dir, Auth: Auth{Token: "abc", User: "me", Password: "a:b"}})
	for _, tt := range []struct {
		server  *Server
		target  string
		headers []string
		want    int
	}{
		{token, "/a.txt", nil, 401},
		{token, "/nothing", nil, 401},
		{token, "/sub", nil, 401},
		{token, "/a.txt", []string{"Authorization: Bearer abc"}, 200},
		{token, "/a.txt", []string{"Authorization: bearer abc"}, 200},
		{token, "/a.txt", []string{"Authorization: Bearer abcd"}, 401},
		{token, "/a.txt", []string{"Authorization: Bearer "}, 401},
		{token, "/a.txt", []string{"Authorization: abc"}, 401},
		{token, "/a.txt", []string{basic("me:abc")}, 401},
		{token, "/a.txt?token=abc", nil, 200},
		{token, "/a.txt?x=1&token=abc", nil, 200},
		{token, "/a.txt?token=", nil, 401},
		{token, "/a.txt?token=" + strings.Repeat("a", 5000), nil, 401},
		{token, "/a.txt", []string{"Cookie: token=abc"}, 401},
		{user, "/a.txt", nil, 401},
		{user, "/a.txt", []string{basic("me:a:b")}, 200},
		{user, "/a.txt", []string{basic("me:a")}, 401},
		{user, "/a.txt", []string{basic("you:a:b")}, 401},
		{user, "/a.txt", []string{basic(":")}, 401},
		{user, "/a.txt?token=abc", nil, 401},
		{user, "/a.txt", []string{"Authorization: Bearer abc"}, 401},
		{both, "/a.txt", []string{basic("me:a:b")}, 200},
		{both, "/a.txt", []string{"Authorization: Bearer abc"}, 200},
		{both, "/a.txt", nil, 401},
	} {
		status, header, _ := raw(t, tt.server, "GET", tt.target, tt.headers...)
		if status != tt.want || (status == 401) != (header.Get("Www-Authenticate") != "") {
			t.Errorf("%.40s %q: %d %v", tt.target, tt.headers, status, header)
		}
		if status == 200 && header.Get("Cache-Control") != "private, no-cache" {
			t.Errorf("others may keep it: %v", header)
		}
	}
	if status, _, _ := raw(t, token, "OPTIONS", "/a.txt"); status != 204 {
		t.Errorf("a preflight: %d", status)
	}
	// The token in the URL becomes a cookie.
	_, header, _ := raw(t, token, "GET", "/?token=abc")
	cookies := (&http.Response{Header: header}).Cookies()
	if len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteStrictMode || header.Get("Referrer-Policy") != "same-origin" {
		t.Fatalf("%v", header)
	}
	if status, _, _ := raw(t, token, "GET", "/a.txt", "Cookie: "+cookies[0].Name+"="+cookies[0].Value); status != 200 {
		t.Errorf("with the cookie: %d", status)
	}
	if status, _, _ := raw(t, token, "GET", "/a.txt", "Cookie: "+cookies[0].Name+"=abd"); status != 401 {
		t.Errorf("with a wrong cookie: %d", status)
	}
	for _, request := range token.Requests(100) {
		if strings.Contains(request.Path, "abc") {
			t.Errorf("the token is remembered: %+v", request)
		}
	}
}
