package rgoipc

import (
	"bytes"
	"context"
	"encoding/binary"
	"reflect"
	"strconv"
	"sync"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"mangoro.local/internal/arrowipc"
	"mangoro.local/internal/codec"
	"mangoro.local/internal/segment"
)

// template is a call of an elementwise function whose arguments and result were plain
// columns without nulls. The next call mostly has the same bytes but for the values. Its
// arguments are then copied out of the request, and its result into the reply, and nothing
// else is read or written: bytes that equal verified ones need not be verified again.
//
// It is used by one call at a time.
type template struct {
	fn       *Function
	metadata metadata
	payload  int // bytes of the request's payload

	request   []byte
	arguments []slot // in the order in which they lie there
	reply     []byte
	result    slot

	piece *piece      // of the values of the arguments
	rows  *resultRows // of the result
}

// slot is where the values of a column lie in a message, and the memory that the function
// has them in.
type slot struct {
	at     int
	memory []byte
}

func (s slot) end() int { return s.at + len(s.memory) }

// newTemplate returns what a call of a function whose payloads are these can be repeated
// by, or nil. The rest of the messages is added by the caller.
func newTemplate(fn *Function, arguments, result arrowipc.Places) *template {
	f := fn.typed
	if arguments.Rows == 0 || arguments.Schema == nil || !f.args.inOrder(arguments.Schema) || len(result.Values) != 1 {
		return nil
	}
	t := &template{fn: fn, piece: &piece{n: arguments.Rows}, rows: f.newRows(context.Background(), arguments.Rows)}
	for i, place := range arguments.Values {
		values := reflect.MakeSlice(reflect.SliceOf(f.params[i].t), t.piece.n, t.piece.n).Interface()
		memory, arrowType := memoryOf(values)
		if arrowType != arguments.Schema.Field(i).Type.ID() || len(memory) != place.Size {
			return nil
		}
		t.arguments = append(t.arguments, slot{place.At, memory})
		t.piece.args = append(t.piece.args, operand{values: values, n: t.piece.n})
	}
	memory, arrowType := memoryOf(t.rows.columns[0])
	t.result = slot{result.Values[0].At, memory}
	if len(memory) != result.Values[0].Size || arrowType != result.Values[0].Type {
		return nil
	}
	return t
}

// memoryOf returns the memory of numbers that Arrow has as Go has them, and their type in
// Arrow. It returns nil if they are others.
func memoryOf(values any) (memory []byte, arrowType arrow.Type) {
	switch values := values.(type) {
	case []float64:
		return bytesOf(values), arrow.FLOAT64
	case []int32:
		return bytesOf(values), arrow.INT32
	case []int64:
		return bytesOf(values), arrow.INT64
	case []int:
		if strconv.IntSize == 64 {
			return bytesOf(values), arrow.INT64
		}
	}
	return nil, arrow.NULL
}

func bytesOf[T any](values []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), len(values)*int(unsafe.Sizeof(*new(T))))
}

// is tells whether a request differs from the template's in its values only.
func (t *template) is(message []byte) bool {
	if len(message) != len(t.request) {
		return false
	}
	from := 0
	for _, s := range t.arguments {
		if !bytes.Equal(message[from:s.at], t.request[from:s.at]) {
			return false
		}
		from = s.end()
	}
	return bytes.Equal(message[from:], t.request[from:])
}

// invoke calls the function with the values of a request, and returns the reply.
func (t *template) invoke(ctx context.Context, message []byte) ([]byte, error) {
	for _, s := range t.arguments {
		copy(s.memory, message[s.at:])
	}
	clear(t.result.memory)
	t.piece.taken = 0
	t.rows.watch.seen.Store(false)
	t.rows.prepare(ctx, t.piece)
	if err := t.rows.f.runAll(ctx, t.piece.n, &queue{piece: t.piece}); err != nil {
		return nil, err
	}
	if t.rows.watch.seen.Load() {
		return t.writeResult(ctx)
	}
	reply := bytes.Clone(t.reply)
	copy(reply[t.result.at:], t.result.memory)
	return reply, nil
}

// writeResult returns the reply if the result may have NA.
func (t *template) writeResult(ctx context.Context) ([]byte, error) {
	result, err := t.rows.returned(codec.Bitmap{}, codec.NewArguments(nil, nil))
	if err != nil {
		return nil, err
	}
	defer result.record.Release()
	out := t.fn.reply(nil)
	if err := out.take(ctx, result); err != nil {
		return nil, err
	}
	return out.bytes, nil
}

// A connection has at most so many templates, and none of larger messages: their results
// would belong into shared memory, and what they save is little beside what their values take.
const (
	maxTemplates = 64
	maxTemplate  = segment.Floor
)

// templates are those of a connection, one of each function that was called last. Its
// methods may be called from several goroutines.
type templates struct {
	mu    sync.Mutex           // protects what follows
	known map[string]*lastCall // by the name of the function
}

// lastCall is what is known of the last call of a function.
type lastCall struct {
	size     int       // of its request
	template *template // nil: there is none, or a call uses it
}

// take returns the template that a request is like, or nil. The caller puts it back.
func (s *templates) take(message []byte) (t *template) {
	if len(message) < headerLen || message[0] != MsgTypeCall {
		return nil
	}
	n, rest := uint64(binary.BigEndian.Uint32(message[1:])), message[5:]
	if n > uint64(len(rest)) {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.known[string(rest[:n])]
	if last == nil || last.template == nil || !last.template.is(message) {
		return nil
	}
	t, last.template, last.size = last.template, nil, len(message)
	return t
}

// put puts a template back after use.
func (s *templates) put(t *template) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last := s.known[t.fn.Name]; last != nil {
		last.template = t
	}
}

// remember keeps a template of a call and its reply, if it can be one. To make it takes as
// long as to do without, and so waits for a second request of the same size.
func (s *templates) remember(fn *Function, m metadata, r *request, reply []byte, schemas *arrowipc.Schemas) {
	f := fn.typed
	if f == nil || f.loop == nil || f.objects || f.each || f.list || len(f.results) != 1 {
		return
	}
	if len(r.bytes) > maxTemplate || len(reply) > maxTemplate || reply[0] != MsgTypeResult || !s.isRepeated(fn, len(r.bytes)) {
		return
	}
	header, ahead := len(r.bytes)-len(r.ArrowData), headerLen+len(fn.Name)
	arguments, ok := schemas.Places(r.ArrowData)
	if !ok {
		return
	}
	result, ok := (*arrowipc.Schemas)(nil).Places(reply[ahead:])
	if !ok {
		return
	}
	if t := newTemplate(fn, arguments, result); t != nil {
		t.metadata, t.payload = m, len(r.ArrowData)
		t.request, t.reply = bytes.Clone(r.bytes), bytes.Clone(reply)
		for i := range t.arguments {
			t.arguments[i].at += header
		}
		t.result.at += ahead
		s.put(t)
	}
}

// isRepeated notes the size of a request, and tells whether the last one had the same.
func (s *templates) isRepeated(fn *Function, size int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.known[fn.Name]
	if last == nil {
		if s.known == nil {
			s.known = make(map[string]*lastCall)
		}
		for name := range s.known {
			if len(s.known) < maxTemplates {
				break
			}
			delete(s.known, name)
		}
		last = new(lastCall)
		s.known[fn.Name] = last
	}
	repeated := last.size == size
	last.size = size
	return repeated
}
