package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"mangoro.local/pkg/fileserver"
	"mangoro.local/pkg/rgoipc"
)

// stopTime is how long downloads may go on once the server is told to stop.
const stopTime = 5 * time.Second

// flushTime is how long an answer waits for the log lines before it.
const flushTime = 100 * time.Millisecond

// controller holds the one file server that may run at a time.
type controller struct {
	log   *log.Logger
	flush func(time.Duration)

	mu     sync.Mutex // protects server
	server *fileserver.Server
}

func (c *controller) registry() (*rgoipc.Registry, error) {
	text := rgoipc.TypeSpec{Type: rgoipc.TypeString}
	flag := rgoipc.TypeSpec{Type: rgoipc.TypeBool, Nullable: true}
	path := rgoipc.TypeSpec{Type: rgoipc.TypeString, Nullable: true}
	report := rgoipc.TypeSpec{Type: rgoipc.TypeStruct, StructDef: &rgoipc.StructDef{Fields: []rgoipc.FieldDef{
		{Name: "status", Type: text},
		{Name: "message", Type: text},
	}}}
	functions := []struct {
		name        string
		handler     func(arrow.RecordBatch) (string, string, error)
		args        []rgoipc.ArgSpec
		description string
	}{
		{"startServer", c.startServer, []rgoipc.ArgSpec{
			{Name: "addr", Type: text},
			{Name: "dir", Type: text},
			{Name: "prefix", Type: path, Optional: true, Default: "/"},
			{Name: "cors", Type: flag, Optional: true, Default: false},
			{Name: "coop", Type: flag, Optional: true, Default: false},
			{Name: "tls", Type: flag, Optional: true, Default: false},
			{Name: "cert", Type: path, Optional: true},
			{Name: "key", Type: path, Optional: true},
			{Name: "silent", Type: flag, Optional: true, Default: false},
		}, "Start to serve a directory over HTTP"},
		{"stopServer", c.stopServer, nil, "Stop the HTTP server"},
		{"serverStatus", c.serverStatus, nil, "Tell whether the HTTP server runs, and where"},
	}
	registry := rgoipc.NewRegistry()
	for _, f := range functions {
		err := registry.Register(f.name, c.reporting(f.handler), rgoipc.FunctionSignature{
			Args:       f.args,
			ReturnType: report,
			Metadata:   map[string]string{"description": f.description},
		})
		if err != nil {
			return nil, err
		}
	}
	return registry, nil
}

// reporting makes a function that returns a status and a message a handler.
func (c *controller) reporting(f func(arrow.RecordBatch) (string, string, error)) rgoipc.FunctionHandler {
	return func(rec arrow.RecordBatch) (arrow.RecordBatch, error) {
		status, message, err := f(rec)
		c.flush(flushTime)
		if err != nil {
			return nil, err
		}
		return report(status, message), nil
	}
}

func (c *controller) startServer(rec arrow.RecordBatch) (status, message string, err error) {
	if rec.NumRows() != 1 {
		return "", "", &rgoipc.Error{
			Code:    rgoipc.CodeInvalidArgument,
			Message: fmt.Sprintf("it takes one row of settings, not %d", rec.NumRows()),
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running() {
		return "", "", fmt.Errorf("the HTTP server is already running at %s: stop it first", c.server.Addr())
	}
	server, err := fileserver.Start(context.Background(), c.settings(rec))
	if err != nil {
		return "", "", err
	}
	c.server = server
	return "ok", "HTTP server started on " + server.Addr(), nil
}

// settings reads the columns of startServer, which the signature has fixed.
func (c *controller) settings(rec arrow.RecordBatch) fileserver.Config {
	text := func(column int) string {
		if values, ok := rec.Column(column).(*array.String); ok && values.IsValid(0) {
			return values.Value(0)
		}
		return ""
	}
	flag := func(column int) bool {
		values, ok := rec.Column(column).(*array.Boolean)
		return ok && values.IsValid(0) && values.Value(0)
	}
	config := fileserver.Config{
		Addr: text(0), Dir: text(1), Prefix: text(2),
		CORS: flag(3), COOP: flag(4),
		TLS: flag(5), CertFile: text(6), KeyFile: text(7),
	}
	if silent := flag(8); !silent {
		config.Log = c.log
	}
	return config
}

func (c *controller) stopServer(arrow.RecordBatch) (status, message string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.server == nil {
		return "ok", "HTTP server was not running", nil
	}
	err = c.stopLocked()
	return "ok", "HTTP server stopped", err
}

func (c *controller) serverStatus(arrow.RecordBatch) (status, message string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.running():
		return "status", "running at " + c.server.Addr(), nil
	case c.server != nil && c.server.Err() != nil:
		return "status", fmt.Sprintf("stopped: %v", c.server.Err()), nil
	default:
		return "status", "stopped", nil
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
// longer than stopTime are cut off, which is no failure.
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

// report returns a record of one row.
func report(status, message string) arrow.RecordBatch {
	builder := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{
		{Name: "status", Type: arrow.BinaryTypes.String},
		{Name: "message", Type: arrow.BinaryTypes.String},
	}, nil))
	defer builder.Release()
	builder.Field(0).(*array.StringBuilder).Append(status)
	builder.Field(1).(*array.StringBuilder).Append(message)
	return builder.NewRecordBatch()
}
