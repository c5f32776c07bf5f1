// A server that replies to every request with the bytes of a file, whatever they
// are. Usage: puppet URL FILE.
package main

import (
	"log"
	"os"

	"go.nanomsg.org/mangos/v3/protocol/rep"
	_ "go.nanomsg.org/mangos/v3/transport/ipc"
)

func main() {
	sock, err := rep.NewSocket()
	if err != nil {
		log.Fatal(err)
	}
	if err := sock.Listen(os.Args[1]); err != nil {
		log.Fatal(err)
	}
	for {
		if _, err := sock.Recv(); err != nil {
			log.Fatal(err)
		}
		reply, err := os.ReadFile(os.Args[2])
		if err != nil {
			log.Fatal(err)
		}
		if err := sock.Send(reply); err != nil {
			log.Fatal(err)
		}
	}
}
