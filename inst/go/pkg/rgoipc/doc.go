// Package rgoipc makes a Go program a server whose functions R can call.
//
// A program registers its functions and hands over to [Main]:
//
//	func main() {
//		registry := rgoipc.NewRegistry()
//		err := registry.Register("add", add, rgoipc.FunctionSignature{
//			Args: []rgoipc.ArgSpec{
//				{Name: "x", Type: rgoipc.TypeSpec{Type: rgoipc.TypeFloat64, Nullable: true}},
//				{Name: "y", Type: rgoipc.TypeSpec{Type: rgoipc.TypeFloat64, Nullable: true}},
//			},
//			ReturnType: rgoipc.TypeSpec{Type: rgoipc.TypeFloat64, Nullable: true},
//			Vectorized: true,
//		})
//		if err != nil {
//			log.Fatal(err)
//		}
//		rgoipc.Main(registry)
//	}
//
// Requests and replies travel in the envelope of [RPCMessage] over a mangos REP
// socket; their data is an Arrow IPC stream. A program with a loop of its own
// over a plain REP socket needs no more than [UnmarshalRPCMessage],
// [NewArrowReader], [WriteArrowRecord] and [RPCMessage.Marshal].
//
// The ipc transport is linked in. Import a package below
// go.nanomsg.org/mangos/v3/transport for another one.
package rgoipc
