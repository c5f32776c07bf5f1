package rgoipc

import (
	"io"
	"strings"
	"testing"
)

func TestLeftOut(t *testing.T) {
	registry := NewRegistry()
	register := func(name string) {
		t.Helper()
		if err := registry.Register(name, nothing, FunctionSignature{}); err != nil {
			t.Fatal(err)
		}
	}
	register("here")
	t.Setenv("MANGORO_SHARED_MEMORY", "0")
	url, _ := serve(t, registry)
	sock := dial(t, url)
	manifest := func() *RPCMessage {
		t.Helper()
		reply := ask(t, sock, make([]byte, 9))
		if reply.Type != MsgTypeManifest || reply.FuncName != "" || !strings.Contains(string(reply.ArrowData), `"here":{"Args":[]`) {
			t.Errorf("the manifest is %+v", reply)
		}
		return reply
	}
	if reply := manifest(); reply.ErrorMsg != `{"max_calls":64}` {
		t.Errorf("nothing is left out, and the reply has %s", reply.ErrorMsg)
	}

	registry.LeaveOut("Any", "it is \x00 generic\xff", "/a \"b\".go", 7)
	for _, name := range []string{"Read", "Later"} {
		if err := registry.Func(name, func(io.Reader) {}); err == nil {
			t.Errorf("%s is registered", name)
		}
	}
	if err := registry.Func("here", func() {}); err == nil {
		t.Error("a name is registered twice")
	}
	register("Later") // it is there after all
	const want = `{"left_out":[{"name":"Any","reason":"it is \\x00 generic�","file":"/a \"b\".go","line":7},` +
		`{"name":"Read","reason":"parameter 1 ` + "`x`" + `: type io.Reader is not supported: nothing says which type its values have; use that type, or any"}],"max_calls":64}`
	if reply := manifest(); reply.ErrorMsg != want || strings.Contains(string(reply.ArrowData), "Any") {
		t.Errorf("the manifest has %s, want %s", reply.ErrorMsg, want)
	}
	for name, want := range map[string]string{
		"Any":  `R cannot call the function "Any": it is`,
		"Read": `R cannot call the function "Read": parameter 1`,
		"gone": `there is no function "gone"; the functions are ["here" "Later"]`,
	} {
		if reply := ask(t, sock, call(name, nil)); codeOf(t, reply) != CodeNotFound || !strings.HasPrefix(reply.ErrorMsg, want) {
			t.Errorf("%s: got %+v", name, reply)
		}
	}
}
