package transport

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"time"

	"go.nanomsg.org/mangos/v3"
)

const (
	// bufferSize is how much is read at once, enough for most requests.
	bufferSize = 4 << 10
	// firstSize is the memory that a message gets before any of it has arrived, unless
	// the peer has sent a larger one before. growth is how many times the bytes that have
	// arrived it may get then. They limit what peers can waste, and what is copied: reading
	// 80 MB takes half as long again as it does if the peer has sent as much before.
	firstSize = 256 << 10
	growth    = 8
)

// pipe is a connection, a mangos.TranPipe.
type pipe struct {
	conn    net.Conn
	reader  *bufio.Reader
	ipc     bool // a byte 1 stands before each message
	maxSize int  // 0: there is no limit
	largest int  // size of the messages that have arrived
	close   func() error
}

// newPipe returns the pipe of a connection. When it has been closed, end is called.
func newPipe(conn net.Conn, ipc bool, maxSize int, end func()) *pipe {
	return &pipe{
		conn: conn, reader: bufio.NewReaderSize(conn, bufferSize), ipc: ipc, maxSize: maxSize,
		close: sync.OnceValue(func() error { defer end(); return conn.Close() }),
	}
}

// handshake exchanges the headers of the SP protocol: 0 S P 0, the number of the sender's
// protocol, and two reserved bytes.
func (p *pipe) handshake(proto mangos.ProtocolInfo, limit time.Duration) error {
	if err := p.conn.SetDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	if _, err := p.conn.Write(header(proto.Self)); err != nil {
		return err
	}
	var theirs [8]byte
	if _, err := io.ReadFull(p.reader, theirs[:]); err != nil {
		return err
	}
	if !bytes.Equal(theirs[:], header(proto.Peer)) {
		return mangos.ErrBadHeader
	}
	return p.conn.SetDeadline(time.Time{})
}

func header(proto uint16) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0, 'S', 'P', 0}, proto), 0, 0)
}

// lengthSize is the size of the prefix of a message.
func (p *pipe) lengthSize() int {
	if p.ipc {
		return 1 + 8
	}
	return 8
}

func (p *pipe) Recv() (*mangos.Message, error) {
	var prefix [1 + 8]byte
	length := prefix[:p.lengthSize()]
	if _, err := io.ReadFull(p.reader, length); err != nil {
		return nil, err
	}
	if p.ipc && length[0] != 1 {
		return nil, mangos.ErrBadHeader
	}
	size := binary.BigEndian.Uint64(length[len(length)-8:])
	if p.maxSize > 0 && size > uint64(p.maxSize) || size > uint64(maxInt) {
		return nil, mangos.ErrTooLong
	}
	body, err := readBody(p.reader, int(size), max(p.largest, firstSize))
	if err != nil {
		return nil, err
	}
	p.largest = max(p.largest, len(body))
	message := mangos.NewMessage(0)
	message.Body = body
	return message, nil
}

const maxInt = int(^uint(0) >> 1)

// readBody reads size bytes into memory that grows, beyond first bytes, with what arrives.
func readBody(r io.Reader, size, first int) ([]byte, error) {
	body := make([]byte, min(size, first))
	for arrived := 0; ; {
		if _, err := io.ReadFull(r, body[arrived:]); err != nil {
			return nil, err
		}
		arrived = len(body)
		if arrived == size {
			return body, nil
		}
		larger := make([]byte, min(size, min(arrived, maxInt/growth)*growth))
		copy(larger, body)
		body = larger
	}
}

func (p *pipe) Send(message *mangos.Message) error {
	length := make([]byte, 0, 1+8)
	if p.ipc {
		length = append(length, 1)
	}
	length = binary.BigEndian.AppendUint64(length, uint64(len(message.Header)+len(message.Body)))
	buffers := net.Buffers{length, message.Header, message.Body}
	if _, err := buffers.WriteTo(p.conn); err != nil {
		return err
	}
	message.Free()
	return nil
}

func (p *pipe) Close() error { return p.close() }

func (p *pipe) GetOption(name string) (any, error) {
	switch name {
	case mangos.OptionMaxRecvSize:
		return p.maxSize, nil
	case mangos.OptionLocalAddr:
		return p.conn.LocalAddr(), nil
	case mangos.OptionRemoteAddr:
		return p.conn.RemoteAddr(), nil
	default:
		return nil, mangos.ErrBadOption
	}
}
