package rgoipc

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"go.nanomsg.org/mangos/v3"
	"golang.org/x/sys/unix"

	"mangoro.local/internal/arrowipc"
	"mangoro.local/internal/lane"
	"mangoro.local/internal/segment"
	"mangoro.local/internal/segment/segmenttest"
)

// Where R writes in a lane, as src/lane.h has it.
const (
	laneEvents      = 64
	laneRequest     = 68
	laneRequestSize = 72
	laneOffer       = 84
	laneReply       = 196
	laneReplySize   = 200
	laneRequestBox  = 4096
	laneReplyBox    = laneRequestBox + 65536
)

const laneToken = "0123456789abcdef"

// noOffer is the name of no segment.
var noOffer = segment.Name{FD: segment.None}

// rSide is R's end of a connection with shared memory.
type rSide struct {
	t          *testing.T
	sock       mangos.Socket
	lane       []byte
	requests   uint32
	generation uint32
	inodes     []uint64 // of its segments
}

// attachment returns a request that attaches a lane, as R sends it.
func attachRequest(a attachment) []byte {
	text, _ := json.Marshal(a)
	return (&RPCMessage{Type: MsgTypeAttach, ArrowData: text}).Marshal()
}

// newLane makes the segment of a lane.
func newLane(t *testing.T) (*os.File, attachment) {
	t.Helper()
	f := segmenttest.New(t, lane.Size)
	head := append([]byte("mgolane1"), laneToken...)
	for _, v := range []uint32{lane.Version, 65536, 8, 65 * 4096} {
		head = binary.NativeEndian.AppendUint32(head, v)
	}
	if _, err := f.WriteAt(head, 0); err != nil {
		t.Fatal(err)
	}
	return f, attachment{
		Version: lane.Version, PID: os.Getpid(), FD: uint32(f.Fd()), Size: lane.Size,
		Token: hex.EncodeToString([]byte(laneToken)),
	}
}

