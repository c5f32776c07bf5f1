// Package servertest helps tests that build a server, start it and call it as R does.
package servertest

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.nanomsg.org/mangos/v3"
	"go.nanomsg.org/mangos/v3/protocol/req"
	_ "go.nanomsg.org/mangos/v3/transport/ipc" // what servers listen on

	"mangoro.local/pkg/rgoipc"
)

// Run builds a program from a directory or files, starts it and returns its URL once it
// says that it listens there. It ends with the test.
func Run(t *testing.T, sources ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "server.exe")
	arguments := append([]string{"build", "-mod=vendor", "-tags=arrow_json_stdlib", "-trimpath", "-o", program}, sources...)
	if out, err := exec.CommandContext(t.Context(), "go", arguments...).CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	url := "ipc://" + filepath.Join(t.TempDir(), "s.ipc")
	if runtime.GOOS == "windows" {
		url = "ipc://mangoro-" + strings.ReplaceAll(t.Name(), "/", "-")
	}
	server := exec.CommandContext(t.Context(), program, url)
	server.Stderr = os.Stderr
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Wait() }) // killed with the context, before
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.HasSuffix(lines.Text(), "listening on "+url) {
			return url
		}
	}
	t.Fatal("the server ended without listening")
	return ""
}

// Dial returns a socket of protocol REQ that is connected to the URL until the
// test ends.
func Dial(t *testing.T, url string) mangos.Socket {
	t.Helper()
	sock, err := req.NewSocket()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sock.Close() })
	if err := sock.SetOption(mangos.OptionRecvDeadline, 30*time.Second); err != nil {
		t.Fatal(err)
	}
	if err := sock.Dial(url); err != nil {
		t.Fatal(err)
	}
	return sock
}

// Ask sends a request and returns the reply.
func Ask(t *testing.T, sock mangos.Socket, request *rgoipc.RPCMessage) *rgoipc.RPCMessage {
	t.Helper()
	if err := sock.Send(request.Marshal()); err != nil {
		t.Fatal(err)
	}
	bytes, err := sock.Recv()
	if err != nil {
		t.Fatal(err)
	}
	reply, err := rgoipc.UnmarshalRPCMessage(bytes)
	if err != nil {
		t.Fatal(err)
	}
	return reply
}
