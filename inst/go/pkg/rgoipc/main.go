package rgoipc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"mangoro.local/internal/codec"
	"mangoro.local/internal/parent"
)

// Main is the main function of a server. It takes the URL to listen at as its
// only argument, prints the registered functions, those that are left out and, once it
// listens, where, and serves until it is told to stop by SIGINT or SIGTERM. An error is
// printed and ends the program with status 1, a wrong command line with status 2.
//
// Environment variables:
//
//   - MANGORO_PARENT is the id of the process that started the server. The server stops
//     when that process ends, however it ends. By default it lives on.
//   - MANGORO_DIR is a directory that is then removed.
//   - MANGORO_MARKS=1 has lines of package log marked, for R to tell the order of what is
//     printed. R removes the marks.
//   - MANGORO_SHARED_MEMORY=0 has the server not offer shared memory to R.
//   - TZ is the time zone of the program, time.Local, on all systems. R sets it to its own.
func Main(registry *Registry, opts ...Option) {
	if len(os.Args) != 2 {
		fmt.Fprintf(os.Stderr, "usage: %s URL\n", os.Args[0])
		os.Exit(2)
	}
	codec.SetLocal()
	if os.Getenv("MANGORO_MARKS") == "1" {
		markLog()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	starter, err := parent.FromEnvironment()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if starter.PID != 0 {
		// The reader of our output may have ended too. A write to it must not end this
		// program before the socket is closed.
		signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
		ctx, stop = parent.Watch(ctx, starter.PID)
		defer stop()
	}

	fmt.Printf("Registered functions: %v\n", registry.List())
	for _, f := range registry.allLeftOut() {
		if !f.found {
			fmt.Fprintln(os.Stderr, "left out:", f)
		}
	}
	config, err := newConfig(opts)
	if err == nil {
		announce := WithReady(func(url string) {
			fmt.Printf("%s listening on %s\n", config.title, url)
			config.ready(url)
		})
		err = Serve(ctx, os.Args[1], registry, append(opts, announce)...)
	}
	err = errors.Join(err, starter.Clean(ctx))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