// connectShared connects to a server and attaches a lane.
func connectShared(t *testing.T, url string) *rSide {
	t.Helper()
	r := &rSide{t: t, sock: dial(t, url)}
	file, a := newLane(t)
	if reply := ask(t, r.sock, attachRequest(a)); reply.Type != MsgTypeAttach || len(reply.ArrowData) > 0 {
		t.Fatalf("the lane is not attached: %+v", reply)
	}
	memory, unmap, err := segment.Map(os.Getpid(), a.FD, lane.Size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(unmap)
	r.lane = memory
	r.inodes = append(r.inodes, inode(t, file))
	return r
}

func inode(t *testing.T, f *os.File) uint64 {
	t.Helper()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Ino
}

// segment makes a segment.
func (r *rSide) segment(size int64) (*os.File, segment.Name) {
	r.t.Helper()
	r.generation++
	f := segmenttest.New(r.t, size)
	r.inodes = append(r.inodes, inode(r.t, f))
	return f, segmenttest.Name(f, r.generation)
}

// request returns a call whose arguments lie in a segment of their own.
func (r *rSide) request(name string, rec arrow.RecordBatch, offer segment.Name) []byte {
	r.t.Helper()
	_, arguments := r.segment(1)
	table := segment.NewTable(os.Getpid(), new(segment.Lapsed))
	defer table.Close()
	to, err := table.Offer(arguments)
	if err != nil {
		r.t.Fatal(err)
	}
	defer to.Release()
	referred, err := new(arrowipc.Writer).Refer(rec, to)
	if err != nil || referred == nil {
		r.t.Fatal(referred, err)
	}
	return refer(name, references{offer: offer, parts: referred.Parts}, referred.Metadata)
}

func refer(name string, refs references, stream []byte) []byte {
	header := &RPCMessage{Type: MsgTypeReferCall, FuncName: name}
	return append(refs.append(header.appendHeader(nil)), stream...)
}

// result reads the result in a reply. Those by reference must lie in the offered segment.
func (r *rSide) result(reply *RPCMessage, offer segment.Name) arrow.RecordBatch {
	r.t.Helper()
	if reply.Type == MsgTypeResult {
		rec, err := readRecord(nil, reply.ArrowData)
		if err != nil {
			r.t.Fatal(err)
		}
		return rec
	}
	if reply.Type != MsgTypeReferResult {
		r.t.Fatalf("got %+v", reply)
	}
	refs, stream, err := cutReferences(reply.ArrowData, math.MaxInt64)
	if err != nil {
		r.t.Fatal(err)
	}
	if refs.offer != noOffer {
		r.t.Errorf("a result offers %+v", refs.offer)
	}
	for _, p := range refs.parts {
		if p.Name != offer {
			r.t.Fatalf("a part lies in %+v, not in %+v", p.Name, offer)
		}
	}
	table := segment.NewTable(os.Getpid(), new(segment.Lapsed))
	defer table.Close()
	parts, release, err := refs.open(table)
	if err != nil {
		r.t.Fatal(err)
	}
	defer release()
	for i := range parts {
		parts[i] = bytes.Clone(parts[i])
	}
	rec, err := readRecordOfParts(new(arrowipc.Schemas), stream, parts)
	if err != nil {
		r.t.Fatal(err)
	}
	return rec
}

func (r *rSide) word(at int) *uint32 { return (*uint32)(unsafe.Pointer(&r.lane[at])) }

// mail sends a request over the lane and returns the reply. It may lie in the offered
// segment, whose file that is.
func (r *rSide) mail(request []byte, offer segment.Name, file *os.File) (reply *RPCMessage, inOffer bool) {
	r.t.Helper()
	copy(r.lane[laneRequestBox:laneReplyBox], request)
	atomic.StoreUint32(r.word(laneRequestSize), uint32(len(request)))
	atomic.StoreUint32(r.word(laneOffer), offer.FD)
	atomic.StoreUint32(r.word(laneOffer+4), offer.Generation)
	r.requests++
	atomic.StoreUint32(r.word(laneRequest), r.requests)
	atomic.AddUint32(r.word(laneEvents), 1)
	const wake = 1
	_, _, _ = unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(r.word(laneEvents))), wake, 1, 0, 0, 0)
	eventually(r.t, func() bool { return atomic.LoadUint32(r.word(laneReply)) == r.requests })
	size := atomic.LoadUint32(r.word(laneReplySize))
	message := make([]byte, size&^(1<<31))
	if inOffer = size&(1<<31) != 0; !inOffer {
		copy(message, r.lane[laneReplyBox:])
	} else if _, err := file.ReadAt(message, 0); err != nil {
		r.t.Fatal(err)
	}
	reply, err := UnmarshalRPCMessage(message)
	if err != nil {
		r.t.Fatal(err)
	}
	return reply, inOffer
}

// sharedRegistry has functions whose arguments and results lie in shared memory.
func sharedRegistry(t *testing.T) *Registry {
	t.Helper()
	registry := NewRegistry()
	for name, fn := range map[string]any{
		"sum": func(x []float64) (total float64) {
			for _, v := range x {
				total += v
			}
			return total
		},
		"same":  func(x []float64) []float64 { return x },
		"twice": func(x []float64) ([]float64, []float64) { return x, x },
		"root":  math.Sqrt,
		"upper": strings.ToUpper,
		"made": func(ctx context.Context, x []float64) []float64 {
			out := segment.Make[float64](segment.ResultOf(ctx), len(x))
			copy(out, x)
			return out
		},
		"record": func(x arrow.RecordBatch) arrow.RecordBatch { x.Retain(); return x },
		"stream": func(x array.RecordReader) array.RecordReader { x.Retain(); return x },
		"fault": func(ctx context.Context) byte {
			first := segment.ResultOf(ctx).Alloc(1)
			return unsafe.Slice(&first[0], 1<<30)[1<<29]
		},
		"fail": func(n int) error { return &Error{Message: strings.Repeat("no ", n)} },
	} {
		if err := registry.Func(name, fn); err != nil {
			t.Fatal(err)
		}
	}
	echo := func(rec arrow.RecordBatch) (arrow.RecordBatch, error) { rec.Retain(); return rec, nil }
	if err := registry.Register("echo", echo, FunctionSignature{}); err != nil {
		t.Fatal(err)
	}
	described := func(rec arrow.RecordBatch) (arrow.RecordBatch, error) {
		metadata := arrow.MetadataFrom(map[string]string{"text": strings.Repeat("long ", 20_000)})
		return array.NewRecordBatch(arrow.NewSchema(rec.Schema().Fields(), &metadata), rec.Columns(), rec.NumRows()), nil
	}
	if err := registry.Register("described", described, FunctionSignature{}); err != nil {
		t.Fatal(err)
	}
	return registry
}

