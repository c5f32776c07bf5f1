package rgoipc

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"reflect"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"mangoro.local/internal/codec"
	"mangoro.local/internal/lane"
)

// The payload of a ring call: rows, the number of arguments, and then each of them, with
// its type, whether it is a constant, and its value if it is.
const ringArgumentSize = 16

// The types of R's vectors that go through a ring, as R numbers them.
const (
	rLogical = 10
	rInteger = 13
	rDouble  = 14
)

// ringArgument is what the request of a ring call says of an argument.
type ringArgument struct {
	rType    uint32
	constant bool
	value    []byte // of a constant
}

// ringCall is a call of an elementwise function whose arguments come through a ring.
type ringCall struct {
	f    *typedFunc
	ring *lane.Ring
	args []ringArgument
	n    int // rows

	constants []operand // those that are not constant have no values
	valid     codec.Bitmap
}

// newRingCall reads the request of a call. A call may have at most so many rows: the memory
// of its result is that of all rows, before any of them has come.
func (f *typedFunc) newRingCall(payload []byte, ring *lane.Ring, most int64) (*ringCall, error) {
	if f.loop == nil || f.each {
		return nil, errorf(CodeProtocol, "the arguments of this function cannot come through a ring")
	}
	if len(payload) != ringArgumentSize*(1+len(f.params)) {
		return nil, errorf(CodeProtocol, "a ring call of a function with %d parameters has %d bytes", len(f.params), len(payload))
	}
	rows, n := binary.NativeEndian.Uint64(payload), binary.NativeEndian.Uint32(payload[8:])
	if int64(n) != int64(len(f.params)) || rows > math.MaxInt {
		return nil, errorf(CodeProtocol, "a ring call has %d rows of %d arguments, but the function has %d parameters", rows, n, len(f.params))
	}
	if rows > uint64(most) {
		return nil, errorf(CodeResourceExhausted, "the call has %d rows, but the server takes at most %d", rows, most)
	}
	c := &ringCall{f: f, ring: ring, args: make([]ringArgument, n), n: int(rows)}
	columns := 0
	for i := range c.args {
		at := payload[ringArgumentSize*(1+i):][:ringArgumentSize]
		constant := binary.NativeEndian.Uint32(at[4:])
		c.args[i] = ringArgument{binary.NativeEndian.Uint32(at), constant == 1, at[8:]}
		switch c.args[i].rType {
		case rLogical, rInteger, rDouble:
		default:
			return nil, errorf(CodeProtocol, "an argument of a ring call is of R's type %d", c.args[i].rType)
		}
		if constant > 1 {
			return nil, errorf(CodeProtocol, "an argument of a ring call is no column and no constant")
		}
		columns += 1 - int(constant)
	}
	if err := ring.Open(c.n, columns); err != nil {
		return nil, &Error{Code: CodeProtocol, Err: err}
	}
	return c, nil
}

// invoke calls the function once a row.
func (c *ringCall) invoke(ctx context.Context, take func(context.Context, returned) error) error {
	result, err := c.run(ctx)
	if err != nil {
		return err
	}
	defer result.record.Release()
	return take(ctx, result)
}

func (c *ringCall) run(ctx context.Context) (returned, error) {
	if err := c.readConstants(); err != nil {
		return returned{}, err
	}
	rows := c.f.newRows(ctx, c.n)
	next := func() (*piece, error) {
		p, err := c.next()
		if p != nil && err == nil {
			rows.prepare(ctx, p)
		}
		return p, err
	}
	if err := c.f.runAll(ctx, c.n, &queue{more: next}); err != nil {
		return returned{}, err
	}
	return rows.returned(c.valid, codec.NewArguments(nil, nil))
}

// readConstants reads the arguments that all rows have.
func (c *ringCall) readConstants() error {
	c.constants = make([]operand, len(c.args))
	for i, arg := range c.args {
		if !arg.constant {
			continue
		}
		p, column := c.f.params[i], arg.column(arg.value, 1, true)
		o, err := p.operand(column)
		if err != nil {
			return argumentError(p.arg.Name, column, err)
		}
		c.constants[i] = o.repeated(c.n)
	}
	return nil
}

// next waits for the next chunk, and returns its rows. It returns nil after the last one.
func (c *ringCall) next() (*piece, error) {
	chunk, err := c.ring.Next()
	if err != nil {
		code := CodeProtocol
		if errors.Is(err, lane.ErrGivenUp) {
			code = CodeCancelled
		}
		return &piece{first: c.n}, &Error{Code: code, Err: err} // after all errors of rows
	}
	if chunk == nil {
		return nil, nil
	}
	p := &piece{args: make([]operand, len(c.args)), n: chunk.Rows, first: chunk.First, done: func() { c.ring.Done(chunk) }}
	column := 0
	for i, arg := range c.args {
		if arg.constant {
			p.args[i] = c.constants[i]
			continue
		}
		if p.args[i], err = c.f.params[i].chunk(arg, chunk.Columns[column], chunk.Rows, chunk.HasNA(column)); err != nil {
			return p, c.argumentError(i, chunk, err)
		}
		column++
	}
	p.valid = validRows(p.args, p.n)
	c.valid = c.valid.With(c.n, p.first, p.valid, p.n)
	return p, nil
}

