package main

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// A line is one line of a list, with a target.
type line struct {
	index  int // its number, from 0; blank lines and comments count
	target string
}

// A chunk is what one worker checks at a time: lines in ascending order, all of
// one partition, and few of any one site. Its id is the run's, the partition,
// the position within that, and for a part of a chunk the path to it: "l" is
// the first half and "r" the second. The chunks that share a line with it are
// thus those whose id begins with its own, or the other way round.
type chunk struct {
	id    string
	lines []line
}

func newID(run string, partition, n int) string {
	return fmt.Sprintf("%s-%04d-%08x", run, partition, n)
}

// idWidth is the length of the id of a whole chunk.
const idWidth = runWidth + len("-0007-0000002a")

// splitID returns the parts of an id.
func splitID(id string) (run string, partition, n int, ok bool) {
	if len(id) < idWidth || strings.Trim(id[idWidth:], "lr") != "" {
		return "", 0, 0, false
	}
	run, rest := id[:runWidth], id[runWidth:idWidth]
	_, err := fmt.Sscanf(rest, "-%04d-%08x", &partition, &n)
	ok = err == nil && id[:idWidth] == newID(run, partition, n)
	return run, partition, n, ok
}

// related reports whether two chunks have lines in common.
func related(id, other string) bool {
	return strings.HasPrefix(id, other) || strings.HasPrefix(other, id)
}

// halves splits a chunk of two lines or more.
func (c chunk) halves() (l, r chunk) {
	n := (len(c.lines) + 1) / 2
	return chunk{c.id + "l", c.lines[:n]}, chunk{c.id + "r", c.lines[n:]}
}

// encode returns a chunk's lines as a message has them: index, tab, target,
// newline. A target has no newline and is otherwise any bytes, which JSON would
// not keep.
func (c chunk) encode() []byte {
	var b []byte
	for _, l := range c.lines {
		b = strconv.AppendInt(b, int64(l.index), 10)
		b = append(b, '\t')
		b = append(b, l.target...)
		b = append(b, '\n')
	}
	return b
}

func decodeChunk(id string, data []byte) (chunk, error) {
	c := chunk{id: id}
	for text := range bytes.Lines(data) {
		index, target, ok := strings.Cut(strings.TrimSuffix(string(text), "\n"), "\t")
		n, err := strconv.Atoi(index)
		if !ok || err != nil {
			return c, fmt.Errorf("chunk %s: malformed line %.40q", id, text)
		}
		c.lines = append(c.lines, line{n, target})
	}
	if len(c.lines) == 0 {
		return c, fmt.Errorf("chunk %s: empty", id)
	}
	return c, nil
}
