// A server that records its calls: each call appends its id to a file, and then replies,
// waits, closes its connection, interrupts R or dies, as its argument says. R connects to
// a relay, which can close connections while the server keeps running.
package main

import (
	"io"
	"log"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"mangoro.local/pkg/rgoipc"
)

type relay struct {
	path, server string
	mu           sync.Mutex
	open         map[net.Conn]bool
}

func (r *relay) listen() error {
	os.Remove(r.path)
	listener, err := net.Listen("unix", r.path)
	if err != nil {
		return err
	}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("unix", r.server)
			if err != nil {
				client.Close()
				continue
			}
			go r.copy(client, server)
			go r.copy(server, client)
		}
	}()
	return nil
}

func (r *relay) copy(to, from net.Conn) {
	r.mu.Lock()
	r.open[to] = true
	r.mu.Unlock()
	io.Copy(to, from)
	to.Close()
	r.mu.Lock()
	delete(r.open, to)
	r.mu.Unlock()
}

func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for conn := range r.open {
		conn.Close()
	}
}

func main() {
	path := strings.TrimPrefix(os.Args[1], "ipc://")
	relay := &relay{path: path, server: path + ".server", open: map[net.Conn]bool{}}
	os.Args[1] = "ipc://" + relay.server
	if err := relay.listen(); err != nil {
		log.Fatal(err)
	}
	mark := func(file, id, fate string, pid int32) (string, error) {
		f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return "", err
		}
		defer f.Close()
		if _, err := f.WriteString(id + "\n"); err != nil {
			return "", err
		}
		switch fate {
		case "wait":
			<-time.After(200 * time.Millisecond)
		case "cut":
			relay.cut()
		case "interrupt", "die":
			if fate == "die" {
				pid = int32(os.Getpid())
			}
			process, err := os.FindProcess(int(pid))
			if err != nil {
				return "", err
			}
			signal := os.Interrupt
			if fate == "die" {
				signal = os.Kill
			}
			if err := process.Signal(signal); err != nil {
				return "", err
			}
			<-time.After(200 * time.Millisecond)
		}
		return id, nil
	}
	registry := rgoipc.NewRegistry()
	if err := registry.Func("mark", mark, rgoipc.Args("file", "id", "fate", "pid")); err != nil {
		log.Fatal(err)
	}
	rgoipc.Main(registry)
}
