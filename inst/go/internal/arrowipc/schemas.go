package arrowipc

import (
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
)

const (
	// maxSchemas and maxSchemaSize bound what is remembered for peers that send
	// ever new schemas, or large ones.
	maxSchemas    = 64
	maxSchemaSize = 4 << 10
)

// Schemas reads streams and remembers their schemas, so that one which has come
// before need neither be verified again nor parsed. Only those of plain columns
// are remembered, since the others depend on more than their bytes: on
// dictionaries, which each stream has of its own, and on the extension types that
// the program knows. The records of several streams may so have the same schema.
//
// The zero value is ready for use, by several goroutines at once. A nil *Schemas
// remembers nothing.
type Schemas struct {
	mu    sync.RWMutex
	known map[string]*parsed // by the bytes of their messages
}

// parsed is a schema as verified, and as arrow-go has it. Neither changes.
type parsed struct {
	verified *schema
	arrow    *arrow.Schema
}

// find returns the schema of a message, or nil.
func (s *Schemas) find(meta []byte) *parsed {
	if s == nil || len(meta) > maxSchemaSize {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.known[string(meta)]
}

// add remembers a schema, in place of any other one if there are too many. Its
// message must have no body: nobody will look whether that is there.
func (s *Schemas) add(m message, p *parsed) {
	if s == nil || len(m.meta) > maxSchemaSize || len(m.body) > 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = make(map[string]*parsed)
	}
	for key := range s.known {
		if len(s.known) < maxSchemas {
			break
		}
		delete(s.known, key)
	}
	s.known[string(m.meta)] = p
}
