package fileserver

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// memory returns a line of the status of a process in bytes: VmRSS is its memory, VmHWM the most it had.
func (p *peer) memory(b *testing.B, line string) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), line+":")
	kilobytes, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		b.Fatal(err)
	}
	return float64(kilobytes) * 1024
}

// hold opens connections and sends requests over each. It returns the memory per connection after the
// first request of each, and after the last.
func (p *peer) hold(b *testing.B, target string, connections, requests int) (first, last float64) {
	b.Helper()
	before := p.memory(b, "VmRSS")
	conns := make([]net.Conn, 0, connections)
	defer func() {
		for _, conn := range conns {
			_ = conn.Close()
		}
	}()
	for range connections {
		conn, err := net.Dial("tcp", p.addr)
		if err != nil {
			b.Fatal(err)
		}
		conns = append(conns, conn)
	}
	request := []byte("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n")
	in := bufio.NewReader(nil)
	for i := range requests {
		for _, conn := range conns {
			if _, err := conn.Write(request); err != nil {
				b.Fatal(err)
			}
			in.Reset(conn)
			answer, err := http.ReadResponse(in, nil)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != http.StatusOK {
				b.Fatal(answer.Status, err)
			}
		}
		last = (p.memory(b, "VmRSS") - before) / float64(connections)
		if i == 0 {
			first = last
		}
	}
	return first, last
}

// BenchmarkConnections reports the memory of an open connection beside that of net/http's FileServer, and how
// it grows with more requests.
func BenchmarkConnections(b *testing.B) {
	connections := (*Config).maxConns(&Config{})
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "small.html"), make([]byte, 1<<10), 0o600); err != nil {
		b.Fatal(err)
	}
	var ours, grown, theirs float64
	for b.Loop() {
		ours, grown = startPeer(b, "silent", dir).hold(b, "/small.html", connections, 3)
		_, theirs = startPeer(b, "net/http", dir).hold(b, "/small.html", connections, 3)
	}
	b.ReportMetric(float64(connections), "connections")
	b.ReportMetric(grown/1024, "KiB/connection")
	b.ReportMetric(grown/theirs, "x-net/http")
	b.ReportMetric(grown/ours, "x-first-request")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkLargeFolder reports the time and the memory that the list of a large directory takes, beside those of
// net/http's FileServer: the median of requests in turns, and what ten readers at a time take.
func BenchmarkLargeFolder(b *testing.B) {
	dir := manyFiles(b, 100_000)
	read := func(p *peer) float64 {
		start := time.Now()
		answer, err := http.Get("http://" + p.addr + "/")
		if err != nil {
			b.Error(err)
			return 0
		}
		defer answer.Body.Close()
		if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != http.StatusOK {
			b.Error(answer.Status, err)
		}
		return time.Since(start).Seconds()
	}
	var ratios []float64
	var memory [2]float64
	for b.Loop() {
		peers := [2]*peer{startPeer(b, "silent", dir), startPeer(b, "net/http", dir)}
		for range 7 {
			ratios = append(ratios, read(peers[0])/read(peers[1]))
		}
		for i, p := range peers {
			var group sync.WaitGroup
			for range 10 {
				group.Go(func() { read(p) })
			}
			group.Wait()
			memory[i] = p.memory(b, "VmHWM")
		}
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "x-time")
	b.ReportMetric(memory[0]/memory[1], "x-memory")
	b.ReportMetric(memory[0]/(1<<20), "MiB")
	b.ReportMetric(0, "ns/op")
}
