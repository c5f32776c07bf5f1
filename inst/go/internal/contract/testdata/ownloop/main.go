// A server with a loop of its own on a plain REP socket, as somebody who knows
// rgoipc's registry and messages alone would write it.
package main

import (
	"fmt"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"go.nanomsg.org/mangos/v3"
	"go.nanomsg.org/mangos/v3/protocol/rep"
	_ "go.nanomsg.org/mangos/v3/transport/ipc"
	"mangoro.local/pkg/rgoipc"
)

func double(input arrow.RecordBatch) (arrow.RecordBatch, error) {
	if input.NumCols() != 1 {
		return nil, fmt.Errorf("one column, not %d", input.NumCols())
	}
	x := input.Column(0).(*array.Float64)
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	defer b.Release()
	for i := 0; i < x.Len(); i++ {
		b.Append(2 * x.Value(i))
	}
	schema := arrow.NewSchema([]arrow.Field{{Name: "result", Type: arrow.PrimitiveTypes.Float64}}, nil)
	return array.NewRecord(schema, []arrow.Array{b.NewArray()}, input.NumRows()), nil
}

func main() {
	registry := rgoipc.NewRegistry()
	err := registry.Register("double", double, rgoipc.FunctionSignature{
		Args: []rgoipc.ArgSpec{{
			Name: "x", Type: rgoipc.TypeSpec{Type: rgoipc.TypeFloat64, Nullable: true},
		}},
		ReturnType: rgoipc.TypeSpec{Type: rgoipc.TypeStruct, StructDef: &rgoipc.StructDef{
			Fields: []rgoipc.FieldDef{
				{Name: "a", Type: rgoipc.TypeSpec{Type: rgoipc.TypeInt32}},
				{Name: "b", Type: rgoipc.TypeSpec{Type: rgoipc.TypeBool}},
				{Name: "c", Type: rgoipc.TypeSpec{Type: rgoipc.TypeList, ListSchema: &rgoipc.TypeSpec{Type: rgoipc.TypeString}}},
			},
		}},
		Vectorized: true,
		Metadata:   map[string]string{"description": "Twice the numbers"},
	})
	if err != nil {
		panic(err)
	}
	sock, err := rep.NewSocket()
	if err != nil {
		panic(err)
	}
	if err := sock.Listen(os.Args[1]); err != nil {
		panic(err)
	}
	fmt.Printf("Registered functions: %v\n", registry.List())
	fmt.Printf("own loop listening on %s\n", os.Args[1])
	for {
		request, err := sock.Recv()
		if err != nil {
			panic(err)
		}
		message, err := rgoipc.UnmarshalRPCMessage(request)
		if err == rgoipc.ErrInvalidMessage || err != nil {
			fail(sock, "", err.Error())
			continue
		}
		switch message.Type {
		case rgoipc.MsgTypeManifest:
			manifest, err := registry.Manifest()
			if err != nil {
				fail(sock, "", err.Error())
				continue
			}
			reply := &rgoipc.RPCMessage{Type: rgoipc.MsgTypeManifest, ArrowData: manifest}
			sock.Send(reply.Marshal())
		case rgoipc.MsgTypeCall:
			call(sock, registry, message)
		default:
			fail(sock, message.FuncName, "unknown message type")
		}
	}
}

func call(sock mangos.Socket, registry *rgoipc.Registry, message *rgoipc.RPCMessage) {
	fn, ok := registry.Get(message.FuncName)
	if !ok {
		fail(sock, message.FuncName, "function not found")
		return
	}
	reader, err := rgoipc.NewArrowReader(message.ArrowData)
	if err != nil {
		fail(sock, message.FuncName, err.Error())
		return
	}
	defer reader.Release()
	if !reader.Next() {
		fail(sock, message.FuncName, "no record")
		return
	}
	var input arrow.RecordBatch = reader.Record()
	result, err := fn.Handler(input)
	if err != nil {
		fail(sock, message.FuncName, err.Error())
		return
	}
	defer result.Release()
	data, err := rgoipc.WriteArrowRecord(result)
	if err != nil {
		fail(sock, message.FuncName, err.Error())
		return
	}
	reply := &rgoipc.RPCMessage{Type: rgoipc.MsgTypeResult, FuncName: message.FuncName, ArrowData: data}
	sock.Send(reply.Marshal())
}

func fail(sock mangos.Socket, name, text string) {
	reply := &rgoipc.RPCMessage{Type: rgoipc.MsgTypeError, FuncName: name, ErrorMsg: text}
	sock.Send(reply.Marshal())
}
