package rgoipc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The types of a message. An endpoint answers a type that it does not know
// with MsgTypeError.
const (
	MsgTypeManifest uint8 = 0 // a request for the manifest, and its reply: JSON
	MsgTypeCall     uint8 = 1 // a call: an Arrow IPC stream of arguments
	MsgTypeResult   uint8 = 2 // the reply to a call: an Arrow IPC stream
	MsgTypeError    uint8 = 3 // the reply to what failed: message, and JSON detail
	MsgTypeCancel   uint8 = 4 // cancels the call that its metadata names; the reply is an empty result whose metadata is the load of the server

	// Shared memory, which [Serve] offers to R on the same machine, and other servers need
	// not know of.
	MsgTypeAttach      uint8 = 5 // attaches shared memory to the connection; the reply is empty
	MsgTypeReferCall   uint8 = 6 // a call whose data lies in shared memory
	MsgTypeReferResult uint8 = 7 // a result whose data does
	MsgTypeRingCall    uint8 = 8 // a call whose data comes through a ring in shared memory

	// A call that lives may be answered by something else than its result. R then goes on
	// with it by the next request, until there is one.
	MsgTypeContinue  uint8 = 9  // goes on with the call that its metadata names
	MsgTypeEvent     uint8 = 10 // what has happened, in the metadata
	MsgTypeQuestion  uint8 = 11 // asks a target: an R function for its value, or a source for its next part
	MsgTypePart      uint8 = 12 // the next part of a stream; the first has no payload
	MsgTypeReferPart uint8 = 13 // one whose data lies in shared memory
	MsgTypeRelease   uint8 = 14 // lets go the objects that its payload names; the reply is an empty result
)

// ErrInvalidMessage is returned for bytes that are not an envelope.
var ErrInvalidMessage = errors.New("rgoipc: invalid message")

// headerLen is the length of an envelope whose fields are all empty.
const headerLen = 1 + 4 + 4

// RPCMessage is the envelope that every request and reply travels in, all
// lengths big-endian:
//
//	[type:1][name_len:4][name][error_len:4][error][payload]
//
// The zero value is a request for the manifest.
type RPCMessage struct {
	// Type is one of the MsgType constants.
	Type uint8
	// FuncName is the function called. Empty in a manifest request.
	FuncName string
	// ArrowData is the payload: an Arrow IPC stream in calls and results,
	// JSON in a manifest reply and, where there is detail, in an error.
	ArrowData []byte
	// ErrorMsg is the text that a user reads in a reply of MsgTypeError. In other
	// messages it may carry metadata as JSON; peers may ignore it, and leave it empty.
	ErrorMsg string
}

// Marshal returns the envelope as bytes. Bytes of ErrorMsg that are not UTF-8 become
// U+FFFD: peers refuse a text that is not UTF-8.
func (m *RPCMessage) Marshal() []byte {
	buf := make([]byte, 0, headerLen+len(m.FuncName)+len(m.ErrorMsg)+len(m.ArrowData))
	return append(m.appendHeader(buf), m.ArrowData...)
}

// appendHeader appends everything except the payload.
func (m *RPCMessage) appendHeader(buf []byte) []byte {
	buf = append(buf, m.Type)
	buf = appendString(buf, m.FuncName)
	return appendString(buf, strings.ToValidUTF8(m.ErrorMsg, "\uFFFD"))
}

func appendString(buf []byte, s string) []byte {
	buf = binary.BigEndian.AppendUint32(buf, uint32(len(s)))
	return append(buf, s...)
}

// UnmarshalRPCMessage reads an envelope. The payload of the message shares its
// memory with data. Other bytes give an error that wraps
// [ErrInvalidMessage]; any type is accepted.
func UnmarshalRPCMessage(data []byte) (*RPCMessage, error) {
	if len(data) < headerLen {
		return nil, fmt.Errorf("%w: it has %d bytes, but the shortest message has %d", ErrInvalidMessage, len(data), headerLen)
	}
	name, rest, err := cutString(data[1:], "name")
	if err != nil {
		return nil, err
	}
	errorMsg, payload, err := cutString(rest, "error")
	if err != nil {
		return nil, err
	}
	return &RPCMessage{Type: data[0], FuncName: name, ErrorMsg: errorMsg, ArrowData: payload}, nil
}

// cutString reads a length and that many bytes of UTF-8 off the front of data.
func cutString(data []byte, field string) (s string, rest []byte, err error) {
	if len(data) < 4 {
		return "", nil, fmt.Errorf("%w: it ends before the length of the %s field", ErrInvalidMessage, field)
	}
	n, rest := uint64(binary.BigEndian.Uint32(data)), data[4:]
	if n > uint64(len(rest)) {
		return "", nil, fmt.Errorf("%w: the %s field claims %d bytes, but %d are left", ErrInvalidMessage, field, n, len(rest))
	}
	if !utf8.Valid(rest[:n]) {
		return "", nil, fmt.Errorf("%w: the %s field is not UTF-8", ErrInvalidMessage, field)
	}
	return string(rest[:n]), rest[n:], nil
}
