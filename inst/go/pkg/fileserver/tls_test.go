package fileserver

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTLS(t *testing.T) {
	dir, _ := site(t)
	cert, key := certificate(t, filepath.Join(dir, ".certs"))
	var lines lockedBuffer
	server := start(t, Config{Dir: dir, TLS: true, CertFile: cert, KeyFile: key, Log: log.New(&lines, "", 0)})
	pool := x509.NewCertPool()
	pemCert, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	pool.AppendCertsFromPEM(pemCert)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	get := func(path string) (int, string, string) {
		t.Helper()
		answer, err := client.Get(strings.TrimSuffix(server.URL(), "/") + path)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, answer.Proto, string(body)
	}
	if status, proto, body := get("/a.txt"); status != 200 || proto != "HTTP/2.0" || body != "0123456789" {
		t.Errorf("%d %s %q", status, proto, body)
	}
	// The key in use is not served, by any name.
	if err := os.Link(key, filepath.Join(dir, "hardlink")); err == nil {
		if status, _, _ := get("/hardlink"); status != 404 {
			t.Errorf("the key is served by another name: %d", status)
		}
	}
	for _, path := range []string{"/.certs/key.pem", "/.certs/cert.pem"} {
		if status, _, _ := get(path); status != 404 {
			t.Errorf("%s: %d", path, status)
		}
	}
	if _, _, listing := get("/.certs/"); strings.Contains(listing, ".pem") {
		t.Errorf("the listing shows the key:\n%s", listing)
	}
	if !strings.HasPrefix(lines.String(), "Starting HTTPS server on "+server.Addr()+" serving "+dir+" at /\n") {
		t.Errorf("the log begins\n%s", lines.String())
	}
}
