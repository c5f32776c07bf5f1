// Package fileserver serves a directory over HTTP or HTTPS: GET, HEAD and
// OPTIONS, ranges included. It never leaves the directory: a link that leads
// out of it, a device and a pipe are not found. It knows nothing of R.
//
//	server, err := fileserver.Start(ctx, fileserver.Config{Addr: "127.0.0.1:0", Dir: "data"})
//	if err != nil {
//		return err
//	}
//	fmt.Println(server.URL())
//	defer server.Stop(ctx)
package fileserver

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Config says what to serve, and how.
type Config struct {
	// Addr is the host and port to listen at, such as "127.0.0.1:8080". An
	// empty host is every address of the machine, port 0 a free one. It has no
	// default.
	Addr string
	// Dir is the directory to serve. It has no default.
	Dir string
	// Prefix is the path below which it is served: "data", "/data" and
	// "/data/" mean the same. The default is "/".
	Prefix string
	// CORS lets the scripts of every web site read what is served. The default
	// is false.
	CORS bool
	// COOP isolates the pages from those of other origins, which WebAssembly
	// threads need. The default is false.
	COOP bool
	// TLS serves HTTPS, with CertFile and KeyFile. The default is false.
	TLS bool
	// CertFile and KeyFile are the certificate and its private key as PEM.
	// TLS needs both. Neither is served, wherever it lies.
	CertFile, KeyFile string
	// Log is told of the start, of each request and of the end. Nil is nobody.
	Log *log.Logger
}

// check returns the configuration with its paths made absolute and its prefix
// in the form "/data/", or says what is wrong with it.
func (c Config) check() (Config, error) {
	if _, _, err := net.SplitHostPort(c.Addr); err != nil {
		return c, fmt.Errorf("%q is not an address of the form host:port: %w", c.Addr, err)
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return c, fmt.Errorf("cannot serve %q: %w", c.Dir, err)
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return c, fmt.Errorf("cannot serve %q: there is no such directory", dir)
	case err != nil:
		return c, fmt.Errorf("cannot serve %q: %w", dir, err)
	case !info.IsDir():
		return c, fmt.Errorf("cannot serve %q: it is not a directory", dir)
	}
	c.Dir = dir
	c.Prefix = cleanPrefix(c.Prefix)
	return c, nil
}

func cleanPrefix(prefix string) string {
	cleaned := path.Clean("/" + prefix)
	if cleaned != "/" {
		cleaned += "/"
	}
	return cleaned
}

// tlsConfig loads the certificate.
func (c Config) tlsConfig() (*tls.Config, error) {
	if c.CertFile == "" || c.KeyFile == "" {
		return nil, errors.New("TLS needs the files of a certificate and of its key")
	}
	certificate, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("cannot use the certificate %q with the key %q: %w", c.CertFile, c.KeyFile, err)
	}
	return &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{certificate},
		NextProtos:   []string{"h2", "http/1.1"},
	}, nil
}

// secrets returns the files that are never served.
func (c Config) secrets() []os.FileInfo {
	var secrets []os.FileInfo
	for _, file := range []string{c.CertFile, c.KeyFile} {
		if info, err := os.Stat(file); file != "" && err == nil {
			secrets = append(secrets, info)
		}
	}
	return secrets
}

func (c Config) scheme() string {
	if c.TLS {
		return "https"
	}
	return "http"
}

func (c Config) logf(format string, args ...any) {
	if c.Log != nil {
		c.Log.Printf(format, args...)
	}
}

// origin returns what a client calls the server, from the address it is bound to.
func (c Config) origin(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		addr = net.JoinHostPort("localhost", port)
	}
	return c.scheme() + "://" + addr + strings.TrimSuffix(c.Prefix, "/") + "/"
}
