package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"
)

// MaxLine is how many bytes a line of a [List] may have, without its end. That is
// eight times what package checker takes for a target: a line over it is no target
// but another kind of file.
const MaxLine = 64 << 10

// A List reads targets from a text, one a line.
//
// Lines end with LF or CRLF; the last need not. White space around a target is
// trimmed, and so is a byte order mark at the start of the text. Blank lines, and
// lines that begin with "#", are skipped. Nothing else is looked at: a target may
// hold any bytes.
//
// A List holds one line at a time, whatever the length of the text. It ends with
// the text, at an error of reading, or at a line of more than [MaxLine] bytes;
// Err tells which.
//
// Lines and Targets may be used by one goroutine at a time, and Err by any, also
// meanwhile: a Stream may still be waiting for its next target when its results
// have ended.
type List struct {
	in     *bufio.Reader
	number int // of the last line that was read

	mu  sync.Mutex
	err error
}

// NewList returns a List of what r has.
func NewList(r io.Reader) *List {
	return &List{in: bufio.NewReaderSize(r, MaxLine+len("\r\n"))}
}

// Lines returns the targets with the numbers of their lines, from 1. A loop that
// is left early can be gone on with by another.
func (l *List) Lines() iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for l.Err() == nil {
			line, err := l.in.ReadSlice('\n')
			if errors.Is(err, io.EOF) && len(line) == 0 {
				return
			}
			l.number++
			switch {
			case errors.Is(err, bufio.ErrBufferFull) || len(chomp(line)) > MaxLine:
				l.fail(fmt.Errorf("line %d is longer than %d bytes", l.number, MaxLine))
				return
			case err != nil && !errors.Is(err, io.EOF):
				l.fail(err) // the beginning of a line is no target
				return
			}
			if l.number == 1 {
				line = bytes.TrimPrefix(line, []byte("\ufeff"))
			}
			line = bytes.TrimSpace(line)
			if len(line) > 0 && line[0] != '#' && !yield(l.number, string(line)) || err != nil {
				return
			}
		}
	}
}

// Targets is Lines without the numbers.
func (l *List) Targets() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, target := range l.Lines() {
			if !yield(target) {
				return
			}
		}
	}
}

// Err returns why a List ended early, and nil if it did not.
func (l *List) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

func (l *List) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
}

// chomp returns a line without its end.
func chomp(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
}
