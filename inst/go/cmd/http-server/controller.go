package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"slices"
	"sync"
	"time"

	"mangoro.local/pkg/fileserver"
	"mangoro.local/pkg/rgoipc"
)

// stopTime is how long downloads may go on once the server is told to stop.
const stopTime = 5 * time.Second

// flushTime is how long a reply waits until the log lines before it are written.
const flushTime = 100 * time.Millisecond

// controller holds the file servers: one without a name, and any number that have one.
type controller struct {
	log   *log.Logger
	flush func(time.Duration)

	mu        sync.Mutex // protects what follows
	servers   map[string]*fileserver.Server
	protected []string // files that no server serves, later ones included
}

// report is what each function returns.
type report struct {
	Status  string `r:"status"`
	Message string `r:"message"`
}

// siteVariable, in the environment, adds the functions that R's own sites need.
const siteVariable = "MANGORO_HTTP_SITE"

// registry returns the functions of the controller. Clients call them with plain
// records: a column for each argument.
func (c *controller) registry() (*rgoipc.Registry, error) {
	registry := rgoipc.NewRegistry()
	err := errors.Join(
		registry.Func("startServer", c.startServer, rgoipc.Columns(),
			rgoipc.Describe("Start to serve a directory over HTTP"),
			rgoipc.Args("addr", "dir", "prefix", "cors", "coop", "tls", "cert", "key", "silent", "options"),
			rgoipc.Default("prefix", "/"),
			rgoipc.Default("cors", false),
			rgoipc.Default("coop", false),
			rgoipc.Default("tls", false),
			rgoipc.Optional("cert", "key"),
			rgoipc.Default("silent", false),
			rgoipc.Optional("options"),
		),
		registry.Func("stopServer", func() (report, error) { return c.stopServer("") }, rgoipc.Columns(),
			rgoipc.Describe("Stop the HTTP server")),
		registry.Func("serverStatus", func() report { return c.serverStatus("") }, rgoipc.Columns(),
			rgoipc.Describe("Tell whether the HTTP server runs, and where")),
	)
	if err == nil && os.Getenv(siteVariable) == "1" {
		err = c.siteFunctions(registry)
	}
	return registry, err
}

// startServer starts a server. A flag that is NA is off, and a text that is NA empty.
func (c *controller) startServer(
	addr, dir string, prefix rgoipc.Null[string], cors, coop, tls rgoipc.Null[bool],
	cert, key rgoipc.Null[string], silent rgoipc.Null[bool], settings rgoipc.Null[string],
) (report, error) {
	defer c.flush(flushTime)
	config := fileserver.Config{
		Addr: addr, Dir: dir, Prefix: orZero(prefix),
		CORS: orZero(cors), COOP: orZero(coop),
		TLS: orZero(tls), CertFile: orZero(cert), KeyFile: orZero(key),
	}
	name, err := applyOptions(orZero(settings), &config)
	if err != nil {
		return report{}, err
	}
	if !orZero(silent) {
		config.Log = c.log
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if server := c.servers[name]; running(server) {
		return report{}, fmt.Errorf("the HTTP server is already running at %s: stop it first", server.Addr())
	}
	config.Protect = slices.Concat(config.Protect, c.protected)
	server, err := fileserver.Start(context.Background(), config)
	if err != nil {
		return report{}, err
	}
	c.servers[name] = server
	return report{"ok", "HTTP server started on " + server.Addr()}, nil
}

// orZero returns a value, or the zero value for NA.
func orZero[T any](v rgoipc.Null[T]) (value T) {
	if v.Valid {
		value = v.V
	}
	return value
}

func (c *controller) stopServer(name string) (report, error) {
	defer c.flush(flushTime)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.servers[name] == nil {
		return report{"ok", "HTTP server was not running"}, nil
	}
	return report{"ok", "HTTP server stopped"}, c.stopLocked(name)
}

func (c *controller) serverStatus(name string) report {
	defer c.flush(flushTime)
	c.mu.Lock()
	defer c.mu.Unlock()
	server := c.servers[name]
	switch {
	case running(server):
		return report{"status", "running at " + server.Addr()}
	case server != nil && server.Err() != nil:
		return report{"status", fmt.Sprintf("stopped: %v", server.Err())}
	default:
		return report{"status", "stopped"}
	}
}

// running tells whether a server still serves.
func running(server *fileserver.Server) bool {
	if server == nil {
		return false
	}
	select {
	case <-server.Done():
		return false
	default:
		return true
	}
}

// stop ends the servers when the program ends.
func (c *controller) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name := range c.servers {
		if err := c.stopLocked(name); err != nil {
			c.log.Print(err)
		}
	}
}

// stopLocked ends a server. Call it with c.mu held. Downloads that take
// longer than stopTime are cut off, which is not an error.
func (c *controller) stopLocked(name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	err := c.servers[name].Stop(ctx)
	delete(c.servers, name)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}
