// A server that keeps running after SIGTERM.
package main

import (
	"os"
	"os/signal"
	"syscall"

	"mangoro.local/pkg/rgoipc"
)

func main() {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM)
	rgoipc.Main(rgoipc.NewRegistry())
	for range told {
	}
}
