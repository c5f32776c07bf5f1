// Package fileserver serves directories over HTTP or HTTPS: GET, HEAD and OPTIONS, ranges
// included. It never leaves a directory: a link that leads out of it, a device and a pipe
// are not found, and neither are files whose names say that they hold secrets, see
// [SecretNames]. It does not depend on R.
//
//	server, err := fileserver.Start(ctx, fileserver.Config{Addr: "127.0.0.1:0", Dir: "data"})
//	if err != nil {
//		return err
//	}
//	fmt.Println(server.URL())
//	defer server.Stop(ctx)
package fileserver

import (
	"log"
	"time"
)

// Config says what to serve, and how. The zero value of each field is its default.
type Config struct {
	// Addr is the host and port to listen at, such as "127.0.0.1:8080". An
	// empty host is every address of the machine, port 0 a free one. It has no
	// default.
	Addr string
	// Dir is the directory to serve. It has no default, unless there are Mounts. It is
	// looked up anew for each request: what replaces it is served in its place.
	Dir string
	// Prefix is the path below which it is served: "data", "/data" and
	// "/data/" mean the same. The default is "/".
	Prefix string
	// Mounts are further directories. The longest prefix that fits a path wins.
	Mounts []Mount

	// CORS lets the scripts of every web site read what is served. The default
	// is false.
	CORS bool
	// Origins lets the scripts of these web sites only, such as "https://igv.org".
	Origins []string
	// COOP isolates the pages from those of other origins, which WebAssembly
	// threads need. The default is false.
	COOP bool
	// CORP says, with COOP, who may embed what is served: "same-origin", the default, or
	// "cross-origin".
	CORP string
	// Headers are set in every answer, after all others. Those that frame an answer, such
	// as Content-Length, are refused.
	Headers map[string]string
	// MaxAge is how long a client may use what it has without asking. The default is
	// to ask each time ("no-cache").
	MaxAge time.Duration
	// Types are the content types of file name extensions, such as ".bed": "text/plain".
	// They go before those that are known.
	Types map[string]string

	// TLS serves HTTPS, with CertFile and KeyFile. The default is false.
	TLS bool
	// CertFile and KeyFile are the certificate and its private key as PEM.
	// TLS needs both; there is no default. They are read again when they change. Neither is
	// served by any server of this process, wherever it lies.
	CertFile, KeyFile string
	// Hosts are further names that requests may be addressed to, where the server listens at
	// a loopback address: others are refused, so that no web site can reach the server by a
	// name of its own. ".lab.org" means every host in that domain, "*" any host.
	Hosts []string
	// Auth is what a client must know. The default asks for nothing.
	Auth Auth
	// HideDots keeps files and directories whose names begin with a dot from being served,
	// except ".well-known". The default is false.
	HideDots bool
	// Allow are slash-separated paths that are served although their names are those of secrets, or
	// hidden: as they stand in the URL, or below the directory if there is but one.
	Allow []string
	// Protect are files that are never served, such as the private keys of other programs.
	Protect []string
	// MaxConns is the largest number of open connections, and of answers under way. The default
	// is 10,000, but at most half of the files that the process may open.
	MaxConns int

	// Listing says what a directory without an index.html is answered with.
	Listing ListMode
	// Compress compresses texts for clients that take them so. The default is
	// false: only files that have a compressed one (.br, .zst, .gz) beside them.
	Compress bool
	// Fallback is the file, relative to the directory, that a browser gets for a page that
	// does not exist: the page of an application that has paths of its own.
	Fallback string
	// NotFound is the file, relative to the directory, that is the page for what does not
	// exist. The default is "404.html", where there is one.
	NotFound string
	// Reload lets pages load themselves again when a file changes. The default is false.
	Reload bool

	// Log receives a line at the start, for each request and at the end. The default,
	// nil, writes none.
	Log *log.Logger
}

// Mount is a directory and the path below which it is served.
type Mount struct{ Prefix, Dir string }

// Auth is what a client must know: a token (as "Authorization: Bearer", as "?token=" in the URL,
// which then sets a cookie), or a user and password (Basic). If both are given, either will do.
type Auth struct{ Token, User, Password string }

// ListMode says what a directory without an index.html is answered with.
type ListMode int

const (
	ListPage  ListMode = iota // a page, or JSON for clients that ask for it
	ListPlain                 // links without a page, for clients that do not name text/html
	ListNone                  // status 404
)

func (c *Config) logf(format string, args ...any) {
	if c.Log != nil {
		c.Log.Printf(format, args...)
	}
}

func (c *Config) scheme() string {
	if c.TLS {
		return "https"
	}
	return "http"
}
