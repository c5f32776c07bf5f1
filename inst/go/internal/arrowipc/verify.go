package arrowipc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// ErrInvalidStream is wrapped by each error of this package that the bytes of a stream have
// caused.
var ErrInvalidStream = errors.New("invalid Arrow IPC stream")

const (
	continuation = 0xFFFFFFFF
	maxMetadata  = 64 << 20

	version4 = 3
	version5 = 4

	headerSchema     = 1
	headerDictionary = 2
	headerRecords    = 3

	// With each batch arrow-go walks the dictionaries that it uses, and copies those that
	// have grown. workFactor and workFloor limit these bytes in relation to the stream.
	workFactor = 64
	workFloor  = 64 << 20
)

// message is a verified message.
type message struct {
	meta    []byte
	body    content
	tagged  bool // it has metadata of its own
	rows    int64
	columns []column // of a record batch
}

// walk reads an IPC stream from its schema to its end and hands its messages out, in
// order. It returns an error that wraps [ErrInvalidStream] unless arrow-go can be given
// all of it, and allocates in proportion to the metadata, not to the data.
func (v *verifier) walk(stream []byte, emit func(message)) error {
	if bytes.HasPrefix(stream, []byte("ARROW1")) {
		return fmt.Errorf("%w: this is an Arrow file, which is another format", ErrInvalidStream)
	}
	v.rest, v.work = stream, workFactor*(int64(len(stream))+v.elsewhere.bytes())+workFloor
	for ; ; v.n++ {
		m, err := v.frame()
		if err == nil && m.meta == nil {
			break
		}
		if err == nil {
			err = v.message(&m)
		}
		if err != nil {
			return fmt.Errorf("%w: message %d: %w", ErrInvalidStream, v.n, err)
		}
		emit(m)
	}
	if err := v.end(); err != nil {
		return fmt.Errorf("%w: after %d messages: %w", ErrInvalidStream, v.n, err)
	}
	return nil
}

// verifier is the state of a walk.
type verifier struct {
	known     *Schemas // nil: none
	parsed    *parsed  // the stream's schema, if it is one of those
	rest      []byte
	elsewhere *space // where the bodies are; nil: behind their metadata
	n         int
	schema    *schema
	batches   int
	dicts     int   // dictionary messages
	work      int64 // bytes of dictionaries arrow-go may still go through
}

// frame cuts the metadata of the next message off the stream. There is none at
// the end.
func (v *verifier) frame() (message, error) {
	if len(v.rest) == 0 {
		return message{}, nil
	}
	length, err := v.take32()
	if err == nil && length == continuation {
		length, err = v.take32()
	}
	switch {
	case err != nil || length == 0:
		return message{}, err
	case length < 4:
		return message{}, fmt.Errorf("metadata of %d bytes is too short", length)
	case length > maxMetadata:
		return message{}, fmt.Errorf("metadata of %d bytes is longer than %d", length, maxMetadata)
	case uint64(length) > uint64(len(v.rest)):
		return message{}, fmt.Errorf("metadata of %d bytes is longer than the rest of the stream, %d", length, len(v.rest))
	}
	m := message{meta: v.rest[:length:length]}
	v.rest = v.rest[length:]
	return m, nil
}

func (v *verifier) take32() (uint32, error) {
	if len(v.rest) < 4 {
		return 0, fmt.Errorf("stream ends inside the length of a message, %d bytes are left", len(v.rest))
	}
	n := binary.LittleEndian.Uint32(v.rest)
	v.rest = v.rest[4:]
	return n, nil
}

