package rgoipc

import (
	"context"
	"reflect"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"mangoro.local/internal/arrowipc"
	"mangoro.local/internal/codec"
	"mangoro.local/internal/segment"
)

// gathering is a result that is made value by value, or batch by batch, which are gathered
// until they are a part. One goroutine runs it, and meanwhile another one may take what has
// come, as long as no two do so at a time.
type gathering interface {
	// Run has the result made. It calls full if a part of it is there, and watch if there
	// is something and nobody watches. It ends if full returns an error, or with the
	// context.
	Run(ctx context.Context, full func() error, watch func()) error
	// Watch notes whether somebody watches, and returns whether that was so before.
	Watch(is bool) (was bool)
	// Waits tells whether there is something that was not taken.
	Waits() bool
	// Take returns that as a record, which the caller releases.
	Take() (arrow.RecordBatch, error)
	// Reset begins the next part. It is called within full.
	Reset()
	// None returns a record without rows.
	None() (arrow.RecordBatch, error)
}

// gathering returns what gathers a result, nil if that is nil, and what releases it.
func (f *typedFunc) gathering(result reflect.Value, args *codec.Arguments) (from gathering, release func()) {
	if kind, ok := f.results[0].kind.(codec.Sequence); ok {
		if gathered := kind.Gather(result, args); gathered != nil {
			return gathered, func() {}
		}
	} else if reader, _ := result.Interface().(array.RecordReader); reader != nil {
		return &gatheredBatches{reader: reader}, reader.Release // it may have files to close
	}
	return nil, func() {}
}

// allParts returns all of a result as one record, which the caller releases.
func allParts(ctx context.Context, from gathering) (arrow.RecordBatch, error) {
	var parts []arrow.RecordBatch
	defer func() {
		for _, part := range parts {
			part.Release()
		}
	}()
	take := func() error {
		part, err := from.Take()
		if err == nil {
			parts = append(parts, part)
		}
		from.Reset()
		return err
	}
	from.Watch(true)
	if err := from.Run(ctx, take, func() {}); err != nil {
		return nil, err
	}
	if from.Waits() {
		if err := take(); err != nil {
			return nil, err
		}
	}
	none, err := from.None()
	if err != nil || len(parts) == 0 {
		return none, err
	}
	defer none.Release()
	return concatenate(parts[0].Schema(), parts)
}

// partInterval is how long something waits for the rest of its part.
const partInterval = 100 * time.Millisecond

// parts are those of a result, which are sent to R when it asks for the next one.
type parts struct {
	exchange *exchange
	reply    *reply
	from     gathering

	mu    sync.Mutex // held by whoever sends a part; protects what follows
	ended bool
	err   error // of a part that was sent because it was late
}

// takeParts sends a result part by part. The reply is what follows the last one.
func (r *reply) takeParts(ctx context.Context, x *exchange, from gathering) (err error) {
	p := &parts{exchange: x, reply: r, from: from}
	opened := func(metadata string, offer *segment.Result) ([]byte, error) { return r.part(metadata, offer, nil) }
	if err := x.put(opened); err != nil {
		return err
	}
	defer func() {
		if last := p.finish(); err == nil { // also if the function panics
			err = last
		}
	}()
	if err := from.Run(ctx, p.full, p.watch); err != nil {
		return err
	}
	none, err := from.None()
	if err != nil {
		return err
	}
	defer none.Release()
	r.bytes, err = appendArrowRecord(r.writer, r.bytes, none)
	return err
}

// full sends what is gathered and begins the next part.
func (p *parts) full() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.send()
	p.from.Reset()
	return err
}

// finish sends what is left.
func (p *parts) finish() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer func() { p.ended = true }()
	return p.send()
}

// send sends what is gathered once R asks for it.
func (p *parts) send() error {
	if p.err != nil || !p.from.Waits() {
		return p.err
	}
	var part arrow.RecordBatch
	defer func() {
		if part != nil {
			part.Release()
		}
	}()
	return p.exchange.put(func(metadata string, offer *segment.Result) (message []byte, err error) {
		if part == nil {
			if part, err = p.from.Take(); err != nil {
				return nil, err
			}
		}
		return p.reply.part(metadata, offer, part)
	})
}

