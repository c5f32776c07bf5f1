// Command echo sends every message back as it came: the shortest server there
// is, and the yardstick of the benchmarks. Its argument is the URL to listen at.
package main

import (
	"fmt"
	"log"
	"math"
	"os"

	"go.nanomsg.org/mangos/v3"
	"go.nanomsg.org/mangos/v3/protocol/rep"
	_ "go.nanomsg.org/mangos/v3/transport/ipc"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatalf("usage: %s URL", os.Args[0])
	}
	if err := echo(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func echo(url string) error {
	sock, err := rep.NewSocket()
	if err != nil {
		return err
	}
	defer sock.Close()
	if err := sock.SetOption(mangos.OptionMaxRecvSize, math.MaxInt); err != nil {
		return err
	}
	if err := sock.Listen(url); err != nil {
		return fmt.Errorf("cannot listen at %q: %w", url, err)
	}
	fmt.Printf("Echo listening on %s\n", url)
	for {
		message, err := sock.RecvMsg()
		if err != nil {
			return err
		}
		if err := sock.SendMsg(message); err != nil {
			return err
		}
	}
}
