// Package fileserver serves a directory over HTTP or HTTPS: GET, HEAD and OPTIONS, ranges
// included. It never leaves the directory: a link that leads out of it, a device and a pipe
// are not found. It does not depend on R.
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
	"net/url"
	"os"
	"path"
	"path/filepath"
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
	// TLS needs both; there is no default. Neither is served, wherever it lies.
	CertFile, KeyFile string
	// Log receives a line at the start, for each request and at the end. The default,
	// nil, writes none.
	Log *log.Logger
}

// check returns the configuration with absolute paths and its prefix in the form "/data/",
// or an error that says what is wrong with it.
func (c Config) check() (Config, error) {
	if _, _, err := net.SplitHostPort(c.Addr); err != nil {
		return c, fmt.Errorf("%q is not an address of the form host:port, such as \"127.0.0.1:8080\": %w", c.Addr, err)
	}
	for _, file := range []*string{&c.Dir, &c.CertFile, &c.KeyFile} {
		if *file == "" {
			continue
		}
		full, err := filepath.Abs(*file)
		if err != nil {
			return c, fmt.Errorf("cannot tell where %q is: %w; give its full path", *file, err)
		}
		*file = full
	}
	c.Prefix = cleanPrefix(c.Prefix)
	return c, checkDir(c.Dir)
}

// checkDir returns an error if the directory cannot be served.
func checkDir(dir string) error {
	if dir == "" {
		return errors.New(`no directory to serve: give one, such as "."`)
	}
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return fmt.Errorf("cannot serve %q: %w; give a directory that exists and can be read", dir, err)
	case !info.IsDir():
		return fmt.Errorf("cannot serve %q: it is not a directory; give the one it lies in", dir)
	}
	return nil
}

func cleanPrefix(prefix string) string {
	cleaned := path.Clean("/" + prefix)
	if cleaned != "/" {
		cleaned += "/"
	}
	return cleaned
}

// tlsConfig loads the certificate. Without TLS it returns nil.
func (c Config) tlsConfig() (*tls.Config, error) {
	if !c.TLS {
		return nil, nil
	}
	if c.CertFile == "" || c.KeyFile == "" {
		return nil, errors.New("TLS needs the PEM files of a certificate and of its key: give both")
	}
	certificate, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("cannot use the certificate %q with the key %q: %w; give readable PEM files that belong together",
			c.CertFile, c.KeyFile, err)
	}
	return &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{certificate},
		NextProtos:   []string{"h2", "http/1.1"},
	}, nil
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

// origin returns the URL of the server for clients, from the address it is bound to.
func (c Config) origin(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		addr = net.JoinHostPort("localhost", port)
	}
	return (&url.URL{Scheme: c.scheme(), Host: addr, Path: c.Prefix}).String()
}
