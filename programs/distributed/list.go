package main

import (
	"crypto/sha256"
	"errors"
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
	run   string // the one that this is about
	lines int    // that have a target
	size  int    // lines in a chunk
	parts int    // partitions
}

func (s source) open() (list, error) {
	l := list{path: s.File, size: s.Chunk, parts: s.Partitions}
	if s.Chunk < 1 {
		return l, fmt.Errorf("a chunk of %d lines has none", s.Chunk)
	}
	if s.Partitions < 1 || s.Partitions > maxPartitions {
		return l, fmt.Errorf("-partitions must be from 1 to %d", maxPartitions)
	}
	if s.File == "" || s.File == "-" {
		return l, errors.New("-f FILE is required: a list that can be read again, as the audit does")
	}
	h := sha256.New()
	fmt.Fprintln(h, scheme, s.Partitions, perSite, maxOpen, maxBytes, s.Chunk)
	f, err := cli.Open(s.File)
	if err != nil {
		return l, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return l, fmt.Errorf("%s is no list that can be read again, as the audit does", s.File)
	}
	targets := cli.NewList(io.TeeReader(f, h))
	if err := targets.Begin(); err != nil {
		return l, fmt.Errorf("%s: %w", s.File, err)
	}
	for range targets.Sites() {
		l.lines++
	}
	if err := targets.Err(); err != nil {
		return l, fmt.Errorf("%s: %w", s.File, err)
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
	k := newChunker(l, func(c chunk) {
		if done != nil && failed == nil {
			failed = done(c)
		}
	})
	targets := cli.NewList(f)
	for site := range targets.Sites() {
		ln := line{site.Line - 1, site.Target}
		id := k.add(ln)
		if add != nil && failed == nil {
			failed = add(ln, id)
		}
		if failed != nil {
			return failed
		}
	}
	if err := targets.Err(); err != nil {
		return fmt.Errorf("%s: %w", l.path, err)
	}
	k.flush()
	return failed
}
