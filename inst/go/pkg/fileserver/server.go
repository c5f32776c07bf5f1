package fileserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// Limits of a connection, see also patience.go.
const (
	headerTime     = 10 * time.Second // to send the head of a request
	idleTime       = 2 * time.Minute  // between two requests
	maxHeaderBytes = 16 << 10
)

// Server is a running file server. Make one with [Start]; its methods may be
// called from several goroutines.
type Server struct {
	config Config
	addr   string
	http   *http.Server
	root   *os.Root
	cancel context.CancelFunc
	stop   func(context.Context) error

	done chan struct{} // closed when nothing is served any more
	err  error         // why, if nobody asked for it; read it after done
}

// Start serves what config says, and returns once the server listens. It runs
// until ctx ends or [Server.Stop] is called. What stands in the way, such as an
// address that is taken, a directory that is not there or a certificate that
// does not fit its key, is an error.
func Start(ctx context.Context, config Config) (*Server, error) {
	config, err := config.check()
	if err != nil {
		return nil, err
	}
	var tlsConfig *tls.Config
	if config.TLS {
		if tlsConfig, err = config.tlsConfig(); err != nil {
			return nil, err
		}
	}
	root, err := os.OpenRoot(config.Dir)
	if err != nil {
		return nil, fmt.Errorf("cannot serve %q: %w", config.Dir, err)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", config.Addr)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot listen at %s: %w", config.Addr, err), root.Close())
	}

	ctx, cancel := context.WithCancel(ctx)
	s := &Server{
		config: config,
		addr:   boundAddr(config.Addr, listener.Addr()),
		root:   root,
		cancel: cancel,
		done:   make(chan struct{}),
		http: &http.Server{
			Handler:           newHandler(config, root),
			TLSConfig:         tlsConfig,
			ReadHeaderTimeout: headerTime,
			IdleTimeout:       idleTime,
			MaxHeaderBytes:    maxHeaderBytes,
			ErrorLog:          errorLog(config),
		},
	}
	s.stop = onceError(s.shutdown)
	config.logf("Starting %s server on %s serving %s at %s", strings.ToUpper(config.scheme()), s.addr, config.Dir, config.Prefix)
	go s.serve(listener)
	go func() {
		<-ctx.Done()
		// Nobody waits any more: connections are cut.
		_ = s.Stop(ctx)
	}()
	return s, nil
}

// serve accepts connections until the server is shut down, or fails.
func (s *Server) serve(listener net.Listener) {
	defer close(s.done)
	var err error
	if s.config.TLS {
		err = s.http.ServeTLS(listener, "", "")
	} else {
		err = s.http.Serve(listener)
	}
	if !errors.Is(err, http.ErrServerClosed) {
		s.err = fmt.Errorf("the server at %s failed: %w", s.addr, err)
		s.config.logf("%v", s.err)
	}
}

// Addr returns the address that the server is bound to: the host of
// [Config.Addr], and the real port.
func (s *Server) Addr() string { return s.addr }

// URL returns the address of what is served, such as
// "http://127.0.0.1:8080/data/".
func (s *Server) URL() string { return s.config.origin(s.addr) }

// Done returns a channel that is closed when the server has ended.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err returns why a server has ended that nobody has stopped, and nil while it
// runs.
func (s *Server) Err() error {
	select {
	case <-s.done:
		return s.err
	default:
		return nil
	}
}

// Stop ends the server: at once for new connections, and for answers under way
// when they are complete or when ctx ends, whichever is first. It returns ctx's
// error if answers were cut off. A second call returns what the first did.
func (s *Server) Stop(ctx context.Context) error { return s.stop(ctx) }

func (s *Server) shutdown(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		// Answers still under way are cut off.
		err = errors.Join(err, s.http.Close())
	}
	<-s.done
	s.cancel()
	s.config.logf("HTTP server stopped")
	return errors.Join(err, s.root.Close())
}

// onceError is sync.OnceValue for a function that takes a context.
func onceError(f func(context.Context) error) func(context.Context) error {
	var once sync.Once
	var err error
	return func(ctx context.Context) error {
		once.Do(func() { err = f(ctx) })
		return err
	}
}

// boundAddr returns the address asked for, with the port that it became.
func boundAddr(asked string, bound net.Addr) string {
	host, _, errAsked := net.SplitHostPort(asked)
	_, port, errBound := net.SplitHostPort(bound.String())
	if errAsked != nil || errBound != nil {
		return bound.String()
	}
	return net.JoinHostPort(host, port)
}

// errorLog takes what net/http has to say of broken connections.
func errorLog(config Config) *log.Logger {
	if config.Log == nil {
		return log.New(io.Discard, "", 0)
	}
	return config.Log
}
