package rgoipc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestCodeOf(t *testing.T) {
	tests := []struct {
		err  error
		want Code
	}{
		{nil, ""},
		{io.EOF, CodeHandler},
		{&Error{Err: io.EOF}, CodeHandler},
		{errorf(CodeNotFound, "no %w", io.EOF), CodeNotFound},
		{fmt.Errorf("wrapped: %w", errorf(CodePanic, "oh")), CodePanic},
		{fmt.Errorf("late: %w", context.DeadlineExceeded), CodeTimeout},
		{context.Canceled, CodeCancelled},
	}
	for _, tt := range tests {
		if got := CodeOf(tt.err); got != tt.want {
			t.Errorf("CodeOf(%v) = %q, want %q", tt.err, got, tt.want)
		}
	}
}

func TestErrorIsAndText(t *testing.T) {
	err := errorf(CodeNotFound, "no file: %w", io.EOF)
	if !errors.Is(err, io.EOF) || err.Error() != "no file: EOF" {
		t.Errorf("errorf() = %v, and errors.Is = %v", err, errors.Is(err, io.EOF))
	}
	if got := (&Error{Code: CodePanic}).Error(); got != "panic" {
		t.Errorf("an error without a message says %q", got)
	}
}
