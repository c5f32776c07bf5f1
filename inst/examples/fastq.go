package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
)

// Position is what the reads of a FASTQ file have at one position.
type Position struct {
	Position int     `r:"position"`
	Reads    int     `r:"reads"`
	Mean     float64 `r:"mean"`
	Min      int     `r:"min"`
}

// Quality is the quality of the reads of a FASTQ file at each position.
//
//mangoro:path file
func Quality(file string) (positions []Position, err error) {
	reads, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, reads.Close()) }()

	lines := bufio.NewScanner(reads)
	for n := 1; lines.Scan(); n++ {
		line := lines.Bytes()
		if n%4 == 1 && (len(line) == 0 || line[0] != '@') {
			return nil, fmt.Errorf("line %d is not the name of a read: %q", n, line)
		}
		if n%4 != 0 {
			continue
		}
		for i, letter := range line {
			quality := int(letter) - '!'
			if i == len(positions) {
				positions = append(positions, Position{Position: i + 1, Min: quality})
			}
			at := &positions[i]
			at.Reads++
			at.Mean += (float64(quality) - at.Mean) / float64(at.Reads)
			at.Min = min(at.Min, quality)
		}
	}
	return positions, lines.Err()
}