// argumentError is [argumentError] for a chunk of argument i.
func (c *ringCall) argumentError(i int, chunk *lane.Chunk, err error) error {
	name := c.f.params[i].arg.Name
	if e, ok := err.(*codec.Error); ok {
		e.Arg, e.Only = name, c.n == 1
		if e.Row >= 0 {
			e.Row += chunk.First
		}
	}
	return placed(CodeInvalidArgument, "argument `"+name+"`", err)
}

// chunk reads n rows of an argument. Those that the function takes as they are stay where
// they are: 5 million numbers are in 610 chunks.
func (p *parameter) chunk(arg ringArgument, values []byte, n int, hasNA bool) (operand, error) {
	switch {
	case hasNA:
	case arg.rType == rDouble && p.t == reflect.TypeFor[float64]():
		return operand{values: valuesOf[float64](values, n), n: n}, nil
	case arg.rType == rInteger && p.t == reflect.TypeFor[int32]():
		return operand{values: valuesOf[int32](values, n), n: n}, nil
	}
	return p.operand(arg.column(values, n, hasNA))
}

func valuesOf[T any](bytes []byte, n int) []T {
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(bytes))), n)
}

// column returns n of R's values as a column, in which NA is null. It lies in the memory of
// the values if they are numbers.
func (a ringArgument) column(values []byte, n int, hasNA bool) codec.Column {
	var valid []byte
	if a.rType == rDouble {
		if hasNA {
			valid = bitsOf(valuesOf[uint64](values, n), isDouble)
		}
		return plainColumn(arrow.PrimitiveTypes.Float64, n, valid, values[:8*n])
	}
	ints := valuesOf[uint32](values, n)
	if hasNA {
		valid = bitsOf(ints, isInt)
	}
	if a.rType == rLogical {
		return plainColumn(arrow.FixedWidthTypes.Boolean, n, valid, bitsOf(ints, isTrue))
	}
	return plainColumn(arrow.PrimitiveTypes.Int32, n, valid, values[:4*n])
}

func plainColumn(t arrow.DataType, n int, valid, values []byte) codec.Column {
	buffers := []*memory.Buffer{nil, memory.NewBufferBytes(values)}
	nulls := 0
	if valid != nil {
		if nulls = n - bitutil.CountSetBits(valid, 0, n); nulls > 0 {
			buffers[0] = memory.NewBufferBytes(valid)
		}
	}
	data := array.NewData(t, n, buffers, nil, nulls, 0)
	defer data.Release()
	return codec.Column{Field: arrow.Field{Type: t, Nullable: true}, Array: array.MakeFromData(data)}
}

// bitsOf returns a bitmap of values, of which bit says 0 or 1. There are no branches in it:
// NA may be anywhere.
func bitsOf[T uint32 | uint64](values []T, bit func(T) uint64) []byte {
	out := make([]byte, 0, (len(values)+63)/64*8)
	for len(values) > 0 {
		n := min(len(values), 64)
		var word uint64
		for i, v := range values[:n] {
			word |= bit(v) << i
		}
		out = binary.LittleEndian.AppendUint64(out, word)
		values = values[n:]
	}
	return out
}

// isDouble returns 0 for R's NA_real_: an exponent of ones, and 1954 in the low word.
func isDouble(bits uint64) uint64 {
	const exponent = 0x7FF << 52
	return notZero((^bits&exponent)>>20 | uint64(uint32(bits)^1954))
}

// isInt returns 0 for R's NA_integer_.
func isInt(bits uint32) uint64 { return notZero(uint64(bits ^ 1<<31)) }

func isTrue(bits uint32) uint64 { return notZero(uint64(bits)) }

// notZero returns 0 or 1. v is below 1<<63.
func notZero(v uint64) uint64 { return 1 - (v-1)>>63 }

// invokeRing is [connection.invoke] for arguments that come through the ring of a lane.
func (c *connection) invokeRing(ctx context.Context, fn *Function, r *request, take func(context.Context, returned) error) error {
	if fn.typed == nil {
		return errorf(CodeProtocol, "the arguments of this function cannot come through a ring")
	}
	call, err := fn.typed.newRingCall(r.ArrowData, r.mail.Ring(), c.calls.limits.bytes/8)
	if err != nil {
		return err
	}
	return call.invoke(ctx, take)
}