func floats(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = float64(i)
	}
	return out
}

// boxOf is a record of one row, the list of some numbers: the argument x.
func boxOf(values []float64) arrow.RecordBatch {
	b := array.NewListBuilder(memory.DefaultAllocator, arrow.PrimitiveTypes.Float64)
	b.Append(true)
	b.ValueBuilder().(*array.Float64Builder).AppendValues(values, nil)
	column := b.NewArray()
	return array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "x", Type: column.DataType()}}, nil), []arrow.Array{column}, 1)
}

// recordX is a record of the column x.
func recordX(column arrow.Array) arrow.RecordBatch {
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: column.DataType(), Nullable: true}}, nil)
	return array.NewRecordBatch(schema, []arrow.Array{column}, int64(column.Len()))
}

func numbersOf(values []float64, valid []bool) arrow.Array {
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	b.AppendValues(values, valid)
	return b.NewArray()
}

func letters(n int, as arrow.DataType) arrow.Array {
	b := array.NewBuilder(memory.DefaultAllocator, as)
	for i := range n {
		if err := b.AppendValueFromString(string(rune('a' + i%26))); err != nil {
			panic(err)
		}
	}
	return b.NewArray()
}

func TestCallByReference(t *testing.T) {
	url, _ := serve(t, sharedRegistry(t))
	r := connectShared(t, url)
	const n = 20_000
	factor := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}
	for _, tt := range []struct {
		name  string
		rec   arrow.RecordBatch
		reply uint8 // of the reply, if there is an offer
		want  func(arrow.RecordBatch) bool
	}{
		{"sum", boxOf(floats(n)), MsgTypeResult, func(got arrow.RecordBatch) bool {
			return got.Column(0).(*array.Float64).Value(0) == n*(n-1)/2
		}},
		{"same", boxOf(floats(n)), MsgTypeReferResult, func(got arrow.RecordBatch) bool {
			return slices.Equal(got.Column(0).(array.ListLike).ListValues().(*array.Float64).Float64Values(), floats(n))
		}},
		{"made", boxOf(floats(n)), MsgTypeReferResult, func(got arrow.RecordBatch) bool {
			return slices.Equal(got.Column(0).(array.ListLike).ListValues().(*array.Float64).Float64Values(), floats(n))
		}},
		{"made", boxOf(floats(2)), MsgTypeResult, nil},
		{"twice", boxOf(floats(n)), MsgTypeReferResult, nil},
		{"root", recordX(numbersOf(floats(n), nil)), MsgTypeReferResult, func(got arrow.RecordBatch) bool {
			return got.Column(0).(*array.Float64).Value(16) == 4
		}},
		{"upper", recordX(letters(n, arrow.BinaryTypes.String)), MsgTypeReferResult, func(got arrow.RecordBatch) bool {
			return got.Column(0).(*array.String).Value(27) == "B"
		}},
		{"upper", recordX(letters(n, factor)), MsgTypeReferResult, func(got arrow.RecordBatch) bool {
			return got.Column(0).(*array.String).Value(27) == "B"
		}},
		{"echo", recordX(letters(n, factor)), MsgTypeReferResult, func(got arrow.RecordBatch) bool {
			return got.Column(0).(*array.Dictionary).ValueStr(27) == "b"
		}},
		{"echo", recordX(numbersOf(floats(n), nil)), MsgTypeReferResult, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, offer := r.segment(1)
			for _, with := range []segment.Name{offer, noOffer} {
				reply := ask(t, r.sock, r.request(tt.name, tt.rec, with))
				want := tt.reply
				if with == noOffer {
					want = MsgTypeResult
				}
				if reply.Type != want || reply.FuncName != tt.name {
					t.Fatalf("a reply of type %d to %s: %s", reply.Type, reply.FuncName, reply.ErrorMsg)
				}
				if got := r.result(reply, with); tt.want != nil && !tt.want(got) {
					t.Errorf("got %v", got)
				}
			}
		})
	}
}

