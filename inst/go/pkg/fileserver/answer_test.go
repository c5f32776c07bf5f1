package fileserver

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A panic is answered with an error, or aborts the answer that has begun.
func TestPanic(t *testing.T) {
	var lines lockedBuffer
	config := Config{Log: log.New(&lines, "", 0)}
	handler := &Handler{config: config, headers: newHeaders(&config)}
	handler.respond = func(w *answer, r *http.Request) {
		w.Header().Set("Content-Length", "10")
		switch r.URL.Path {
		case "/header":
			w.WriteHeader(http.StatusOK)
		case "/announced":
			w.WriteHeader(http.StatusEarlyHints)
		case "/written":
			fmt.Fprint(w, "01234")
		case "/copied":
			if _, err := io.Copy(w, strings.NewReader("01234")); err != nil {
				t.Error(err)
			}
		}
		panic("oh\nno")
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	for path, begun := range map[string]bool{"/": false, "/announced": false, "/header": true, "/written": true, "/copied": true} {
		t.Run(path, func(t *testing.T) {
			answer, err := http.Get(server.URL + path)
			if begun && err != nil {
				return // broken off before anything was sent
			}
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			body, err := io.ReadAll(answer.Body)
			switch {
			case begun && err == nil:
				t.Errorf("the answer passes for complete: %d %q", answer.StatusCode, body)
			case !begun && (err != nil || answer.StatusCode != 500 || string(body) != "500 internal server error\n"):
				t.Errorf("%d %q, %v", answer.StatusCode, body, err)
			}
			if want := "panic while serving " + path + ": oh\\nno\ngoroutine "; !strings.Contains(lines.String(), want) {
				t.Errorf("the log lacks %q:\n%s", want, lines.String())
			}
		})
	}
}

// The body of a request is not needed: a request is answered even if its body never comes.
func TestBodiesAreNotWaitedFor(t *testing.T) {
	dir, _ := site(t)
	server := start(t, Config{Dir: dir})
	for method, want := range map[string]string{"GET": "200 OK", "OPTIONS": "204 No Content", "POST": "405 Method Not Allowed"} {
		for _, header := range []string{"Content-Length: 10", "Content-Length: 1000000000", "Transfer-Encoding: chunked"} {
			conn, err := net.Dial("tcp", server.Addr())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			fmt.Fprintf(conn, "%s /a.txt HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n", method, header)
			// The server closes the connection, and so the answer ends.
			answer, err := io.ReadAll(conn)
			if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 "+want) ||
				method == "GET" && !strings.HasSuffix(string(answer), "\r\n\r\n0123456789") {
				t.Errorf("%s with %s: %q, %v", method, header, answer, err)
			}
		}
	}
	if status, _, body := raw(t, server, "GET", "/a.txt", "Content-Length: 0"); status != 200 || body != "0123456789" {
		t.Errorf("%d %q", status, body)
	}
}
