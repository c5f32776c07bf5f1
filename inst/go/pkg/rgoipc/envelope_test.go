package rgoipc

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
)

func TestEnvelopeBytes(t *testing.T) {
	tests := []struct {
		name    string
		message RPCMessage
		bytes   []byte
	}{
		{"manifest request", RPCMessage{}, make([]byte, 9)},
		{
			"call",
			RPCMessage{Type: MsgTypeCall, FuncName: "add", ArrowData: []byte{7}},
			[]byte{1, 0, 0, 0, 3, 'a', 'd', 'd', 0, 0, 0, 0, 7},
		},
		{
			"error",
			RPCMessage{Type: MsgTypeError, FuncName: "f", ErrorMsg: "é", ArrowData: []byte("{}")},
			[]byte{3, 0, 0, 0, 1, 'f', 0, 0, 0, 2, 0xc3, 0xa9, '{', '}'},
		},
		{"unknown type", RPCMessage{Type: 200}, append([]byte{200}, make([]byte, 8)...)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.message.Marshal(); !bytes.Equal(got, tt.bytes) {
				t.Errorf("Marshal() = %v, want %v", got, tt.bytes)
			}
			got, err := UnmarshalRPCMessage(tt.bytes)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.ArrowData) == 0 {
				got.ArrowData = nil // an empty payload is as good as none
			}
			if !reflect.DeepEqual(*got, tt.message) {
				t.Errorf("UnmarshalRPCMessage() = %+v, want %+v", *got, tt.message)
			}
		})
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	tests := []struct {
		name  string
		bytes []byte
	}{
		{"nothing", nil},
		{"a type", []byte{1}},
		{"half a header", []byte{1, 0, 0, 0, 0, 0, 0, 0}},
		{"name longer than the message", []byte{1, 0, 0, 0, 5, 'a', 0, 0, 0, 0}},
		{"name of 4 GiB", []byte{1, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}},
		{"no error length", []byte{1, 0, 0, 0, 5, 'a', 'b', 'c', 'd', 'e'}},
		{"error longer than the message", []byte{1, 0, 0, 0, 0, 0, 0, 0, 1}},
		{"name not UTF-8", []byte{1, 0, 0, 0, 1, 0xff, 0, 0, 0, 0}},
		{"error not UTF-8", []byte{3, 0, 0, 0, 0, 0, 0, 0, 1, 0xff}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if m, err := UnmarshalRPCMessage(tt.bytes); !errors.Is(err, ErrInvalidMessage) {
				t.Errorf("UnmarshalRPCMessage() = %+v, %v, want ErrInvalidMessage", m, err)
			}
		})
	}
}

// Whatever is read as an envelope is written as the same bytes again.
func FuzzUnmarshalRPCMessage(f *testing.F) {
	f.Add(make([]byte, 9))
	f.Add((&RPCMessage{Type: MsgTypeCall, FuncName: "add", ArrowData: []byte{1, 2}}).Marshal())
	f.Add((&RPCMessage{Type: MsgTypeError, ErrorMsg: "no", ArrowData: []byte("{}")}).Marshal())
	f.Fuzz(func(t *testing.T, data []byte) {
		message, err := UnmarshalRPCMessage(data)
		if err != nil {
			if !errors.Is(err, ErrInvalidMessage) {
				t.Fatalf("error %v does not wrap ErrInvalidMessage", err)
			}
			return
		}
		if got := message.Marshal(); !bytes.Equal(got, data) {
			t.Fatalf("read %v, wrote %v", data, got)
		}
	})
}
