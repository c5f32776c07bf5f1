package arrowipc

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// visitor looks at values, left of them at most.
type visitor struct{ left int }

func (v *visitor) record(t testing.TB, rec arrow.RecordBatch) {
	validatable := true
	for i, column := range rec.Columns() {
		v.values(t, column, 0, int64(column.Len()))
		validatable = validatable && canValidate(rec.Schema().Field(i).Type)
	}
	if !validatable {
		return
	}
	if err := array.ValidateRecordFull(rec); err != nil {
		t.Fatal(err)
	}
}

// canValidate tells the types apart for which arrow-go refuses what it has read
// itself: null, dense unions without rows, and extensions of dictionaries.
func canValidate(dataType arrow.DataType) bool {
	switch dataType := dataType.(type) {
	case *arrow.NullType, *arrow.DenseUnionType:
		return false
	case *arrow.DictionaryType:
		return canValidate(dataType.ValueType)
	case arrow.ExtensionType:
		storage := dataType.StorageType()
		return storage.ID() != arrow.DICTIONARY && canValidate(storage)
	case arrow.NestedType:
		for _, field := range dataType.Fields() {
			if !canValidate(field.Type) {
				return false
			}
		}
	}
	return true
}

// values uses the rows from, to as a program would that trusts them.
func (v *visitor) values(t testing.TB, values arrow.Array, from, to int64) {
	if from < 0 || to < from || to > int64(values.Len()) {
		t.Fatalf("rows %d to %d of %d", from, to, values.Len())
	}
	for i := from; i < to && v.left > 0; i++ {
		v.left--
		if values.IsValid(int(i)) {
			v.value(t, values, int(i))
		}
	}
}

func (v *visitor) value(t testing.TB, values arrow.Array, i int) {
	row := func(values arrow.Array, i int) { v.values(t, values, int64(i), int64(i)+1) }
	switch values := values.(type) {
	case array.ListLike:
		start, end := values.ValueOffsets(i)
		v.values(t, values.ListValues(), start, end)
	case *array.Struct:
		for k := range values.NumField() {
			row(values.Field(k), i)
		}
	case *array.SparseUnion:
		row(values.Field(values.ChildID(i)), i)
	case *array.DenseUnion:
		row(values.Field(values.ChildID(i)), int(values.ValueOffset(i)))
	case *array.RunEndEncoded:
		row(values.Values(), values.GetPhysicalIndex(i))
	case *array.Dictionary:
		row(values.Dictionary(), values.GetValueIndex(i))
	case array.ExtensionArray:
		row(values.Storage(), i)
	case *array.Timestamp: // ValueStr reads the files of time zones
		_ = values.Value(i).ToTime(arrow.Nanosecond)
	case array.StringLike:
		if text := values.Value(i); !utf8.ValidString(text) {
			t.Fatalf("%q is not UTF-8", text)
		}
	default:
		_ = values.ValueStr(i)
	}
}

// use reads a stream that may be anything. What verify lets pass must be sound.
func use(t testing.TB, stream []byte) {
	verified := verify(stream)
	if verified != nil && !errors.Is(verified, ErrInvalidStream) {
		t.Fatalf("%v does not wrap ErrInvalidStream", verified)
	}
	batches, err := readAll(stream, nil)
	if (err == nil) != (verified == nil) {
		t.Fatalf("verified: %v, read: %v", verified, err)
	}
	v := &visitor{left: 1000}
	for _, batch := range batches {
		v.record(t, batch)
		checkWritten(t, batch)
	}
	checkKnown(t, stream, verified)
	if verified == nil {
		checkPaths(t, stream, batches)
	}
	for _, batch := range batches {
		batch.Release()
	}
}

// seeds are streams of all types and forms.
func seeds(t testing.TB) [][]byte {
	t.Helper()
	var out [][]byte
	for _, s := range samples() {
		whole := s.stream(t)
		out = append(out, whole, newEdit(t, whole).withoutMarkers(), newEdit(t, whole).uncounted(), newEdit(t, whole).version4())
	}
	for _, s := range append(append(flatSamples(), nestedSamples()...), sampleOf(t, "extension")) {
		batches := dictionaryBatches(t, s.record(t).Column(0))
		e := newEdit(t, stream(t, batches))
		p := e.places()
		out = append(out, e.bytes, slices.Concat(e.bytes[:p[1].end], e.delta(1), e.bytes[p[1].end:]))
	}
	return out
}

// mutate damages a copy of a stream in a few places.
func mutate(random *rand.Rand, good []byte) []byte {
	bad := bytes.Clone(good)
	for range 1 + random.IntN(4) {
		i := random.IntN(len(bad))
		switch random.IntN(5) {
		case 0:
			bad[i] = byte(random.Uint32())
		case 1:
			bad[i] ^= 1 << random.IntN(8)
		case 2: // a small number, as are most of those in metadata
			bad[i&^3] = byte(random.IntN(5))
		case 3: // an integer from elsewhere
			from := random.IntN(len(bad)) &^ 7
			copy(bad[i&^7:], bad[from:min(from+8, len(bad))])
		default:
			copy(bad[i:], le64(int64(random.Uint64()>>random.IntN(64))))
		}
	}
	return bad
}

// Damaged streams: none ends the process. MANGORO_MUTATIONS of each seed, 100 if
// it is not set.
func TestMutations(t *testing.T) {
	register(t)
	n := 100
	if text, ok := os.LookupEnv("MANGORO_MUTATIONS"); ok {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	count, passed := 0, 0
	for _, good := range seeds(t) {
		for range n {
			bad := mutate(random, good)
			use(t, bad)
			count++
			if verify(bad) == nil {
				passed++
			}
		}
	}
	t.Logf("%d streams, of which %d pass", count, passed)
}

func FuzzReader(f *testing.F) {
	register(f)
	for _, seed := range seeds(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, stream []byte) { use(t, stream) })
}
