package arrowipc

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrInvalidStream is returned for bytes that are no Arrow IPC stream, or one
// that is not supported.
var ErrInvalidStream = errors.New("invalid Arrow stream")

// continuation stands before the length of each message.
const continuation = 0xFFFFFFFF

// The members of the union MessageHeader in Message.fbs.
const (
	headerSchema          = 1
	headerDictionaryBatch = 2
	headerRecordBatch     = 3
)

// Versions of the metadata.
const (
	versionV4 = 3
	versionV5 = 4
)

// Verify walks the messages of a stream and returns an error that wraps
// [ErrInvalidStream] if arrow-go must not see them. The stream may end with its
// end mark, after which there must be nothing, or without one.
func Verify(stream []byte) error {
	v := verifier{rest: stream, seen: make(map[int64]bool)}
	for number := 1; ; number++ {
		more, err := v.message()
		if err != nil {
			return fmt.Errorf("%w: message %d: %w", ErrInvalidStream, number, err)
		}
		if !more {
			break
		}
	}
	if v.schema == nil {
		return fmt.Errorf("%w: there is no schema", ErrInvalidStream)
	}
	return nil
}

type verifier struct {
	rest   []byte
	schema *schema
	seen   map[int64]bool // dictionaries whose batch has come
}

// message verifies the next message. There is none after the last.
func (v *verifier) message() (more bool, err error) {
	if len(v.rest) == 0 {
		return false, nil
	}
	if len(v.rest) < 8 {
		return false, fmt.Errorf("%d bytes are no message", len(v.rest))
	}
	if mark := binary.LittleEndian.Uint32(v.rest); mark != continuation {
		return false, fmt.Errorf("it starts with %#x, not with the mark of a message", mark)
	}
	size := int64(int32(binary.LittleEndian.Uint32(v.rest[4:])))
	v.rest = v.rest[8:]
	if size == 0 {
		if len(v.rest) > 0 {
			return false, fmt.Errorf("%d bytes after the end of the stream", len(v.rest))
		}
		return false, nil
	}
	if size < 0 || size > int64(len(v.rest)) {
		return false, fmt.Errorf("it claims %d bytes of metadata, and %d are left", size, len(v.rest))
	}
	metadata := v.rest[:size]
	v.rest = v.rest[size:]
	body, err := v.metadata(metadata)
	if err != nil {
		return false, err
	}
	v.rest = v.rest[body:]
	return true, nil
}

// metadata verifies a message's metadata, and returns the length of its body,
// which is there.
func (v *verifier) metadata(bytes []byte) (body int64, err error) {
	message, err := newFlatbuf(bytes).root()
	if err != nil {
		return 0, err
	}
	version, err := message.integer(0, 2, 0)
	if err != nil {
		return 0, err
	}
	if version != versionV4 && version != versionV5 {
		return 0, fmt.Errorf("its metadata is of version %d", version)
	}
	body, err = message.integer(3, 8, 0)
	if err != nil {
		return 0, err
	}
	if body < 0 || body > int64(len(v.rest)) {
		return 0, fmt.Errorf("it claims a body of %d bytes, and %d are left", body, len(v.rest))
	}
	if err := checkMetadata(message, 4); err != nil {
		return 0, err
	}
	kind, err := message.integer(1, 1, 0)
	if err != nil {
		return 0, err
	}
	header, ok, err := message.child(2)
	if err != nil {
		return 0, err
	}
	if !ok {
		return 0, errors.New("it has no header")
	}
	return body, v.header(kind, header, body)
}

func (v *verifier) header(kind int64, header table, body int64) error {
	if (kind == headerSchema) != (v.schema == nil) {
		return errors.New("the schema must come first, and once")
	}
	switch kind {
	case headerSchema:
		if body != 0 {
			return fmt.Errorf("a schema with a body of %d bytes", body)
		}
		v.schema = &schema{dictionaries: make(map[int64]*shape)}
		return v.schema.read(header)
	case headerDictionaryBatch:
		return v.dictionaryBatch(header, body)
	case headerRecordBatch:
		if len(v.seen) != len(v.schema.dictionaries) {
			return fmt.Errorf("a record batch after %d of %d dictionaries", len(v.seen), len(v.schema.dictionaries))
		}
		return checkBatch(header, v.schema.fields, body)
	default:
		return fmt.Errorf("messages of kind %d are not supported", kind)
	}
}

func (v *verifier) dictionaryBatch(header table, body int64) error {
	id, err := header.integer(0, 8, 0)
	if err != nil {
		return err
	}
	values, ok := v.schema.dictionaries[id]
	if !ok {
		return fmt.Errorf("the schema has no dictionary %d", id)
	}
	isDelta, err := header.integer(2, 1, 0)
	if err != nil {
		return err
	}
	if isDelta != 0 && !v.seen[id] {
		return fmt.Errorf("an addition to dictionary %d, which has not come", id)
	}
	data, ok, err := header.child(1)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("dictionary %d has no data", id)
	}
	v.seen[id] = true
	return checkBatch(data, []*shape{values}, body)
}
