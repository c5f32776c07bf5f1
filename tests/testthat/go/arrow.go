// A server for the tests of Arrow parameters, times and raw vectors.
package main

import (
	"errors"
	"log"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"mangoro.local/pkg/rgoipc"
)

// broken is a reader that fails after its first batch.
type broken struct {
	array.RecordReader
	batches int
}

func (b *broken) Next() bool {
	b.batches++
	return b.batches == 1 && b.RecordReader.Next()
}

func (b *broken) Err() error { return errors.New("the second batch is lost") }

type packet struct {
	Body []byte    `r:"body"`
	Sent time.Time `r:"sent"`
}

func main() {
	registry := rgoipc.NewRegistry()
	for name, fn := range map[string]any{
		"array":  func(x arrow.Array) arrow.Array { x.Retain(); return x },
		"batch":  func(x arrow.RecordBatch) arrow.RecordBatch { x.Retain(); return x },
		"reader": func(x array.RecordReader) array.RecordReader { x.Retain(); return x },
		"swap":   func(x, y arrow.Array) (arrow.Array, arrow.Array) { x.Retain(); y.Retain(); return y, x },
		"column": func(x arrow.RecordBatch, i int32) arrow.Array { c := x.Column(int(i) - 1); c.Retain(); return c },
		"head":   func(x arrow.RecordBatch, n int64) arrow.RecordBatch { return x.NewSlice(0, n) },
		"slice":  func(x arrow.Array, n int64) arrow.Array { return array.NewSlice(x, 0, n) },
		"nobody": func() array.RecordReader { return nil },
		"broken": func(x array.RecordReader) array.RecordReader { x.Retain(); return &broken{RecordReader: x} },
		"sizes": func(x array.RecordReader, by int32) (sizes []int32, err error) {
			for x.Next() {
				sizes = append(sizes, by*int32(x.RecordBatch().NumRows()))
			}
			return sizes, x.Err()
		},

		"hour":     func(x time.Time) int32 { return int32(x.Hour()) },
		"zone":     func(x time.Time) string { return x.Location().String() },
		"is_local": func(x time.Time) bool { return x.Location() == time.Local },
		"tomorrow": func(x time.Time) time.Time { return x.AddDate(0, 0, 1) },
		"maybe":    func(x rgoipc.Null[time.Time]) rgoipc.Null[time.Time] { return x },
		"times":    func(x []time.Time) []time.Time { return x },
		"nulls":    func(x rgoipc.Nulls[time.Time]) rgoipc.Nulls[time.Time] { return x },
		"lists":    func(x [][]time.Time) [][]time.Time { return x },
		"map":      func(x map[string]time.Time) map[string]time.Time { return x },
		"packet":   func(x packet) packet { return x },
		"packets":  func(x []packet) []packet { return x },
		"now":      func(x []bool) time.Time { return time.Now() },
		"parse": func(x []string) ([]time.Time, error) {
			times := make([]time.Time, len(x))
			for i, text := range x {
				var err error
				if times[i], err = time.Parse(time.RFC3339Nano, text); err != nil {
					return nil, err
				}
			}
			return times, nil
		},

		"zeros": func(n []int32) []byte {
			if len(n) == 0 {
				return nil
			}
			return make([]byte, n[0])
		},
		"two":   func(n []int32) ([]byte, []byte) { return make([]byte, n[0]), nil },
		"bytes": func(x [][]byte) [][]byte { return x },
		"nils": func(x [][]byte) []bool {
			nils := make([]bool, len(x))
			for i := range x {
				nils[i] = x[i] == nil
			}
			return nils
		},
		"each": func(x []byte) []byte { return x },
		"fill": func(n int32) []byte { return make([]byte, n) },
	} {
		if err := registry.Func(name, fn); err != nil {
			log.Fatal(err)
		}
	}
	for name, handler := range map[string]rgoipc.FunctionHandler{
		"record": func(rec arrow.Record) (arrow.Record, error) { rec.Retain(); return rec, nil },
		// rebuilt returns the same columns under a new schema.
		"rebuilt": func(rec arrow.Record) (arrow.Record, error) {
			var fields []arrow.Field
			for i, column := range rec.Columns() {
				fields = append(fields, arrow.Field{Name: rec.ColumnName(i), Type: column.DataType(), Nullable: true})
			}
			return array.NewRecordBatch(arrow.NewSchema(fields, nil), rec.Columns(), rec.NumRows()), nil
		},
	} {
		if err := registry.Register(name, handler, rgoipc.FunctionSignature{}); err != nil {
			log.Fatal(err)
		}
	}
	rgoipc.Main(registry)
}