// message verifies the metadata of a message and cuts its body off the stream.
func (v *verifier) message(m *message) error {
	if v.n == 0 {
		if v.parsed = v.known.find(m.meta); v.parsed != nil {
			v.schema = v.parsed.verified
			return nil
		}
	}
	t := newFlat(m.meta).root()
	version := t.i16(0, 0)
	kind := t.u8(1)
	header := t.must(2, "header")
	size := t.i64(3)
	pairs := t.vector(4, 4)
	readMetadata(pairs)
	if t.f.err != nil {
		return t.f.err
	}
	m.tagged = pairs.n > 0
	if version != version4 && version != version5 {
		return fmt.Errorf("metadata version %d is not supported, only 4 and 5 are", version+1)
	}
	var err error
	if m.body, err = v.body(size); err != nil {
		return err
	}
	if (kind == headerSchema) != (v.schema == nil) {
		return errors.New("the first message, and no other, must be a schema")
	}
	if kind == headerSchema {
		v.schema, err = readSchema(header, version)
		return err
	}
	if version != v.schema.version {
		return fmt.Errorf("metadata version is %d, but %d in the schema", version+1, v.schema.version+1)
	}
	switch kind {
	case headerDictionary:
		return v.dictionary(header, m)
	case headerRecords:
		return v.records(header, m)
	}
	return fmt.Errorf("header type %d is not supported", kind)
}

// body cuts off the body of a message.
func (v *verifier) body(size int64) (content, error) {
	if v.elsewhere != nil {
		return v.elsewhere.cut(size)
	}
	if size < 0 || size > int64(len(v.rest)) {
		return content{}, fmt.Errorf("body of %d bytes is not there, %d bytes are left", size, len(v.rest))
	}
	body := v.rest[:size:size]
	v.rest = v.rest[size:]
	return content{bytes: body, size: size}, nil
}

func (v *verifier) records(t table, m *message) error {
	for id, d := range v.schema.dicts {
		if !d.known {
			return fmt.Errorf("dictionary %d is missing", id)
		}
		v.work -= nodeCost * d.fields
		if d.grown {
			v.work -= d.cost
			d.grown = false
		}
	}
	if v.work < 0 {
		return errors.New("dictionaries are too large for so many batches")
	}
	b, err := newBatch(t, v.schema, m.body)
	if err != nil {
		return err
	}
	m.rows = t.i64(0)
	if m.columns, err = b.columns(v.schema.fields, m.rows); err != nil {
		return err
	}
	v.batches++
	m.meta = b.counted()
	return t.f.err
}

func (v *verifier) dictionary(t table, m *message) error {
	id, delta := t.i64(0), t.flag(2)
	data := t.must(1, "data of the dictionary")
	if t.f.err != nil {
		return t.f.err
	}
	d := v.schema.dicts[id]
	if d == nil {
		return fmt.Errorf("no column uses dictionary %d", id)
	}
	if delta && !d.known {
		return fmt.Errorf("dictionary %d is extended before it is there", id)
	}
	b, err := newBatch(data, v.schema, m.body)
	if err != nil {
		return err
	}
	rows := data.i64(0)
	if _, err := b.columns([]*field{d.value}, rows); err != nil {
		return fmt.Errorf("dictionary %d: %w", id, err)
	}
	if !delta {
		d.length, d.cost = 0, 0
	}
	d.known, d.grown = true, delta
	d.length += rows
	d.cost += b.cost()
	if delta && d.cost > math.MaxInt32 {
		return fmt.Errorf("dictionary %d is too large to be extended", id)
	}
	v.dicts++
	m.meta = b.counted()
	return t.f.err
}

// end verifies that the stream may end here.
func (v *verifier) end() error {
	if v.schema == nil {
		return errors.New("there is no schema")
	}
	if len(v.rest) > 0 {
		return fmt.Errorf("%d bytes follow the end of the stream", len(v.rest))
	}
	if left := v.elsewhere.left(); left > 0 {
		return fmt.Errorf("%d bytes follow the last body", left)
	}
	if v.batches == 0 && v.dicts > 0 && v.dicts < len(v.schema.dicts) {
		return fmt.Errorf("%d of %d dictionaries are missing", len(v.schema.dicts)-v.dicts, len(v.schema.dicts))
	}
	return nil
}
