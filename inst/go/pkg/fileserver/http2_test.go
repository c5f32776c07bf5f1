package fileserver

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// startTLS starts a server and returns a client that talks HTTP/2 with it.
func startTLS(t *testing.T, config Config) (*Server, *http.Client) {
	t.Helper()
	cert, key, err := NewCertificate(nil, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	certs := t.TempDir()
	config.TLS, config.CertFile, config.KeyFile = true, filepath.Join(certs, "cert.pem"), filepath.Join(certs, "key.pem")
	write(t, config.CertFile, string(cert))
	write(t, config.KeyFile, string(key))
	server := start(t, config)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(cert)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return server, &http.Client{Transport: transport}
}

func TestHTTP2(t *testing.T) {
	dir, _ := site(t)
	server, client := startTLS(t, Config{Dir: dir})
	for _, tt := range []struct {
		method, target, host string
		header, value        string
		status               int
		body                 string
	}{
		{"GET", "a.txt", "", "", "", 200, "0123456789"},
		{"HEAD", "a.txt", "", "", "", 200, ""},
		{"GET", "a.txt", "", "Range", "bytes=2-4", 206, "234"},
		{"HEAD", "a.txt", "", "Range", "bytes=2-4", 206, ""},
		{"GET", "a.txt", "", "Range", "bytes=10-", 416, "416 requested range not satisfiable\n"},
		{"GET", "a.txt", "", "If-None-Match", "*", 304, ""},
		{"GET", "a.txt", "", "If-Match", `"x"`, 412, "412 precondition failed\n"},
		{"GET", "empty.bin", "", "Range", "bytes=-1", 200, ""},
		{"GET", "a.txt", "evil.example", "", "", 403, ""},
		{"GET", ".env", "", "", "", 404, "404 page not found\n"},
		{"POST", "a.txt", "", "", "", 405, "405 method not allowed\n"},
	} {
		request, err := http.NewRequestWithContext(t.Context(), tt.method, server.URL()+tt.target, nil)
		if err != nil {
			t.Fatal(err)
		}
		if tt.header != "" {
			request.Header.Set(tt.header, tt.value)
		}
		request.Host = tt.host
		answer, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil || answer.ProtoMajor != 2 || answer.StatusCode != tt.status || tt.body != "" && string(body) != tt.body {
			t.Errorf("%v: %s %d %q, %v", tt, answer.Proto, answer.StatusCode, body, err)
		}
	}
}

// A large file that changes while it is sent never looks complete, over HTTP/2 either; and its
// connection is known to be busy meanwhile.
func TestChangedMeanwhileOverHTTP2(t *testing.T) {
	dir, _ := site(t)
	file := filepath.Join(dir, "big")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	const size = 64 << 20
	if err := os.Truncate(file, size); err != nil {
		t.Fatal(err)
	}
	server, client := startTLS(t, Config{Dir: dir})
	answer, err := client.Get(server.URL() + "big")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := io.ReadFull(answer.Body, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if !anyBusy(server.watched.Load()) {
		t.Error("no connection is busy")
	}
	if err := os.Truncate(file, size/2); err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, answer.Body)
	if err == nil {
		t.Errorf("%d bytes pass for the file", n)
	}
	// The client may know before the answer is counted.
	for deadline := time.Now().Add(patience); server.Stats()[0].Errors == 0 && time.Now().Before(deadline); {
		runtime.Gosched()
	}
	if stats := server.Stats()[0]; stats.Errors != 1 {
		t.Errorf("%+v", stats)
	}
}

// One connection of HTTP/2 has many requests: they are limited like connections.
func TestManyStreams(t *testing.T) {
	dir, _ := site(t)
	makeBig(t, dir)
	const most = 3
	server, client := startTLS(t, Config{Dir: dir, MaxConns: most})
	var open []*http.Response
	for range most {
		answer, err := client.Get(server.URL() + "big")
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, answer)
	}
	answer, err := client.Get(server.URL() + "a.txt")
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" {
		t.Errorf("one too many: %s %v", answer.Status, answer.Header)
	}
	for _, answer := range open {
		_ = answer.Body.Close()
	}
	for deadline := time.Now().Add(patience); ; {
		answer, err := client.Get(server.URL() + "a.txt")
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(answer.Status)
		}
	}
}
