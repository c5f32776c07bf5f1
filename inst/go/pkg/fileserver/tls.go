package fileserver

import (
	"crypto/tls"
	"errors"
	"fmt"
)

// tlsConfig loads the certificate. Without TLS it returns nil.
func (c *Config) tlsConfig() (*tls.Config, error) {
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
