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
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Limits of a connection, see also watch.go.
const (
	headerTime     = 10 * time.Second // to send the head of a request
	idleTime       = 2 * time.Minute  // between two requests
	maxHeaderBytes = 16 << 10
	maxStreams     = 100 // requests at a time over one connection of HTTP/2
)

// Server is a running file server. Make one with [Start]; its methods may be
// called from several goroutines.
type Server struct {
	config  *Config
	addr    string
	http    *http.Server
	handler *Handler
	watched atomic.Pointer[watcher]
	busy    sync.RWMutex // read-locked by each answer under way, locked for ever at the end

	settle  sync.Once
	settled chan struct{} // closed when all answers are complete, or are about to be cut off
	cut     error         // why answers were cut off; written before settled is closed

	done chan struct{} // closed when nothing is served any more
	err  error         // why it failed, nil if it was stopped; written before done is closed
}

// Start serves what config says, and returns once the server listens. It runs
// until ctx ends, which cuts off answers under way, or [Server.Stop] is called.
// It is an error if the address is taken, the directory does not exist, the certificate
// does not belong to its key, or the like.
func Start(ctx context.Context, config Config) (*Server, error) {
	config, err := config.check()
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", config.Addr)
	if err != nil {
		if op := (*net.OpError)(nil); errors.As(err, &op) { // which says the address once more
			err = op.Err
		}
		return nil, fmt.Errorf("cannot listen at %s: %w; use a host of this machine and another port, or port 0 for a free one",
			config.Addr, err)
	}
	tcp, ok := listener.Addr().(*net.TCPAddr)
	loopback := ok && tcp.IP.IsLoopback()
	handler, err := newHandler(config, loopback)
	if err != nil {
		_ = listener.Close()
		return nil, err
	}
	tlsConfig, err := handler.config.tlsConfig(handler.Protect)
	if err != nil {
		_ = listener.Close()
		_ = handler.Close()
		return nil, err
	}
	s := newServer(handler, tlsConfig, boundAddr(config.Addr, listener.Addr()))
	config.logf("Starting %s server on %s serving %s", strings.ToUpper(config.scheme()), s.addr, config.places())
	if !loopback {
		config.logf("Anyone who can reach %s can read what is served", s.addr)
	}
	go s.run(ctx, listener)
	return s, nil
}

// newServer returns a server that does not run yet.
func newServer(handler *Handler, tlsConfig *tls.Config, addr string) *Server {
	s := &Server{
		config:  &handler.config,
		addr:    addr,
		handler: handler,
		settled: make(chan struct{}),
		done:    make(chan struct{}),
	}
	s.http = &http.Server{
		Handler:                      s.counted(handler),
		TLSConfig:                    tlsConfig,
		ReadHeaderTimeout:            headerTime,
		IdleTimeout:                  idleTime,
		MaxHeaderBytes:               maxHeaderBytes,
		HTTP2:                        &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		ErrorLog:                     errorLog(s.config),
		ConnState:                    connState,
		DisableGeneralOptionsHandler: true, // its answers lack our headers
	}
	s.http.RegisterOnShutdown(handler.reloads.close)
	return s
}

// run runs the server. When it returns, nothing of it is left.
func (s *Server) run(ctx context.Context, listener net.Listener) {
	defer close(s.done)
	ctx, cancel := context.WithCancel(ctx)
	watched := watch(listener, s.config, s.config.maxConns())
	s.watched.Store(watched)
	var background sync.WaitGroup
	background.Go(func() {
		<-ctx.Done()
		s.end(ctx)
	})
	background.Go(func() { watched.run(ctx.Done()) })
	if err := s.accept(watched); !errors.Is(err, http.ErrServerClosed) {
		s.err = fmt.Errorf("the server at %s failed: %w", s.addr, err)
		s.config.logf("%v", s.err)
		cancel()
	}
	<-s.settled
	cancel()
	background.Wait()
	s.busy.Lock()
	_ = s.handler.Close()
	s.config.logf("HTTP server stopped")
}

// accept accepts connections until the server is shut down or fails.
func (s *Server) accept(listener net.Listener) error {
	if s.config.TLS {
		return s.http.ServeTLS(listener, "", "")
	}
	return s.http.Serve(listener)
}

// counted lets the end of the server wait for the answers under way. Later requests are
// dropped.
func (s *Server) counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.busy.TryRLock() {
			panic(http.ErrAbortHandler)
		}
		defer s.busy.RUnlock()
		next.ServeHTTP(w, r)
	})
}

// end stops listening, waits until ctx ends for the answers under way, and cuts off those
// that are not complete. It may be called more than once: the context that ends first
// counts.
func (s *Server) end(ctx context.Context) {
	err := s.http.Shutdown(ctx)
	s.settle.Do(func() {
		s.cut = err
		close(s.settled)
	})
	if err != nil {
		_ = s.http.Close()
	}
}

// Addr returns the address that the server is bound to: the host of
// [Config.Addr], and the real port.
func (s *Server) Addr() string { return s.addr }

// URL returns the address of what is served, such as
// "http://127.0.0.1:8080/data/".
func (s *Server) URL() string { return s.URLs()[0] }

// URLs returns the addresses of all directories that are served, in the order of the configuration.
func (s *Server) URLs() []string {
	addr := s.addr
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		addr = net.JoinHostPort("localhost", port)
	}
	var urls []string
	for _, m := range s.config.Mounts {
		urls = append(urls, (&url.URL{Scheme: s.config.scheme(), Host: addr, Path: m.Prefix}).String())
	}
	return urls
}

// Connections returns the number of open connections.
func (s *Server) Connections() int {
	if w := s.watched.Load(); w != nil {
		return w.count()
	}
	return 0
}

// Protect keeps further files from being served, by any server of this process, until the server has ended.
func (s *Server) Protect(files ...string) { s.handler.Protect(files...) }

// Done returns a channel that is closed when the server has ended, whether it was
// stopped or has failed: then see [Server.Err].
func (s *Server) Done() <-chan struct{} { return s.done }

// Err returns why a server has failed. It is nil while the server runs, and if it was
// stopped.
func (s *Server) Err() error {
	select {
	case <-s.done:
		return s.err
	default:
		return nil
	}
}

// Stop ends the server: at once for new connections, and for answers under way
// when they are complete or when ctx ends, whichever is first. It returns when
// nothing is served any more, with an error that wraps ctx's if answers were cut
// off. Further calls return the same.
func (s *Server) Stop(ctx context.Context) error {
	s.end(ctx)
	<-s.done
	if s.cut != nil {
		return fmt.Errorf("the server at %s stopped before all its answers were complete: %w", s.addr, s.cut)
	}
	return nil
}

// boundAddr returns the requested address with the actual port.
func boundAddr(asked string, bound net.Addr) string {
	host, _, errAsked := net.SplitHostPort(asked)
	_, port, errBound := net.SplitHostPort(bound.String())
	if errAsked != nil || errBound != nil {
		return bound.String()
	}
	return net.JoinHostPort(host, port)
}

// places says for the log what is served where.
func (c *Config) places() string {
	var places []string
	for _, m := range c.Mounts {
		places = append(places, m.Dir+" at "+m.Prefix)
	}
	return strings.Join(places, ", ")
}

// errorLog returns the log for the errors of net/http, such as broken connections.
func errorLog(config *Config) *log.Logger {
	if config.Log == nil {
		return log.New(io.Discard, "", 0)
	}
	return config.Log
}
