package main

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
)

// listWidth is the length of a list's id.
const listWidth = 12

// maxTarget is where a line is cut. Package checker refuses anything over 8 KiB,
// so a longer line stays refused.
const maxTarget = 8<<10 + 1

// A list is a file of targets, one a line. Blank lines count: they too get a
// result.
type list struct {
	path  string
	id    string // stands for the content and for how it is put into chunks
	lines int
	size  int // lines in a chunk
}

func (s source) open() (list, error) {
	l := list{path: s.File, size: s.Chunk}
	if s.Chunk < 1 {
		return l, fmt.Errorf("a chunk of %d lines has none", s.Chunk)
	}
	h := sha256.New()
	fmt.Fprintln(h, scheme, partitions, perSite, maxOpen, maxBytes, s.Chunk)
	f, err := os.Open(s.File)
	if err != nil {
		return l, err
	}
	defer f.Close()
	for _, err := range readLines(io.TeeReader(f, h)) {
		if err != nil {
			return l, err
		}
		l.lines++
	}
	if l.lines == 0 {
		return l, fmt.Errorf("%s is empty", s.File)
	}
	l.id = fmt.Sprintf("%x", h.Sum(nil))[:listWidth]
	return l, nil
}

// walk calls add for each line in turn, with the id of its chunk, and done for
// each chunk once it is complete; either may be nil.
func (l list) walk(add func(line, string) error, done func(chunk) error) error {
	f, err := os.Open(l.path)
	if err != nil {
		return err
	}
	defer f.Close()
	var failed error
	k := chunker{list: l.id, size: l.size, done: func(c chunk) {
		if done != nil && failed == nil {
			failed = done(c)
		}
	}}
	index := 0
	for target, err := range readLines(f) {
		if err != nil {
			return err
		}
		ln := line{index, target}
		id := k.add(ln)
		if add != nil && failed == nil {
			failed = add(ln, id)
		}
		if failed != nil {
			return failed
		}
		index++
	}
	k.flush()
	return failed
}

// readLines yields the lines of r without their ends, long ones cut.
func readLines(r io.Reader) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		br := bufio.NewReaderSize(r, 64<<10)
		for {
			text, err := readLine(br)
			if errors.Is(err, io.EOF) && text == "" {
				return
			}
			if err != nil && !errors.Is(err, io.EOF) {
				yield("", err)
				return
			}
			text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
			if !yield(text[:min(len(text), maxTarget)], nil) {
				return
			}
		}
	}
}

// readLine reads up to a newline and keeps the beginning.
func readLine(br *bufio.Reader) (string, error) {
	text, err := br.ReadSlice('\n')
	kept := string(text)
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = br.ReadSlice('\n')
	}
	return kept, err
}