// A function may keep Arrow data: it does not change when R uses the memory again.
func TestKeptArgumentsDoNotChange(t *testing.T) {
	registry := NewRegistry()
	kept := make(chan arrow.RecordBatch, 1)
	keep := func(rec arrow.RecordBatch) (arrow.RecordBatch, error) {
		rec.Retain()
		kept <- rec
		return nil, nil
	}
	if err := registry.Register("keep", keep, FunctionSignature{}); err != nil {
		t.Fatal(err)
	}
	if err := registry.Func("keep2", func(x arrow.Array) {
		x.Retain()
		kept <- recordX(x)
	}); err != nil {
		t.Fatal(err)
	}
	url, _ := serve(t, registry)
	r := connectShared(t, url)
	rec := recordX(numbersOf(floats(1000), nil))
	for _, name := range []string{"keep", "keep2"} {
		request := r.request(name, rec, noOffer)
		if reply := ask(t, r.sock, request); reply.Type != MsgTypeResult {
			t.Fatalf("got %+v", reply)
		}
		message, err := UnmarshalRPCMessage(request)
		if err != nil {
			t.Fatal(err)
		}
		refs, _, err := cutReferences(message.ArrowData, math.MaxInt64)
		if err != nil {
			t.Fatal(err)
		}
		fd := int(refs.parts[0].FD)
		if _, err := unix.Pwrite(fd, bytes.Repeat([]byte{0xFF}, 8000), 0); err != nil {
			t.Fatal(err)
		}
		if got := <-kept; !array.Equal(got.Column(0), rec.Column(0)) {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestMail(t *testing.T) {
	url, _ := serve(t, sharedRegistry(t))
	r := connectShared(t, url)
	payload := func(rec arrow.RecordBatch) []byte {
		stream, err := WriteArrowRecord(rec)
		if err != nil {
			t.Fatal(err)
		}
		return stream
	}
	number := func(n float64) arrow.RecordBatch { return recordX(numbersOf([]float64{n}, nil)) }
	for _, tt := range []struct {
		name         string
		request      []byte
		reply        uint8
		inOffer      bool
		withoutOffer Code
	}{
		{"small", call("root", payload(number(4))), MsgTypeResult, false, ""},
		{"the manifest", make([]byte, 9), MsgTypeManifest, false, ""},
		{"by reference", r.request("same", boxOf(floats(20_000)), noOffer), MsgTypeReferResult, false, CodeResourceExhausted},
		{"much metadata", call("described", payload(number(1))), MsgTypeResult, true, CodeResourceExhausted},
		{"much metadata, by reference", r.request("described", number(1), noOffer), MsgTypeResult, true, CodeResourceExhausted},
		{"a long error", call("fail", payload(number(30_000))), MsgTypeError, true, CodeResourceExhausted},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file, offer := r.segment(1)
			reply, inOffer := r.mail(tt.request, offer, file)
			if reply.Type != tt.reply || inOffer != tt.inOffer {
				t.Fatalf("type %d, in the offer: %v; %s", reply.Type, inOffer, shortened(reply.ErrorMsg, 100))
			}
			if tt.reply == MsgTypeReferResult {
				r.result(reply, offer)
			}
			reply, inOffer = r.mail(tt.request, noOffer, nil)
			if inOffer || codeOf(t, reply) != tt.withoutOffer {
				t.Errorf("without an offer: %+v", reply)
			}
		})
	}
}

// A result by reference whose metadata does not fit the mailbox lies behind it.
func TestMailMovesParts(t *testing.T) {
	registry := sharedRegistry(t)
	url, _ := serve(t, registry)
	r := connectShared(t, url)
	var fields []arrow.Field
	var columns []arrow.Array
	for i := range 2000 {
		fields = append(fields, arrow.Field{Name: strings.Repeat("n", 20), Type: arrow.PrimitiveTypes.Float64, Nullable: true})
		columns = append(columns, numbersOf([]float64{float64(i), float64(-i)}, nil))
	}
	rec := array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, 2)
	rec.Retain()
	if err := registry.Register("large", func(arrow.RecordBatch) (arrow.RecordBatch, error) { return rec, nil }, FunctionSignature{}); err != nil {
		t.Fatal(err)
	}
	file, offer := r.segment(1)
	reply, inOffer := r.mail(call("large", nil), offer, file)
	if !inOffer || reply.Type != MsgTypeReferResult {
		t.Fatalf("type %d, in the offer: %v", reply.Type, inOffer)
	}
	if got := r.result(reply, offer); !array.RecordEqual(got, rec) {
		t.Errorf("got %v", got)
	}
}

