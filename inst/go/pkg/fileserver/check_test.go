package fileserver

import (
	"runtime"
	"strings"
	"testing"
)

func TestStartRefuses(t *testing.T) {
	dir, outside := site(t)
	cert, key := certificate(t, t.TempDir())
	_, otherKey := certificate(t, t.TempDir())
	taken := start(t, Config{Dir: dir})
	tests := []struct {
		name   string
		config Config
		want   string
	}{
		{"no address", Config{Dir: dir}, "not an address"},
		{"no port", Config{Addr: "127.0.0.1", Dir: dir}, "not an address"},
		{"port out of range", Config{Addr: "127.0.0.1:99999", Dir: dir}, "cannot listen at 127.0.0.1:99999"},
		{"address taken", Config{Addr: taken.Addr(), Dir: dir}, "address already in use"},
		{"no such directory", Config{Addr: "127.0.0.1:0", Dir: dir + "-"}, "no such file or directory; give a directory that exists"},
		{"a file", Config{Addr: "127.0.0.1:0", Dir: outside}, "it is not a directory"},
		{"no directory", Config{Addr: "127.0.0.1:0"}, "no directory to serve"},
		{"TLS without files", Config{Addr: "127.0.0.1:0", Dir: dir, TLS: true}, "TLS needs the PEM files"},
		{"TLS without a key", Config{Addr: "127.0.0.1:0", Dir: dir, TLS: true, CertFile: cert}, "give both"},
		{"no such certificate", Config{Addr: "127.0.0.1:0", Dir: dir, TLS: true, CertFile: dir + "/no.pem", KeyFile: key}, "no.pem"},
		{"no such key", Config{Addr: "127.0.0.1:0", Dir: dir, TLS: true, CertFile: cert, KeyFile: dir + "/no.pem"}, "no.pem"},
		{"another key", Config{Addr: "127.0.0.1:0", Dir: dir, TLS: true, CertFile: cert, KeyFile: otherKey}, "private key does not match"},
		{"no PEM", Config{Addr: "127.0.0.1:0", Dir: dir, TLS: true, CertFile: outside, KeyFile: outside}, "cannot use the certificate"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server, err := Start(t.Context(), tt.config)
			if err == nil {
				t.Fatal("started", server.URL())
			}
			if runtime.GOOS != "windows" && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestCheckRefuses(t *testing.T) {
	dir, _ := site(t)
	for want, config := range map[string]Config{
		"give each a prefix of its own": {Mounts: []Mount{{Prefix: "a", Dir: dir}, {Prefix: "/a/", Dir: dir}}},
		"no directory to serve":         {Mounts: []Mount{{Prefix: "a"}}},
		"give one of them":              {Dir: dir, CORS: true, Origins: []string{"https://a.org"}},
		`"https://a.org/x" is not an o`: {Dir: dir, Origins: []string{"https://a.org/x"}},
		`"a.org" is not an origin`:      {Dir: dir, Origins: []string{"a.org"}},
		`"https://*.a.org" is not`:      {Dir: dir, Origins: []string{"https://*.a.org"}},
		"no resource policy":            {Dir: dir, CORP: "all"},
		"is set by the server":          {Dir: dir, Headers: map[string]string{"content-length": "1"}},
		"is not a header":               {Dir: dir, Headers: map[string]string{"a": "b\r\nc: d"}},
		`"a b": "" is not a header`:     {Dir: dir, Headers: map[string]string{"a b": ""}},
		"is given twice":                {Dir: dir, Headers: map[string]string{"a": "b", "A": "c"}},
		`"bed" is not a file name ext`:  {Dir: dir, Types: map[string]string{"bed": "text/plain"}},
		`"text" is not a content type`:  {Dir: dir, Types: map[string]string{".bed": "text"}},
		`"a:80" is not a host`:          {Dir: dir, Hosts: []string{"a:80"}},
		`"*.a.org" is not a host`:       {Dir: dir, Hosts: []string{"*.a.org"}},
		`"../x" is not the path`:        {Dir: dir, Allow: []string{"../x"}},
		"an allowed path is empty":      {Dir: dir, Allow: []string{""}},
		`"a/../b" is not the path`:      {Dir: dir, Fallback: "a/../b"},
		`"/" is not the path`:           {Dir: dir, NotFound: "/"},
		"both a user and a password":    {Dir: dir, Auth: Auth{User: "me"}},
		"has a colon":                   {Dir: dir, Auth: Auth{User: "m:e", Password: "x"}},
		"the token must consist":        {Dir: dir, Auth: Auth{Token: "a b"}},
		"there is no list mode 7":       {Dir: dir, Listing: 7},
		"not a number of whole seconds": {Dir: dir, MaxAge: -1},
		"-1 connections are too few":    {Dir: dir, MaxConns: -1},
	} {
		t.Run(want, func(t *testing.T) {
			if _, err := New(config); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v", err)
			}
		})
	}
	checked, err := Config{Addr: ":0", Dir: dir, Hosts: []string{"A.org.", "[::1]"}, Types: map[string]string{".BED": "text/x"}, Allow: []string{"/.env"}}.check()
	if err != nil || checked.Hosts[0] != "a.org" || checked.Hosts[1] != "::1" || checked.Types[".bed"] == "" || checked.Allow[0] != ".env" {
		t.Errorf("%+v, %v", checked, err)
	}
}
