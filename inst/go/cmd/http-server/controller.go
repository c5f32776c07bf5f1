package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"sync"
	"time"

	"mangoro.local/pkg/fileserver"
	"mangoro.local/pkg/rgoipc"
)

// stopTime is how long downloads may go on once the server is told to stop.
const stopTime = 5 * time.Second

// flushTime is how long a reply waits until the log lines before it are written.
const flushTime = 100 * time.Millisecond

// controller holds the one file server that may run at a time.
type controller struct {
	log   *log.Logger
	flush func(time.Duration)

	mu     sync.Mutex // protects server
	server *fileserver.Server
}

// report is what each function returns.
type report struct {
	Status  string `r:"status"`
	Message string `r:"message"`
}

// registry returns the functions of the controller. Clients call them with plain
// records: a column for each argument.
func (c *controller) registry() (*rgoipc.Registry, error) {
	registry := rgoipc.NewRegistry()
	return registry, errors.Join(
		registry.Func("startServer", c.startServer, rgoipc.Columns(),
			rgoipc.Describe("Start to serve a directory over HTTP"),
			rgoipc.Args("addr", "dir", "prefix", "cors", "coop", "tls", "cert", "key", "silent"),
			rgoipc.Default("prefix", "/"),
			rgoipc.Default("cors", false),
			rgoipc.Default("coop", false),
			rgoipc.Default("tls", false),
			rgoipc.Optional("cert", "key"),
			rgoipc.Default("silent", false),
		),
		registry.Func("stopServer", c.stopServer, rgoipc.Columns(), rgoipc.Describe("Stop the HTTP server")),
		registry.Func("serverStatus", c.serverStatus, rgoipc.Columns(),
			rgoipc.Describe("Tell whether the HTTP server runs, and where")),
	)
}

// startServer starts the server. A flag that is NA is off, and a text that is NA empty.
func (c *controller) startServer(
	addr, dir string, prefix rgoipc.Null[string], cors, coop, tls rgoipc.Null[bool],
	cert, key rgoipc.Null[string], silent rgoipc.Null[bool],
) (report, error) {
	defer c.flush(flushTime)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running() {
		return report{}, fmt.Errorf("the HTTP server is already running at %s: stop it first", c.server.Addr())
	}
	config := fileserver.Config{
		Addr: addr, Dir: dir, Prefix: orZero(prefix),
		CORS: orZero(cors), COOP: orZero(coop),
		TLS: orZero(tls), CertFile: orZero(cert), KeyFile: orZero(key),
	}
	if !orZero(silent) {
		config.Log = c.log
	}
	server, err := fileserver.Start(context.Background(), config)
	if err != nil {
		return report{}, err
	}
	c.server = server
	return report{"ok", "HTTP server started on " + server.Addr()}, nil
}

// orZero returns a value, or the zero value for NA.
func orZero[T any](v rgoipc.Null[T]) (value T) {
	if v.Valid {
		value = v.V
	}
	return value
}

func (c *controller) stopServer() (report, error) {
	defer c.flush(flushTime)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.server == nil {
		return report{"ok", "HTTP server was not running"}, nil
	}
	return report{"ok", "HTTP server stopped"}, c.stopLocked()
}

func (c *controller) serverStatus() report {
	defer c.flush(flushTime)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.running():
		return report{"status", "running at " + c.server.Addr()}
	case c.server != nil && c.server.Err() != nil:
		return report{"status", fmt.Sprintf("stopped: %v", c.server.Err())}
	default:
		return report{"status", "stopped"}
	}
}

// running tells whether the server still serves. Call it with c.mu held.
func (c *controller) running() bool {
	if c.server == nil {
		return false
	}
	select {
	case <-c.server.Done():
		return false
	default:
		return true
	}
}

// stop ends the server, if there is one, when the program ends.
func (c *controller) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.stopLocked(); err != nil {
		c.log.Print(err)
	}
}

// stopLocked ends the server. Call it with c.mu held. Downloads that take
// longer than stopTime are cut off, which is not an error.
func (c *controller) stopLocked() error {
	if c.server == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	err := c.server.Stop(ctx)
	c.server = nil
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}
