// A server that replies to its requests with the messages of a file, one after the other,
// and to all later ones with the last, whatever their bytes are. Each has its length before it,
// 4 bytes, big-endian, and the first one the number of the file, which is begun when that is
// new. Cancels, which may come at any time, have a reply of their own. Usage: puppet URL FILE.
package main

import (
	"bytes"
	"encoding/binary"
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
	var file, rest []byte
	for {
		request, err := sock.Recv()
		if err != nil {
			log.Fatal(err)
		}
		if len(request) > 0 && request[0] == 4 {
			if err := sock.Send(append([]byte{2}, make([]byte, 8)...)); err != nil {
				log.Fatal(err)
			}
			continue
		}
		now, err := os.ReadFile(os.Args[2])
		if err != nil {
			log.Fatal(err)
		}
		if !bytes.Equal(now, file) {
			file, rest = now, now[4:]
		}
		n := binary.BigEndian.Uint32(rest)
		reply := rest[4 : 4+n]
		if len(rest) > int(4+n) {
			rest = rest[4+n:]
		}
		if err := sock.Send(reply); err != nil {
			log.Fatal(err)
		}
	}
}
