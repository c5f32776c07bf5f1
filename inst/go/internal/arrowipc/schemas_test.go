package arrowipc

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// schemaRead reads a stream and returns its schema.
func schemaRead(t *testing.T, schemas *Schemas, stream []byte) *arrow.Schema {
	t.Helper()
	reader, err := schemas.NewReader(stream, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Release()
	return reader.Schema()
}

// named is the stream of a record whose one column has that name.
func named(t *testing.T, name string) []byte {
	t.Helper()
	column := array.MakeArrayOfNull(memory.DefaultAllocator, arrow.PrimitiveTypes.Int32, 1)
	schema := arrow.NewSchema([]arrow.Field{nullable(name, column.DataType())}, nil)
	return stream(t, []arrow.RecordBatch{array.NewRecordBatch(schema, []arrow.Array{column}, 1)})
}

// A schema that has come before is the same, if it is plain.
func TestSchemasRemember(t *testing.T) {
	register(t)
	for _, s := range samples() {
		var schemas Schemas
		whole := s.stream(t)
		first, second := schemaRead(t, &schemas, whole), schemaRead(t, &schemas, whole)
		if (first == second) != s.isPlain() || !first.Equal(second) {
			t.Errorf("%s: the same: %v, want %v", s.name, first == second, s.isPlain())
		}
		if schemaRead(t, nil, whole) == first {
			t.Errorf("%s: nil remembers", s.name)
		}
	}
}

// An extension type may become known, or unknown, at any time.
func TestSchemasForgetExtensions(t *testing.T) {
	for _, dataType := range []arrow.DataType{arrow.PrimitiveTypes.Int32, arrow.ListOf(arrow.PrimitiveTypes.Int32)} {
		var tagged arrow.DataType = newTag(dataType)
		if list, ok := dataType.(*arrow.ListType); ok {
			tagged = arrow.ListOf(newTag(list.Elem()))
		}
		whole := one("", tagged, "null").stream(t)
		var schemas Schemas
		if got := schemaRead(t, &schemas, whole).Field(0).Type; !strings.HasPrefix(got.String(), dataType.String()[:4]) {
			t.Errorf("unknown: %v", got)
		}
		t.Run(dataType.Name(), func(t *testing.T) {
			register(t)
			if got := schemaRead(t, &schemas, whole).Field(0).Type; !arrow.TypeEqual(got, tagged) {
				t.Errorf("known: %v, want %v", got, tagged)
			}
		})
	}
}

// Neither many schemas nor large ones take more memory than foreseen.
func TestSchemasAreBounded(t *testing.T) {
	var schemas Schemas
	for i := range 3 * maxSchemas {
		schemaRead(t, &schemas, named(t, fmt.Sprint("column ", i)))
	}
	if n := len(schemas.known); n != maxSchemas {
		t.Errorf("%d schemas, want %d", n, maxSchemas)
	}
	large := named(t, strings.Repeat("x", maxSchemaSize))
	if first, again := schemaRead(t, &schemas, large), schemaRead(t, &schemas, large); first == again {
		t.Error("a large schema is remembered")
	}
	last := named(t, "last")
	if first, again := schemaRead(t, &schemas, last), schemaRead(t, &schemas, last); first != again {
		t.Error("the last schema is forgotten")
	}
}

// The bytes of a schema that is known may have a body that is not there.
func TestSchemaWithBody(t *testing.T) {
	var schemas Schemas
	header := newTable(tablesOf(1, newField(typeBool, newTable())))
	good := newMessage(headerSchema, header, make([]byte, 8))
	if schemaRead(t, &schemas, good).NumFields() != 1 {
		t.Error("there is no column")
	}
	if _, err := schemas.NewReader(good[:len(good)-8], nil); !errors.Is(err, ErrInvalidStream) {
		t.Errorf("%v, want %v", err, ErrInvalidStream)
	}
}

// A schema that is known says nothing about the batches.
func TestKnownSchemaOfBadStream(t *testing.T) {
	var schemas Schemas
	whole := sampleOf(t, "string").stream(t)
	schemaRead(t, &schemas, whole)
	for n := newEdit(t, whole).places()[0].end + 1; n < len(whole)-8; n++ {
		if _, err := schemas.NewReader(whole[:n], nil); (err == nil) != (verify(whole[:n]) == nil) {
			t.Errorf("%d of %d bytes: %v", n, len(whole), err)
		}
	}
	if _, err := schemas.NewReader(append(whole[:len(whole):len(whole)], whole...), nil); !errors.Is(err, ErrInvalidStream) {
		t.Errorf("%v, want %v", err, ErrInvalidStream)
	}
}

// Several streams at once share what is known.
func TestSchemasAtOnce(t *testing.T) {
	var schemas Schemas
	streams := [][]byte{sampleOf(t, "list of structs of lists").stream(t), sampleOf(t, "several columns").stream(t)}
	for i := range maxSchemas {
		streams = append(streams, named(t, fmt.Sprint("column ", i)))
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, stream := range streams {
				reader, err := schemas.NewReader(stream, nil)
				if err != nil {
					t.Error(err)
					return
				}
				for reader.Next() {
					_ = reader.RecordBatch().NumRows()
				}
				reader.Release()
			}
		})
	}
	wg.Wait()
}
