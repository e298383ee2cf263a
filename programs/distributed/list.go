package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"

	"example.com/checker/examples/cli"
)

// listWidth is the length of a list's id.
const listWidth = 12

// A list is a file of targets, one a line, as cli.List reads it.
type list struct {
	path  string
	id    string // stands for the content and for how it is put into chunks
	lines int    // that have a target
	size  int    // lines in a chunk
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
	targets := cli.NewList(io.TeeReader(f, h))
	for range targets.Lines() {
		l.lines++
	}
	if err := targets.Err(); err != nil {
		return l, fmt.Errorf("%s: %w", s.File, err)
	}
	if l.lines == 0 {
		return l, fmt.Errorf("%s has no targets", s.File)
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
	targets := cli.NewList(f)
	for number, target := range targets.Lines() {
		ln := line{number - 1, target}
		id := k.add(ln)
		if add != nil && failed == nil {
			failed = add(ln, id)
		}
		if failed != nil {
			return failed
		}
	}
	if err := targets.Err(); err != nil {
		return err
	}
	k.flush()
	return failed
}
