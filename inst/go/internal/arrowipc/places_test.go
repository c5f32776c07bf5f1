package arrowipc

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// oddOne is a float64 whose first byte is also a bitmap of 3 rows that are all valid.
const oddOne = 0x3FF<<52 | 7

// placesRecord has a column of float64 and one of int32.
func placesRecord(valid []bool) arrow.RecordBatch {
	x, y := array.NewFloat64Builder(memory.DefaultAllocator), array.NewInt32Builder(memory.DefaultAllocator)
	x.AppendValues([]float64{math.Float64frombits(oddOne), 2, 3}, nil)
	y.AppendValues([]int32{4, 5, 6}, valid)
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: x.Type()}, {Name: "y", Type: y.Type(), Nullable: true}}, nil)
	return array.NewRecordBatch(schema, []arrow.Array{x.NewArray(), y.NewArray()}, 3)
}

func streamOf(t *testing.T, rec arrow.RecordBatch) []byte {
	t.Helper()
	stream, err := new(Writer).Append(nil, rec)
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

func TestPlaces(t *testing.T) {
	var schemas Schemas
	stream := streamOf(t, placesRecord(nil))
	for _, known := range []bool{false, true} {
		p, ok := schemas.Places(stream)
		if !ok || p.Rows != 3 || len(p.Values) != 2 || (p.Schema != nil) != known {
			t.Fatalf("got %+v, %v", p, ok)
		}
		var want []byte
		for _, v := range []uint64{oddOne, 0x400 << 52, 0x4008 << 48} {
			want = binary.LittleEndian.AppendUint64(want, v)
		}
		if at := p.Values[0]; !slices.Equal(stream[at.At:][:at.Size], want) {
			t.Errorf("x is at %+v", at)
		}
		if at := p.Values[1]; !slices.Equal(stream[at.At:][:at.Size], []byte{4, 0, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0}) {
			t.Errorf("y is at %+v", at)
		}
		// The schema is known once a stream of it has been read.
		reader, err := schemas.NewReader(stream, nil)
		if err != nil {
			t.Fatal(err)
		}
		reader.Release()
	}
}

// A stream whose other bytes depend on values has no places, nor has one that is not valid.
func TestPlacesRefuses(t *testing.T) {
	texts := array.NewStringBuilder(memory.DefaultAllocator)
	texts.Append("a")
	flags := array.NewBooleanBuilder(memory.DefaultAllocator)
	flags.Append(true)
	var columns []arrow.RecordBatch
	for _, values := range []arrow.Array{texts.NewArray(), flags.NewArray(), array.NewNull(2)} {
		schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: values.DataType(), Nullable: true}}, nil)
		columns = append(columns, array.NewRecordBatch(schema, []arrow.Array{values}, int64(values.Len())))
	}
	stream := streamOf(t, placesRecord(nil))
	buffers := bufferAt(t, stream)
	for what, other := range map[string][]byte{
		"null":  streamOf(t, placesRecord([]bool{true, false, true})),
		"text":  streamOf(t, columns[0]),
		"flag":  streamOf(t, columns[1]),
		"nulls": streamOf(t, columns[2]),
		"empty": nil,
		"short": stream[:len(stream)-9],
		// The bitmap of y lies where x is, or y itself does.
		"bitmap in values": with64(with64(stream, buffers+32, 0), buffers+40, 1),
		"shared values":    with64(stream, buffers+48, 0),
	} {
		if p, ok := new(Schemas).Places(other); ok {
			t.Errorf("%s: got %+v", what, p)
		}
	}
	for name, s := range map[string][]byte{
		"bitmap in values": with64(with64(stream, buffers+32, 0), buffers+40, 1), "shared values": with64(stream, buffers+48, 0),
	} {
		if err := verify(s); err != nil {
			t.Errorf("%s is not valid: %v", name, err) // or it is refused for another reason
		}
	}
}

// bufferAt returns where the description of the buffers of a stream's record begins.
func bufferAt(t *testing.T, stream []byte) int {
	t.Helper()
	var want []byte
	for _, v := range []uint64{0, 0, 0, 24, 24, 0, 24, 12} {
		want = binary.LittleEndian.AppendUint64(want, v)
	}
	for i := range len(stream) - len(want) {
		if slices.Equal(stream[i:i+len(want)], want) {
			return i
		}
	}
	t.Fatal("there are no such buffers")
	return 0
}

func with64(stream []byte, at int, v uint64) []byte {
	out := slices.Clone(stream)
	binary.LittleEndian.PutUint64(out[at:], v)
	return out
}