func TestAttachRefuses(t *testing.T) {
	url, _ := serve(t, sharedRegistry(t))
	sock := dial(t, url)
	file, good := newLane(t)
	ordinary, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ordinary.Close() }()
	if err := ordinary.Truncate(lane.Size); err != nil {
		t.Fatal(err)
	}
	with := func(change func(*attachment)) []byte {
		a := good
		change(&a)
		return attachRequest(a)
	}
	unsealed, empty := segmenttest.Unsealed(t, lane.Size), segmenttest.New(t, lane.Size)
	for name, request := range map[string][]byte{
		"no JSON":          (&RPCMessage{Type: MsgTypeAttach, ArrowData: []byte("{")}).Marshal(),
		"another version":  with(func(a *attachment) { a.Version = 2 }),
		"no process":       with(func(a *attachment) { a.PID = 0 }),
		"another process":  with(func(a *attachment) { a.PID = os.Getppid() }),
		"no descriptor":    with(func(a *attachment) { a.FD = 1 << 30 }),
		"another size":     with(func(a *attachment) { a.Size-- }),
		"another token":    with(func(a *attachment) { a.Token = strings.Repeat("0", 32) }),
		"a short token":    with(func(a *attachment) { a.Token = a.Token[:30] }),
		"no token":         with(func(a *attachment) { a.Token = "" }),
		"no hexadecimal":   with(func(a *attachment) { a.Token = strings.Repeat("g", 32) }),
		"it can be shrunk": with(func(a *attachment) { a.FD = uint32(unsealed.Fd()) }),
		"it is no lane":    with(func(a *attachment) { a.FD = uint32(empty.Fd()) }),
		"an ordinary file": with(func(a *attachment) { a.FD = uint32(ordinary.Fd()) }),
	} {
		if reply := ask(t, sock, request); codeOf(t, reply) != CodeProtocol {
			t.Errorf("%s: got %+v", name, reply)
		}
	}
	if reply := ask(t, sock, refer("sum", references{offer: noOffer}, nil)); codeOf(t, reply) != CodeProtocol {
		t.Errorf("before a lane is attached: got %+v", reply)
	}
	if reply := ask(t, sock, attachRequest(good)); reply.Type != MsgTypeAttach {
		t.Errorf("got %+v", reply)
	}
	if reply := ask(t, sock, attachRequest(good)); codeOf(t, reply) != CodeProtocol {
		t.Errorf("a second time: got %+v", reply)
	}
	runtime.KeepAlive(file)
}

func TestSharedMemoryIsOffered(t *testing.T) {
	for _, tt := range []struct{ value, metadata string }{{"1", `{"shared_memory":1,"max_calls":64}`}, {"0", `{"max_calls":64}`}} {
		t.Setenv("MANGORO_SHARED_MEMORY", tt.value)
		url, _ := serve(t, sharedRegistry(t))
		sock := dial(t, url)
		if reply := ask(t, sock, make([]byte, 9)); reply.ErrorMsg != tt.metadata {
			t.Errorf("the metadata is %s", reply.ErrorMsg)
		}
		_, a := newLane(t)
		reply := ask(t, sock, attachRequest(a))
		if is := reply.Type == MsgTypeAttach; is != (tt.value == "1") {
			t.Errorf("got %+v", reply)
		}
		if tt.metadata == "" && !strings.Contains(reply.ErrorMsg, "does not know messages of type 5") {
			t.Errorf("got %+v", reply)
		}
	}
}

