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
