package rgoipc

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Main is the main function of a server. It takes the URL to listen at as its
// only argument, prints the registered functions and, once it listens, where,
// and serves until it is told to stop by SIGINT or SIGTERM. What goes wrong is
// printed and ends the program with status 1, a wrong command line with 2.
func Main(registry *Registry, opts ...Option) {
	if len(os.Args) != 2 {
		fmt.Fprintf(os.Stderr, "usage: %s URL\n", os.Args[0])
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	fmt.Printf("Registered functions: %v\n", registry.List())
	config, err := newConfig(opts)
	if err == nil {
		announce := WithReady(func(url string) {
			fmt.Printf("%s listening on %s\n", config.title, url)
			config.ready(url)
		})
		err = Serve(ctx, os.Args[1], registry, append(opts, announce)...)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
