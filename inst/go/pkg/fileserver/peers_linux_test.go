package fileserver

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// startProgram starts nginx or Caddy, if it is installed, to serve a directory.
func startProgram(b *testing.B, name, dir string) *peer {
	b.Helper()
	program, err := exec.LookPath(name)
	if err != nil {
		b.Skipf("no %s: apt-get install %s", name, name)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	addr := listener.Addr().String()
	_ = listener.Close()
	home := b.TempDir()
	config := filepath.Join(home, "config")
	var text string
	var args []string
	switch name {
	case "nginx":
		text = fmt.Sprintf(`daemon off; pid %[1]s/pid; error_log stderr crit; worker_processes 2; user root;
events { worker_connections 1024; }
http {
	access_log off; sendfile on; keepalive_requests 100000000; types { text/html html; } default_type application/octet-stream;
	client_body_temp_path %[1]s/a; proxy_temp_path %[1]s/b; fastcgi_temp_path %[1]s/c; uwsgi_temp_path %[1]s/d; scgi_temp_path %[1]s/e;
	server { listen %[2]s; root %[3]s; }
}
`, home, addr, dir)
		args = []string{"-c", config, "-p", home, "-e", "stderr"}
	case "caddy":
		text = fmt.Sprintf("{\n\tadmin off\n\tauto_https off\n}\nhttp://%s {\n\troot * %s\n\tfile_server\n}\n", addr, dir)
		args = []string{"run", "--config", config, "--adapter", "caddyfile"}
	}
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	cmd := exec.CommandContext(b.Context(), program, args...)
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_DATA_HOME="+home)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(patience); ; {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			_ = conn.Close()
			break
		}
		if time.Now().After(deadline) {
			b.Fatal(err)
		}
	}
	return &peer{addr: addr, pid: cmd.Process.Pid}
}

// BenchmarkThroughput compares the time that a number of requests takes with that of other servers,
// measured in turns: 1.1 means that ours does 1.1 times as many requests in a second.
func BenchmarkThroughput(b *testing.B) {
	dir := b.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		b.Fatal(err)
	}
	for name, size := range map[string]int64{"small.html": 1 << 10, "medium.bin": 64 << 10, "large.bin": 64 << 20} {
		if err := os.WriteFile(filepath.Join(dir, name), make([]byte, size), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	huge := filepath.Join(dir, "huge.bin") // of holes
	if err := errors.Join(os.WriteFile(huge, nil, 0o644), os.Truncate(huge, 1<<30)); err != nil {
		b.Fatal(err)
	}
	for _, bb := range []struct {
		name, target     string
		requests, rounds int
	}{
		{"1KiB", "/small.html", 8000, 7},
		{"64KiB", "/medium.bin", 4000, 7},
		{"64MiB", "/large.bin", 16, 7},
		{"1GiB", "/huge.bin", 4, 5},
	} {
		for _, name := range []string{"net/http", "nginx", "caddy"} {
			b.Run(strings.ReplaceAll(bb.name+"/"+name, "net/http", "net-http"), func(b *testing.B) {
				ours := startPeer(b, "silent", dir)
				var theirs *peer
				if name == "net/http" {
					theirs = startPeer(b, name, dir)
				} else {
					theirs = startProgram(b, name, dir)
				}
				var ratios []float64
				took := func(p *peer) float64 {
					start := time.Now()
					p.load(b, bb.target, "", bb.requests)
					return time.Since(start).Seconds()
				}
				for b.Loop() {
					for range bb.rounds {
						o, t := took(ours), took(theirs)
						ratios = append(ratios, t/o)
					}
				}
				slices.Sort(ratios)
				b.ReportMetric(ratios[len(ratios)/2], "x-requests")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}
