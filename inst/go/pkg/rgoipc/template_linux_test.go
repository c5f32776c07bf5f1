package rgoipc

import (
	"strings"
	"testing"

	"mangoro.local/internal/segment"
)

// A call that a template answers over a lane opens the offered segment only if its reply
// needs that.
func TestTemplateOverLane(t *testing.T) {
	registry := NewRegistry()
	err := registry.Func("f", func(x float64) float64 {
		if x < 0 {
			panic(strings.Repeat("long", 32<<10))
		}
		return x
	})
	if err != nil {
		t.Fatal(err)
	}
	url, _ := serve(t, registry)
	r := connectShared(t, url)
	file, offer := r.segment(1 << 20)
	request := func(x float64) []byte { return templateCall(t, "f", "", float64Column(1, x)) }
	for i := range 4 {
		reply, inOffer := r.mail(request(float64(i)), offer, file)
		if reply.Type != MsgTypeResult || inOffer {
			t.Fatalf("got %+v", reply)
		}
	}
	// What is offered does not exist, and is not looked for.
	if reply, _ := r.mail(request(5), segment.Name{FD: 1 << 20}, nil); reply.Type != MsgTypeResult {
		t.Errorf("got %+v", reply)
	}
	reply, inOffer := r.mail(request(-1), offer, file)
	if reply.Type != MsgTypeError || codeOf(t, reply) != CodePanic || !inOffer {
		t.Errorf("got %d bytes of type %d, in the offer: %v", len(reply.ErrorMsg), reply.Type, inOffer)
	}
	if reply, _ := r.mail(request(-1), noOffer, nil); codeOf(t, reply) != CodeResourceExhausted {
		t.Errorf("got %+v", reply)
	}
	if reply, _ := r.mail(request(7), offer, file); reply.Type != MsgTypeResult {
		t.Errorf("got %+v", reply)
	}
}
