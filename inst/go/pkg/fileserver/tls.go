package fileserver

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// tlsConfig returns what TLS needs, nil without it. The files are read again when they change.
func (c *Config) tlsConfig(protect func(files ...string)) (*tls.Config, error) {
	if !c.TLS {
		return nil, nil
	}
	if c.CertFile == "" || c.KeyFile == "" {
		return nil, errors.New("TLS needs the PEM files of a certificate and of its key: give both")
	}
	pair, err := newKeyPair(c, protect)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: pair.get,
		NextProtos:     []string{"h2", "http/1.1"},
	}, nil
}

// reloadTime is how long a certificate is used without a look at its files.
const reloadTime = time.Second

// keyPair is a certificate and its key, as their files have it.
type keyPair struct {
	config  *Config
	protect func(files ...string)

	mu          sync.Mutex
	certificate *tls.Certificate
	versions    [2]meta   // of the files, as last read
	protected   [2]fileID // of the files that are kept from being served
	looked      time.Time
}

// newKeyPair reads the files of a configuration, which are protected already. Later ones are given to protect.
func newKeyPair(c *Config, protect func(files ...string)) (*keyPair, error) {
	p := &keyPair{config: c, protect: protect, versions: c.pairVersions()}
	p.protected = [2]fileID{p.versions[0].id, p.versions[1].id}
	return p, p.load()
}

// load reads the files.
func (p *keyPair) load() error {
	certificate, err := p.read()
	if err != nil {
		return fmt.Errorf("cannot use the certificate %q with the key %q: %w; give readable PEM files that belong together",
			p.config.CertFile, p.config.KeyFile, err)
	}
	p.certificate = &certificate
	return nil
}

// read reads the files. It does not open what is no regular file: a pipe would let all handshakes wait.
func (p *keyPair) read() (tls.Certificate, error) {
	for i, file := range p.config.pair() {
		if !p.versions[i].mode.IsRegular() {
			return tls.Certificate{}, fmt.Errorf("%q is not a regular file", file)
		}
	}
	return tls.LoadX509KeyPair(p.config.CertFile, p.config.KeyFile)
}

// get returns the certificate for a handshake. If the files have become unusable, such as while only
// one of them is renewed, the last good certificate stays.
func (p *keyPair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if now.Sub(p.looked) < reloadTime {
		return p.certificate, nil
	}
	p.looked = now
	versions := p.config.pairVersions()
	if versions == p.versions {
		return p.certificate, nil
	}
	p.versions = versions
	for i, file := range p.config.pair() {
		// What is protected is held open: a file of which only the times are new is not, again.
		if id := versions[i].id; id != p.protected[i] && id != (fileID{}) {
			p.protected[i] = id
			p.protect(file)
		}
	}
	if err := p.load(); err != nil {
		p.config.logf("the certificate in use stays: %v", err)
	}
	return p.certificate, nil
}

func (c *Config) pair() [2]string { return [2]string{c.CertFile, c.KeyFile} }

func (c *Config) pairVersions() (versions [2]meta) {
	for i, file := range c.pair() {
		versions[i] = versionOf(file)
	}
	return versions
}

// versionOf returns what tells versions of a file apart, nothing if it is not there.
func versionOf(path string) meta {
	info, err := os.Stat(path)
	if err != nil {
		return meta{}
	}
	m := metaOf(info)
	m.links = 0
	return m
}
