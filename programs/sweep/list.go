package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"iter"
	"os"
	"strings"
	"sync"
)

// longest is where a line is cut. Package checker refuses anything over 8 KiB,
// so a longer line stays refused.
const longest = 8<<10 + 1

// lines returns the lines of r, each cut after limit bytes, of which no more than
// one is held. It ends with the error of reading, if there is one.
func lines(r io.Reader, limit int) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		br := bufio.NewReaderSize(r, 64<<10)
		var long []byte
		for {
			line, err := br.ReadSlice('\n')
			if len(long) > 0 || errors.Is(err, bufio.ErrBufferFull) {
				long = append(long, line[:min(len(line), limit-len(long))]...)
				if line = long; errors.Is(err, bufio.ErrBufferFull) {
					continue
				}
				long = long[:0]
			}
			if err != nil && !errors.Is(err, io.EOF) {
				yield(nil, err)
				return
			}
			if len(line) > 0 && !yield(line[:min(len(line), limit)], nil) || err != nil {
				return
			}
		}
	}
}

// A list gives a Checker the sites of an input and keeps for each that is under
// way which line it is from: a Stream numbers what it pulls, and what -resume
// skips and blank lines are not pulled.
type list struct {
	in   io.Reader
	skip set // the lines that need no check

	mu    sync.Mutex
	lines map[int]int // by the index in the Stream; as many as the Checker holds
	err   error
}

func newList(in io.Reader) list { return list{in: in, lines: make(map[int]int)} }

// targets returns the sites that are to be checked.
func (l *list) targets() iter.Seq[string] {
	return func(yield func(string) bool) {
		number, pulled := -1, 0
		for line, err := range lines(l.in, longest) {
			if err != nil {
				l.mu.Lock()
				l.err = err
				l.mu.Unlock()
				return
			}
			number++
			target := site(line)
			if len(target) == 0 || l.skip.has(number) {
				continue
			}
			l.mu.Lock()
			l.lines[pulled] = number
			l.mu.Unlock()
			pulled++
			if !yield(string(target)) {
				return
			}
		}
	}
}

// site returns what a line names, which is empty if it is blank.
func site(line []byte) []byte {
	return bytes.TrimSpace(bytes.TrimPrefix(line, []byte("\ufeff")))
}

// line returns the line of a result, which must be asked for once.
func (l *list) line(index int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.lines[index]
	delete(l.lines, index)
	return n
}

func (l *list) failed() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// open opens the list that an option names.
func open(name string) (*os.File, error) {
	if name == "" {
		return os.Stdin, nil
	}
	return os.Open(name)
}

// sites counts the lines of a list that are not blank and returns to where it
// began; it returns -1 for what can be read only once.
func sites(f *os.File) int {
	start, err := f.Seek(0, io.SeekCurrent)
	if info, errStat := f.Stat(); err != nil || errStat != nil || !info.Mode().IsRegular() {
		return -1
	}
	n := 0
	for line, err := range lines(f, longest) {
		if err != nil {
			break // said again by who reads the list in earnest
		}
		if len(site(line)) > 0 {
			n++
		}
	}
	if _, err := f.Seek(start, io.SeekStart); err != nil {
		return -1
	}
	return n
}

// listName is what a reader is told of where the sites came from.
func (o options) listName() string {
	if o.list == "" {
		return "standard input"
	}
	return strings.ToValidUTF8(o.list, "\ufffd")
}