func TestHostileReferences(t *testing.T) {
	url, _ := serve(t, sharedRegistry(t), WithMaxMessageSize(1<<20))
	r := connectShared(t, url)
	good := r.request("sum", boxOf(floats(1000)), noOffer)
	message, err := UnmarshalRPCMessage(good)
	if err != nil {
		t.Fatal(err)
	}
	refs, stream, err := cutReferences(message.ArrowData, math.MaxInt64)
	if err != nil {
		t.Fatal(err)
	}
	_, large := r.segment(2 << 20)
	ordinary, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ordinary.Close() }()
	if err := ordinary.Truncate(1 << 20); err != nil {
		t.Fatal(err)
	}
	unsealed := segmenttest.Name(segmenttest.Unsealed(t, 1<<20), 1)
	with := func(change func(*segment.Part)) []byte {
		parts := slices.Clone(refs.parts)
		change(&parts[0])
		return refer("sum", references{offer: noOffer, parts: parts}, stream)
	}
	offering := func(offer segment.Name) []byte {
		return refer("sum", references{offer: offer, parts: refs.parts}, stream)
	}
	if reply := ask(t, r.sock, good); reply.Type != MsgTypeResult {
		t.Fatalf("got %+v", reply)
	}
	const header = headerLen + len("sum")
	for name, tt := range map[string]struct {
		request []byte
		code    Code
	}{
		"no references":            {good[:header+referencesLen-1], CodeProtocol},
		"half a part":              {good[:header+referencesLen+partLen/2], CodeProtocol},
		"no stream":                {good[:header+referencesLen+partLen*len(refs.parts)], CodeProtocol},
		"parts that do not exist":  {slices.Replace(slices.Clone(good), header+8, header+12, 0xFF, 0xFF, 0xFF, 0xFF), CodeProtocol},
		"something reserved":       {slices.Replace(slices.Clone(good), header+12, header+13, 2), CodeProtocol},
		"no descriptor":            {with(func(p *segment.Part) { p.FD = 1 << 30 }), CodeProtocol},
		"no segment":               {with(func(p *segment.Part) { p.FD = segment.None }), CodeProtocol},
		"an ordinary file":         {with(func(p *segment.Part) { p.Name = segmenttest.Name(ordinary, 1) }), CodeProtocol},
		"it can be shrunk":         {with(func(p *segment.Part) { p.Name = unsealed }), CodeProtocol},
		"an older generation":      {with(func(p *segment.Part) { p.Generation-- }), CodeProtocol},
		"misaligned":               {with(func(p *segment.Part) { p.Offset += 4 }), CodeProtocol},
		"beyond the end":           {with(func(p *segment.Part) { p.Offset = 1 << 40 }), CodeProtocol},
		"an offset that overflows": {with(func(p *segment.Part) { p.Offset = math.MaxUint64 &^ 7 }), CodeProtocol},
		"a length that overflows":  {with(func(p *segment.Part) { p.Length = math.MaxUint64 }), CodeResourceExhausted},
		"too long":                 {with(func(p *segment.Part) { p.Length = 1 << 20 }), CodeProtocol},
		"longer than a request":    {with(func(p *segment.Part) { p.Name, p.Length = large, 2<<20 }), CodeResourceExhausted},
		"too long for a record":    {refer("echo", references{offer: noOffer, parts: slices.Repeat(refs.parts, 2)}, stream), CodeProtocol},
		"too short":                {with(func(p *segment.Part) { p.Length = 8 }), CodeProtocol},
		"no part":                  {refer("sum", references{offer: noOffer}, stream), CodeProtocol},
		"a part too many":          {refer("sum", references{offer: noOffer, parts: append(slices.Clone(refs.parts), refs.parts[0])}, stream), CodeProtocol},
		"bad metadata":             {refer("sum", refs, bytes.Repeat([]byte{0xFF}, 100)), CodeProtocol},
		"no function":              {refer("nope", refs, stream), CodeNotFound},
		"an offer that is none":    {offering(segmenttest.Name(ordinary, 1)), CodeProtocol},
		"an unsealed offer":        {offering(unsealed), CodeProtocol},
		"its own type as reply":    {append([]byte{MsgTypeReferResult}, good[1:]...), CodeProtocol},
		"a ring without a lane":    {append([]byte{MsgTypeRingCall}, good[1:]...), CodeProtocol},
	} {
		reply := ask(t, r.sock, tt.request)
		if codeOf(t, reply) != tt.code {
			t.Errorf("%s: got %+v", name, reply)
		}
		again := ask(t, r.sock, good)
		if again.Type != MsgTypeResult {
			t.Fatalf("after %s: got %+v", name, again)
		}
		if len(tt.request) <= lane.MaxMessage {
			if reply, _ := r.mail(tt.request, noOffer, nil); reply.Type != MsgTypeError && !strings.Contains(name, "offer") {
				t.Errorf("%s, over the lane: got %+v", name, reply)
			}
		}
	}
}

