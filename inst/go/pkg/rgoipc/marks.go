package rgoipc

import (
	"log"
	"os"
)

// mark stands in standard output and in standard error for each line that package log prints.
// R, which reads both, tells by it what was printed before (src/log.c).
const mark = "\x00mangoro\x01"

// marking is the writer of package log, and so of slog's default handler. Package log
// writes one line at a time.
type marking struct {
	stdout, stderr *os.File
	buffer         []byte
}

// markLog has the lines of package log marked, if they go to standard error.
func markLog() {
	if log.Writer() == os.Stderr {
		log.SetOutput(&marking{stdout: os.Stdout, stderr: os.Stderr})
	}
}

func (m *marking) Write(line []byte) (int, error) {
	if _, err := m.stdout.WriteString(mark); err != nil {
		return m.stderr.Write(line) // both have it or none
	}
	m.buffer = append(append(m.buffer[:0], mark...), line...)
	n, err := m.stderr.Write(m.buffer)
	return max(0, n-len(mark)), err
}
