//go:build vendored

// Package vendored lists the packages that travel with mangoro for programs
// that users write, beyond what mangoro's own code imports. The build tag is
// never set: go mod vendor reads imports under every tag, the compiler none.
package vendored

import (
	_ "github.com/apache/arrow-go/v18/arrow/arrio"
	_ "github.com/apache/arrow-go/v18/arrow/csv"
	_ "github.com/apache/arrow-go/v18/arrow/scalar"
	_ "github.com/apache/arrow/go/v18/arrow"
	_ "github.com/apache/arrow/go/v18/arrow/array"
	_ "github.com/apache/arrow/go/v18/arrow/arrio"
	_ "github.com/apache/arrow/go/v18/arrow/bitutil"
	_ "github.com/apache/arrow/go/v18/arrow/csv"
	_ "github.com/apache/arrow/go/v18/arrow/decimal"
	_ "github.com/apache/arrow/go/v18/arrow/decimal128"
	_ "github.com/apache/arrow/go/v18/arrow/decimal256"
	_ "github.com/apache/arrow/go/v18/arrow/encoded"
	_ "github.com/apache/arrow/go/v18/arrow/endian"
	_ "github.com/apache/arrow/go/v18/arrow/float16"
	_ "github.com/apache/arrow/go/v18/arrow/ipc"
	_ "github.com/apache/arrow/go/v18/arrow/memory"
	_ "github.com/apache/arrow/go/v18/arrow/scalar"
	_ "go.nanomsg.org/mangos/v3/protocol/bus"
	_ "go.nanomsg.org/mangos/v3/protocol/pair"
	_ "go.nanomsg.org/mangos/v3/protocol/pub"
	_ "go.nanomsg.org/mangos/v3/protocol/pull"
	_ "go.nanomsg.org/mangos/v3/protocol/push"
	_ "go.nanomsg.org/mangos/v3/protocol/rep"
	_ "go.nanomsg.org/mangos/v3/protocol/req"
	_ "go.nanomsg.org/mangos/v3/protocol/respondent"
	_ "go.nanomsg.org/mangos/v3/protocol/sub"
	_ "go.nanomsg.org/mangos/v3/protocol/surveyor"
	_ "go.nanomsg.org/mangos/v3/transport/all"
)
