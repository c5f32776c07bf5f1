package rgoipc

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
)

// loopingError is its own cause.
type loopingError struct{ n int }

func (e loopingError) Error() string { return fmt.Sprint(e.n) }
func (e loopingError) Unwrap() error { return loopingError{e.n + 1} }

func TestChain(t *testing.T) {
	wrapped := fmt.Errorf("cannot read: %w", io.EOF)
	_, missing := typed(t, func(x []int32) {}).Handler(lists(t, arg{int32s, `[1, null]`, "", ""}))
	tests := []struct {
		name string
		err  error
		want []string
	}{
		{"one", io.EOF, []string{"EOF"}},
		{"wrapped", wrapped, []string{"cannot read: EOF", "EOF"}},
		{"joined", errors.Join(wrapped, io.ErrNoProgress), []string{"cannot read: EOF\nmultiple Read calls return no data or error", "cannot read: EOF", "EOF", "multiple Read calls return no data or error"}},
		{"in a row", &rowError{row: 1, err: wrapped}, []string{"row 2: cannot read: EOF", "EOF"}},
		{"with a code", &Error{Code: CodeNotFound, Err: wrapped}, []string{"cannot read: EOF", "EOF"}},
		{"with a message", &Error{Message: "no", Err: wrapped}, []string{"no", "cannot read: EOF", "EOF"}},
		{"of an argument", missing, []string{"argument `x` takes no missing values, but row 2 is missing"}},
		{"not UTF-8", errors.New("\xff"), []string{"\uFFFD"}},
		{"long", errors.New(strings.Repeat("a", maxCause+1)), []string{strings.Repeat("a", maxCause) + "... (1 bytes more)"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := chain(tt.err); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %q", got)
			}
		})
	}
	if got := chain(loopingError{}); len(got) != maxChain {
		t.Errorf("a chain without end has %d causes", len(got))
	}
}

func TestDetailIsBounded(t *testing.T) {
	large := strings.Repeat("\n\u00e4", maxDetail)
	many := make([]error, 3*maxChain)
	for i := range many {
		many[i] = errors.New(fmt.Sprint(i) + strings.Repeat("\n", maxDetail))
	}
	tests := []struct {
		name   string
		detail detail
		keeps  bool // some of its stack and all its frames
	}{
		{"a stack", detail{Code: CodePanic, Stack: large, Frames: []frame{{"F", "a.R", 1}}}, true},
		{"a stack to be escaped", detail{Code: CodePanic, Stack: strings.Repeat("<", maxDetail), Frames: []frame{{"F", "a.R", 1}}}, true},
		{"a chain", detail{Code: CodeHandler, Chain: chain(errors.Join(many...))}, false},
		{"frames", detail{Code: CodePanic, Frames: []frame{{large, large, 1}}}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			payload := tt.detail.marshal()
			var got detail
			if err := json.Unmarshal(payload, &got); err != nil || len(payload) > maxDetail || got.Code != tt.detail.Code {
				t.Errorf("%d bytes, code %q, %v", len(payload), got.Code, err)
			}
			if tt.keeps && (got.Stack == "" || len(got.Frames) == 0) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestErrorReplyHasAChain(t *testing.T) {
	message, err := UnmarshalRPCMessage(errorReply("f", fmt.Errorf("cannot: %w", io.EOF)))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(message.ArrowData); got != `{"code":"handler","chain":["cannot: EOF","EOF"]}` {
		t.Errorf("got %s", got)
	}
}
