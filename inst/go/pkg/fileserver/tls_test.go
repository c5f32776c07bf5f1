package fileserver

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
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

// leaf returns the certificate that a server shows.
func leaf(t *testing.T, server *Server) *x509.Certificate {
	t.Helper()
	conn, err := tls.Dial("tcp", server.Addr(), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0]
}

// A certificate that is renewed is used without a restart; one that does not match its key is not.
func TestCertificatesAreReadAgain(t *testing.T) {
	dir, _ := site(t)
	certs := t.TempDir()
	cert, key := certificate(t, certs)
	var lines lockedBuffer
	server := start(t, Config{Dir: dir, TLS: true, CertFile: cert, KeyFile: key, Log: log.New(&lines, "", 0)})
	first := leaf(t, server)
	renewed, newKey, err := NewCertificate(nil, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	await := func(what string, done func() bool) {
		t.Helper()
		deadline := time.Now().Add(patience)
		for !done() {
			if time.Now().After(deadline) {
				t.Fatal(what)
			}
		}
	}
	write(t, cert, string(renewed))
	await("nothing says that the pair does not match", func() bool {
		if !leaf(t, server).Equal(first) {
			t.Fatal("a certificate without its key is used")
		}
		return strings.Contains(lines.String(), "the certificate in use stays")
	})
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if makePipe(key) == nil {
		await("a handshake waits for what is written to a pipe", func() bool {
			leaf(t, server)
			return strings.Contains(lines.String(), "not a regular file")
		})
		if err := os.Remove(key); err != nil {
			t.Fatal(err)
		}
	}
	write(t, key, string(newKey))
	await("the new certificate is not used", func() bool { return !leaf(t, server).Equal(first) })
	if err := errors.Join(os.Remove(cert), os.Remove(key)); err != nil {
		t.Fatal(err)
	}
	if leaf(t, server).Equal(first) {
		t.Error("the old certificate is back")
	}
}

func TestNewCertificate(t *testing.T) {
	dir, _ := site(t)
	for _, hosts := range [][]string{nil, {"127.0.0.1"}, {"localhost", "127.0.0.1", "files.lab.org"}} {
		cert, key, err := NewCertificate(hosts, 24*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		certs := t.TempDir()
		write(t, filepath.Join(certs, "cert.pem"), string(cert))
		write(t, filepath.Join(certs, "key.pem"), string(key))
		server := start(t, Config{Dir: dir, TLS: true, CertFile: filepath.Join(certs, "cert.pem"), KeyFile: filepath.Join(certs, "key.pem")})
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(cert)
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
		answer, err := (&http.Client{Transport: transport}).Get(server.URL() + "a.txt")
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		transport.CloseIdleConnections()
		if answer.StatusCode != 200 {
			t.Errorf("%d", answer.StatusCode)
		}
		old, err := tls.Dial("tcp", server.Addr(), &tls.Config{RootCAs: pool, MaxVersion: tls.VersionTLS11})
		if err == nil {
			_ = old.Close()
			t.Error("TLS 1.1 is accepted")
		}
	}
	for _, hosts := range [][]string{{""}, {"a b"}, {"http://a"}} {
		if _, _, err := NewCertificate(hosts, time.Hour); err == nil {
			t.Errorf("a certificate for %q", hosts)
		}
	}
	if _, _, err := NewCertificate(nil, 0); err == nil {
		t.Error("a certificate that has expired")
	}
}

// The files of a certificate are held open, once each: not again whenever they are touched.
func TestTouchedCertificates(t *testing.T) {
	cert, key := certificate(t, t.TempDir())
	var protected []string
	pair, err := newKeyPair(&Config{CertFile: cert, KeyFile: key}, func(files ...string) { protected = append(protected, files...) })
	if err != nil {
		t.Fatal(err)
	}
	look := func() {
		t.Helper()
		pair.looked = time.Time{}
		before := pair.versions
		if _, err := pair.get(nil); err != nil {
			t.Fatal(err)
		}
		if pair.versions == before {
			t.Error("nothing has changed")
		}
	}
	for i, file := range []string{cert, key} {
		changed := time.Now().Add(time.Duration(i+1) * time.Hour)
		if err := os.Chtimes(file, changed, changed); err != nil {
			t.Fatal(err)
		}
		look()
	}
	if len(protected) > 0 {
		t.Errorf("protected again: %q", protected)
	}
	if runtime.GOOS == "windows" {
		return // which does not tell files apart
	}
	copied := key + ".copy"
	write(t, copied, "no key")
	if err := os.Rename(copied, key); err != nil {
		t.Fatal(err)
	}
	look()
	if len(protected) != 1 || protected[0] != key {
		t.Errorf("protected: %q, not the new key", protected)
	}
}