// watch has what is gathered sent in a while, if its part is not full before.
func (p *parts) watch() {
	if !p.from.Watch(true) {
		p.exchange.connection.clock.after(partInterval, p.late)
	}
}

// late sends what is gathered, and goes on to watch if more comes meanwhile.
func (p *parts) late() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return
	}
	if p.err = p.sendLate(); p.err != nil {
		p.exchange.fail(p.err)
		return
	}
	p.from.Watch(false)
	if p.from.Waits() {
		p.watch()
	}
}

// sendLate is send on a goroutine of which nobody else handles a panic.
func (p *parts) sendLate() (err error) {
	defer guardFaults()()
	defer func() {
		if value := recover(); value != nil {
			err = panicError(value)
		}
	}()
	return p.send()
}

// part returns the message of a part, which lies in the offer if it is large. Without a
// record it says that the stream is open.
func (r *reply) part(metadata string, offer *segment.Result, rec arrow.RecordBatch) ([]byte, error) {
	header := &RPCMessage{Type: MsgTypePart, FuncName: r.name, ErrorMsg: metadata}
	if rec == nil {
		return header.Marshal(), nil
	}
	referred, err := r.refer(rec, offer)
	if err != nil {
		return nil, err
	}
	if referred != nil {
		header.Type = MsgTypeReferPart
		return referring(header, referred, false), nil
	}
	return appendArrowRecord(r.writer, header.appendHeader(nil), rec)
}

// gatheredBatches gathers the batches of a reader.
type gatheredBatches struct {
	reader array.RecordReader

	mu      sync.Mutex // protects what follows
	watched bool
	batches []arrow.RecordBatch
	rows    int64
	bytes   int
	none    arrow.RecordBatch // one that had no rows, or nil
}

func (g *gatheredBatches) Run(ctx context.Context, full func() error, watch func()) error {
	for g.reader.Next() {
		g.add(g.reader.RecordBatch())
		switch {
		case g.isFull():
			if err := full(); err != nil {
				return err
			}
		case ctx.Err() != nil:
			return ctx.Err()
		case g.Waits():
			watch()
		}
	}
	return g.reader.Err()
}

func (g *gatheredBatches) add(batch arrow.RecordBatch) {
	g.mu.Lock()
	defer g.mu.Unlock()
	batch.Retain()
	if batch.NumRows() == 0 {
		g.none = batch
		return
	}
	g.batches = append(g.batches, batch)
	g.rows += batch.NumRows()
	g.bytes += arrowipc.Size(batch)
}

func (g *gatheredBatches) isFull() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.rows >= codec.PartRows || g.bytes >= codec.PartBytes
}

func (g *gatheredBatches) Watch(is bool) (was bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	was, g.watched = g.watched, is
	return was
}

func (g *gatheredBatches) Waits() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.batches) > 0
}

func (g *gatheredBatches) Reset() {}

func (g *gatheredBatches) Take() (arrow.RecordBatch, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	defer func() {
		for _, batch := range g.batches {
			batch.Release()
		}
		g.batches, g.rows, g.bytes = nil, 0, 0
	}()
	rec, err := concatenate(g.reader.Schema(), g.batches)
	if err != nil {
		return nil, err
	}
	defer rec.Release()
	return forRows(rec), nil
}

func (g *gatheredBatches) None() (rec arrow.RecordBatch, err error) {
	if rec = g.none; rec == nil {
		if rec, err = concatenate(g.reader.Schema(), nil); err != nil {
			return nil, err
		}
	}
	defer rec.Release()
	return forRows(rec), nil
}

// forRows returns a record without those of R's attributes that do not fit its rows. The
// caller releases it.
func forRows(rec arrow.RecordBatch) arrow.RecordBatch {
	if schema := codec.ForRows(rec.Schema(), rec.NumRows()); schema != rec.Schema() {
		return array.NewRecordBatch(schema, rec.Columns(), rec.NumRows())
	}
	rec.Retain()
	return rec
}
