package fileserver

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// peerVariable, in the environment of this program, makes it one of the servers of BenchmarkCPU, at
// the directory in the variable peerDir.
const peerVariable, peerDir = "FILESERVER_PEER", "FILESERVER_PEER_DIR"

func TestMain(m *testing.M) {
	if peer := os.Getenv(peerVariable); peer != "" {
		if err := servePeer(peer, os.Getenv(peerDir)); err != nil {
			log.Fatal(err)
		}
		return
	}
	os.Exit(m.Run())
}

// servePeer serves until its standard input ends.
func servePeer(peer, dir string) error {
	switch peer {
	case "net/http":
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		fmt.Println(listener.Addr())
		go func() { _ = http.Serve(listener, http.FileServer(http.Dir(dir))) }()
	default:
		config := Config{Addr: "127.0.0.1:0", Dir: dir}
		if peer == "logging" {
			config.Log = log.New(io.Discard, "", log.LstdFlags)
		}
		server, err := Start(context.Background(), config)
		if err != nil {
			return err
		}
		fmt.Println(server.Addr())
	}
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// peer is a server in a process of its own.
type peer struct {
	addr  string
	pid   int
	ticks int64 // of CPU time, in all rounds
	count int
}

func startPeer(b *testing.B, name, dir string) *peer {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), peerVariable+"="+name, peerDir+"="+dir)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Wait()
	})
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return &peer{addr: strings.TrimSpace(addr), pid: cmd.Process.Pid}
}

// cpu returns the CPU time of a process in ticks.
func (p *peer) cpu(b *testing.B) int64 {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	var sum int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		sum += n
	}
	return sum
}

// load sends requests over a few connections.
func (p *peer) load(b *testing.B, target, header string, requests int) {
	b.Helper()
	const connections = 4
	before := p.cpu(b)
	var group sync.WaitGroup
	for range connections {
		group.Go(func() {
			conn, err := net.Dial("tcp", p.addr)
			if err != nil {
				b.Error(err)
				return
			}
			defer conn.Close()
			in := bufio.NewReaderSize(conn, 128<<10)
			request := []byte("GET " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + header + "\r\n")
			for range requests / connections {
				if _, err := conn.Write(request); err != nil {
					b.Error(err)
					return
				}
				length := 0
				for {
					line, err := in.ReadSlice('\n')
					if err != nil {
						b.Error(err)
						return
					}
					if len(line) <= 2 {
						break
					}
					if value, ok := strings.CutPrefix(string(line), "Content-Length: "); ok {
						length, _ = strconv.Atoi(strings.TrimSpace(value))
					}
				}
				if _, err := in.Discard(length); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	p.ticks += p.cpu(b) - before
	p.count += requests
}

// BenchmarkCPU reports the CPU time of a request, and its ratio to that of net/http's FileServer
// measured in turns with it.
func BenchmarkCPU(b *testing.B) {
	dir := b.TempDir()
	for name, size := range map[string]int{"small.html": 1 << 10, "medium.bin": 64 << 10, "large.bin": 4 << 20} {
		if err := os.WriteFile(filepath.Join(dir, name), make([]byte, size), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	for _, bb := range []struct {
		name, target, header string
		requests             int
	}{
		{"1KiB", "/small.html", "", 20000},
		{"64KiB", "/medium.bin", "", 10000},
		{"range", "/large.bin", "Range: bytes=1048576-1114111\r\n", 10000},
		{"4MiB", "/large.bin", "", 500},
		{"404", "/nothing.html", "", 20000},
	} {
		for _, name := range []string{"silent", "logging"} {
			b.Run(bb.name+"/"+name, func(b *testing.B) {
				ours, theirs := startPeer(b, name, dir), startPeer(b, "net/http", dir)
				for b.Loop() {
					for range 3 {
						ours.load(b, bb.target, bb.header, bb.requests)
						theirs.load(b, bb.target, bb.header, bb.requests)
					}
				}
				micro := func(p *peer) float64 { return float64(p.ticks) * 1e4 / float64(p.count) }
				b.ReportMetric(micro(ours), "µs-cpu/req")
				b.ReportMetric(micro(ours)/micro(theirs), "x-net/http")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}
