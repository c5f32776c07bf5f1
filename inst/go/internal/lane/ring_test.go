package lane_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"mangoro.local/internal/lane"
	"mangoro.local/internal/lane/lanetest"
)

const maxColumns = 480

// The chunks have all rows of all columns, in order, by however many goroutines they are taken
// and given back.
func TestRing(t *testing.T) {
	const rows, all = lanetest.RingRows, lanetest.RingSlots * lanetest.RingRows
	for _, tt := range []struct {
		columns int
		rows    []int
	}{
		{1, []int{0, 1, 63, rows - 1, rows, rows + 1, all - 1, all, all + 1, 3*all + 7}},
		{2, []int{1, rows + 1, all + 1}},
		{5, []int{rows - 1, rows, rows + 1}},
		{40, []int{1, lanetest.ChunkRows(40), rows}},
		{maxColumns, []int{1, 64, 65}},
	} {
		for _, n := range tt.rows {
			for _, workers := range []int{1, 4} {
				t.Run(fmt.Sprintf("%d rows of %d columns by %d", n, tt.columns, workers), func(t *testing.T) {
					testRing(t, n, tt.columns, workers)
				})
			}
		}
	}
}

func testRing(t *testing.T, rows, n, workers int) {
	columns := make([]any, n)
	for i := range columns {
		column := make([]float64, rows)
		for row := range column {
			column[row] = float64(1000*row + i)
		}
		if rows > 0 && i%2 == 1 {
			column[rows-1] = math.NaN()
		}
		columns[i] = column
	}
	end := lanetest.New()
	ring := end.Ring()
	if err := ring.Open(rows, n); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { end.Write(columns...) })
	var seen atomic.Int64
	for range workers {
		wg.Go(func() {
			for {
				c, err := ring.Next()
				if err != nil {
					t.Error(err)
				}
				if c == nil {
					return
				}
				for i, column := range c.Columns {
					checkColumn(t, c, column, i, columns[i].([]float64))
				}
				seen.Add(int64(c.Rows))
				ring.Done(c)
			}
		})
	}
	wg.Wait()
	if int(seen.Load()) != rows {
		t.Errorf("%d rows", seen.Load())
	}
}

func checkColumn(t *testing.T, c *lane.Chunk, got []byte, i int, want []float64) {
	t.Helper()
	if last := c.First+c.Rows == len(want); c.HasNA(i) != (last && i%2 == 1) {
		t.Errorf("column %d: NA is %v", i, c.HasNA(i))
	}
	for row := range c.Rows {
		if v := binary.NativeEndian.Uint64(got[8*row:]); v != math.Float64bits(want[c.First+row]) {
			t.Errorf("row %d of column %d is %x", c.First+row, i, v)
			return
		}
	}
}

// What was given back counts only when all before it is.
func TestRingGivesBackInOrder(t *testing.T) {
	const rows = 3 * lanetest.RingRows
	end := lanetest.New()
	ring := end.Ring()
	if err := ring.Open(rows, 1); err != nil {
		t.Fatal(err)
	}
	end.Write(make([]float64, rows))
	var chunks []*lane.Chunk
	for range 3 {
		c, err := ring.Next()
		if err != nil {
			t.Fatal(err)
		}
		chunks = append(chunks, c)
	}
	for i, want := range []struct {
		chunk int
		read  uint32
	}{{2, 0}, {0, 1}, {1, 3}} {
		ring.Done(chunks[want.chunk])
		if read := end.Read(); read != want.read {
			t.Errorf("step %d: %d chunks read, want %d", i, read, want.read)
		}
	}
	if n := end.Events(); n != 2 {
		t.Errorf("%d events", n)
	}
}

func TestRingEndsWithTheCall(t *testing.T) {
	end := lanetest.New()
	ring := end.Ring()
	if err := ring.Open(2*lanetest.RingRows, 1); err != nil {
		t.Fatal(err)
	}
	end.Write(make([]float64, lanetest.RingRows))
	if c, err := ring.Next(); c == nil || err != nil {
		t.Fatal(c, err)
	}
	end.GiveUp()
	if c, err := ring.Next(); c != nil || !errors.Is(err, lane.ErrGivenUp) {
		t.Errorf("%v, %v", c, err)
	}
}

// What R says is checked.
func TestRingIsNotTrusted(t *testing.T) {
	for _, tt := range []struct{ rows, columns int }{{1, 0}, {1, maxColumns + 1}, {1, -1}, {-1, 1}, {math.MaxInt, 1}} {
		if err := lanetest.New().Ring().Open(tt.rows, tt.columns); err == nil {
			t.Errorf("%d rows of %d columns are taken", tt.rows, tt.columns)
		}
	}
	for name, tt := range map[string]struct {
		rows    uint32
		written uint32
		want    string
	}{
		"fewer rows":   {99, 1, "a chunk of 99 rows came where one of 100 was due"},
		"more rows":    {101, 1, "a chunk of 101 rows"},
		"all rows":     {math.MaxUint32, 1, "a chunk of 4294967295 rows"},
		"many chunks":  {100, lanetest.RingSlots + 1, "R has written 9 chunks"},
		"chunks below": {100, math.MaxUint32, "R has written 4294967295 chunks"},
	} {
		t.Run(name, func(t *testing.T) {
			end := lanetest.New()
			ring := end.Ring()
			if err := ring.Open(100, 1); err != nil {
				t.Fatal(err)
			}
			binary.NativeEndian.PutUint32(end.Slot(0), tt.rows)
			end.SetWritten(tt.written)
			if c, err := ring.Next(); c != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, %v", c, err)
			}
		})
	}
}