// A fault ends the call, not the server.
func TestFault(t *testing.T) {
	url, _ := serve(t, sharedRegistry(t))
	r := connectShared(t, url)
	_, offer := r.segment(1)
	request := refer("fault", references{offer: offer}, nil)
	if reply := ask(t, r.sock, request); codeOf(t, reply) != CodePanic {
		t.Errorf("got %+v", reply)
	}
	if reply, _ := r.mail(call("fault", nil), offer, nil); codeOf(t, reply) != CodePanic {
		t.Errorf("over the lane: got %+v", reply)
	}
}

// mappings returns how many mappings of its segments there are in this process.
func (r *rSide) mappings() (n int) {
	r.t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		r.t.Fatal(err)
	}
	for _, inode := range r.inodes {
		n += strings.Count(string(maps), fmt.Sprintf(" %d ", inode))
	}
	return n
}

func descriptors(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

// The memory of a call that was given up is there until its function has returned, and
// nothing is left of a connection.
func TestSharedMemoryIsGivenBack(t *testing.T) {
	registry := sharedRegistry(t)
	entered, leave := make(chan []float64, 1), make(chan struct{})
	if err := registry.Func("wait", func(ctx context.Context, x []float64) float64 {
		out := segment.Make[float64](segment.ResultOf(ctx), 1<<17)
		entered <- out
		<-leave
		out[len(out)-1] = 1
		return x[len(x)-1]
	}); err != nil {
		t.Fatal(err)
	}
	url, _ := serve(t, registry)
	first := dial(t, url) // so that the server has what it keeps
	ask(t, first, make([]byte, 9))

	goroutines, files := runtime.NumGoroutine(), descriptors(t)
	var r *rSide
	t.Run("connection", func(t *testing.T) {
		r = connectShared(t, url)
		_, offer := r.segment(1)
		for range 50 {
			if reply := ask(t, r.sock, r.request("same", boxOf(floats(20_000)), offer)); reply.Type != MsgTypeReferResult {
				t.Fatalf("got %+v", reply)
			}
			if reply, _ := r.mail(call("sum", nil), offer, nil); reply.Type != MsgTypeError {
				t.Fatalf("got %+v", reply)
			}
		}
		if err := r.sock.Send(r.request("wait", boxOf(floats(20_000)), offer)); err != nil {
			t.Fatal(err)
		}
		out := <-entered
		if err := r.sock.Close(); err != nil {
			t.Fatal(err)
		}
		// The lane and the two segments of the call are left, and the lane as R has it.
		eventually(t, func() bool { return r.mappings() == 3 })
		out[0] = 1
		close(leave)
		eventually(t, func() bool { return r.mappings() == 1 })
	})
	eventually(t, func() bool { return r.mappings() == 0 })
	eventually(t, func() bool { return descriptors(t) <= files })
	eventually(t, func() bool { return runtime.NumGoroutine() <= goroutines })
}
