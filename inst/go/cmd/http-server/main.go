// Command http-server is a file server that R starts and stops: a controller
// over pkg/fileserver, with three functions, and more for R's own sites. Its argument is the URL that the
// controller listens at.
package main

import (
	"log"
	"os"
	"time"

	"mangoro.local/pkg/fileserver"
	"mangoro.local/pkg/rgoipc"
)

func main() {
	out := newLineQueue(os.Stdout)
	control := &controller{
		log:     log.New(out, "[mangoro server] ", log.LstdFlags),
		flush:   out.flush,
		servers: make(map[string]*fileserver.Server),
	}
	registry, err := control.registry()
	if err != nil {
		log.Fatal(err)
	}
	rgoipc.Main(registry, rgoipc.WithTitle("HTTP server controller"))
	control.stop()
	out.flush(time.Second)
}
