package fileserver

import (
	"strings"
	"testing"
)

func TestOrigins(t *testing.T) {
	dir, _ := site(t)
	server := start(t, Config{Dir: dir, Origins: []string{"https://IGV.org", "http://localhost:3000", "null"}})
	for origin, allowed := range map[string]bool{
		"https://igv.org": true, "HTTPS://igv.org": true, "http://localhost:3000": true, "null": true,
		"http://igv.org": false, "https://igv.org:444": false, "https://x.igv.org": false, "https://igv.org.evil.example": false, "": false, "*": false,
	} {
		for _, request := range [][]string{
			{"GET", "/a.txt"},
			{"GET", "/nothing"},
			{"GET", "/a.txt", "Range: bytes=99-"},
			{"GET", "/a.txt", "If-None-Match: *"},
			{"OPTIONS", "/a.txt", "Access-Control-Request-Method: GET"},
		} {
			status, header, _ := raw(t, server, request[0], request[1], append(request[2:], "Origin: "+origin)...)
			want := ""
			if allowed {
				want = origin
			}
			if header.Get("Access-Control-Allow-Origin") != want || (header.Get("Access-Control-Allow-Methods") != "") != allowed {
				t.Errorf("%s for %q: %v", request, origin, header)
			}
			if !strings.Contains(strings.Join(header.Values("Vary"), ","), "Origin") || header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s (%d) for %q: %v", request, status, origin, header)
			}
		}
	}
}
