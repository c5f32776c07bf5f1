package fileserver

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"testing"
)

func TestHosts(t *testing.T) {
	for _, tt := range []struct {
		listensAt string
		loopback  bool
		more      []string
		host      string
		want      bool
	}{
		{"127.0.0.1:80", true, nil, "localhost", true},
		{"127.0.0.1:80", true, nil, "LOCALHOST:8080", true},
		{"127.0.0.1:80", true, nil, "localhost.", true},
		{"127.0.0.1:80", true, nil, "app.localhost:80", true},
		{"127.0.0.1:80", true, nil, "127.0.0.1", true},
		{"127.0.0.1:80", true, nil, "127.1.2.3:99", true},
		{"127.0.0.1:80", true, nil, "[::1]", true},
		{"127.0.0.1:80", true, nil, "[::1]:80", true},
		{"127.0.0.1:80", true, nil, "", true},
		{"127.0.0.1:80", true, nil, "evil.example", false},
		{"127.0.0.1:80", true, nil, "evil.example:80", false},
		{"127.0.0.1:80", true, nil, "localhost.evil.example", false},
		{"127.0.0.1:80", true, nil, "127.0.0.1.evil.example", false},
		{"127.0.0.1:80", true, nil, "evillocalhost", false},
		{"127.0.0.1:80", true, nil, ".localhost", false},
		{"127.0.0.1:80", true, nil, "192.168.1.1", false},
		{"127.0.0.1:80", true, nil, "user@localhost", false},
		{"127.0.0.1:80", true, nil, "[evil]", false},
		{"127.0.0.1:80", true, nil, "[::1].evil.example", false},
		{"127.0.0.1:80", true, nil, "[::1]evil.example:80", false},
		{"127.0.0.1:80", true, nil, "[localhost].evil.example", false},
		{"127.0.0.1:80", true, nil, "[localhost]", false},
		{"127.0.0.1:80", true, nil, "::1].evil.example", false},
		{"127.0.0.1:80", true, nil, "[::1", false},
		{"[::1]:80", true, nil, "[::1]:80", true},
		{"127.0.0.1:80", true, nil, "::1", true},
		{"myhost:80", true, nil, "myhost:80", true},
		{"127.0.0.1:80", true, []string{"files.lab.org"}, "Files.Lab.Org:80", true},
		{"127.0.0.1:80", true, []string{"files.lab.org"}, "x.lab.org", false},
		{"127.0.0.1:80", true, []string{".lab.org"}, "x.lab.org", true},
		{"127.0.0.1:80", true, []string{".lab.org"}, "lab.org", false},
		{"127.0.0.1:80", true, []string{"10.0.0.1"}, "10.0.0.1:80", true},
		{"127.0.0.1:80", true, []string{"*"}, "evil.example", true},
		{":80", false, nil, "evil.example", true},
		{":80", false, []string{"a.org"}, "evil.example", false},
		{":80", false, []string{"a.org"}, "a.org", true},
		{":80", false, []string{"a.org"}, "localhost", true},
	} {
		if got := newHosts(tt.listensAt, tt.loopback, tt.more).allow(tt.host); got != tt.want {
			t.Errorf("listening at %s, with %q: %q is %v", tt.listensAt, tt.more, tt.host, got)
		}
	}
}

func TestStrangeHost(t *testing.T) {
	dir, _ := site(t)
	server := start(t, Config{Dir: dir, CORS: true})
	for _, tt := range []struct {
		target, hosts string
		want          int
	}{
		{"/a.txt", "Host: evil.example\r\n", 403},
		{"/nothing", "Host: evil.example\r\n", 403},
		{"http://evil.example/a.txt", "Host: localhost\r\n", 403},
		{"/a.txt", "Host: localhost\r\nHost: evil.example\r\n", 400},
		{"/a.txt", "Host: " + server.Addr() + "\r\n", 200},
	} {
		conn, err := net.Dial("tcp", server.Addr())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\n%sConnection: close\r\n\r\n", tt.target, tt.hosts)
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode != tt.want {
			t.Errorf("%s %q: %d", tt.target, tt.hosts, answer.StatusCode)
		}
		_ = answer.Body.Close()
		_ = conn.Close()
	}
}
