package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync"
	"unicode/utf8"
)

// MaxLine is how many bytes a line of a [List] may have, without its end. That is
// eight times what package checker takes for a target: a line over it is no target
// but another kind of file.
const MaxLine = 64 << 10

// A List reads sites from a text, one a line: a URL or a host and, after white space,
// a name for it, if you like.
//
// Lines end with LF or CRLF; the last need not. White space around a line is trimmed,
// and so is a byte order mark at the start of the text. Blank lines, and lines that
// begin with "#", are skipped; of those, one that begins with "## " is the heading of a
// group, which goes on to the next one. A text in UTF-16 is refused, and so is one that is no
// text: its first block is looked at before its first line is believed, and a NUL is in
// no line. A target may hold any other bytes; package checker says what it thinks of
// them.
//
// A List holds one line at a time, whatever the length of the text. It ends with
// the text, at an error of reading, or at a line of more than [MaxLine] bytes;
// Err tells which.
//
// The methods may be used by one goroutine at a time, and Err by any, also
// meanwhile: a Stream may still be waiting for its next target when its results
// have ended.
type List struct {
	in     *bufio.Reader
	number int    // of the last line that was read
	group  string // that it is in
	first  string // a line that Begin has read, and no loop yet

	mu  sync.Mutex
	err error
}

// A Site is a line of a List.
type Site struct {
	Line   int    // from 1
	Target string // not empty
	Name   string // "" without one
	Group  string // the heading above it; "" without one
}

// NewList returns a List of what r has.
func NewList(r io.Reader) *List {
	return &List{in: bufio.NewReaderSize(r, MaxLine+len("\r\n"))}
}

// Begin reads up to the first line with a site, which the next loop begins with, and
// returns an error if there is none: what is to be written for a list can wait until it
// is known to be one. See [Until] for a list that may come from a terminal.
func (l *List) Begin() error {
	for _, l.first = range l.Lines() {
		return nil
	}
	return cmp.Or(l.Err(), errEmpty)
}

var errEmpty = errors.New("there are no sites in it")

// Sites returns the sites. Another loop goes on where one was left.
func (l *List) Sites() iter.Seq[Site] {
	return func(yield func(Site) bool) {
		for number, line := range l.Lines() {
			s := Site{Line: number, Target: line, Group: l.group}
			if i := strings.IndexAny(line, " \t"); i >= 0 {
				s.Target, s.Name = line[:i], strings.TrimSpace(line[i:])
			}
			if !yield(s) {
				return
			}
		}
	}
}

// Targets is Sites without names and numbers.
func (l *List) Targets() iter.Seq[string] {
	return func(yield func(string) bool) {
		for s := range l.Sites() {
			if !yield(s.Target) {
				return
			}
		}
	}
}

// Lines is Sites with the lines whole, by their numbers.
func (l *List) Lines() iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		if first := l.first; first != "" {
			l.first = ""
			if !yield(l.number, first) {
				return
			}
		}
		for l.Err() == nil {
			line, err := l.next()
			if heading, is := bytes.CutPrefix(line, []byte("## ")); is {
				l.group = string(bytes.TrimSpace(heading))
			}
			if len(line) > 0 && line[0] != '#' && !yield(l.number, string(line)) || err != nil {
				return
			}
		}
	}
}

// next returns the next line, trimmed, and an error if there are no more.
func (l *List) next() ([]byte, error) {
	if l.number == 0 {
		_, _ = l.in.Peek(1) // what is wrong with reading, ReadSlice says
		head, _ := l.in.Peek(l.in.Buffered())
		if err := checkText(head); err != nil {
			return nil, l.fail(err)
		}
	}
	line, err := l.in.ReadSlice('\n')
	if errors.Is(err, io.EOF) && len(line) == 0 {
		return nil, err
	}
	l.number++
	switch {
	case errors.Is(err, bufio.ErrBufferFull) || len(chomp(line)) > MaxLine:
		return nil, l.fail(fmt.Errorf("line %d is longer than %d bytes", l.number, MaxLine))
	case err != nil && !errors.Is(err, io.EOF):
		return nil, l.fail(err) // the beginning of a line is no target
	case l.number == 1 && isUTF16(line):
		return nil, l.fail(errUTF16)
	case bytes.IndexByte(line, 0) >= 0:
		return nil, l.fail(fmt.Errorf("line %d has a NUL: it is %w", l.number, errBinary))
	}
	if l.number == 1 {
		line = bytes.TrimPrefix(line, []byte("\ufeff"))
	}
	return bytes.TrimSpace(line), err
}

// Err returns why a List ended early, and nil if it did not.
func (l *List) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

func (l *List) fail(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
	return err
}

// chomp returns a line without its end.
func chomp(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
}

var (
	errUTF16  = errors.New("not a text file in UTF-8 but in UTF-16: save it as UTF-8")
	errBinary = errors.New("not a text file in UTF-8 but a binary one, or in another encoding")
)

// checkText returns an error if a text that begins with head is none.
func checkText(head []byte) error {
	odd := 0 // bytes of no character, and of those that stand in no text
	for i := 0; i < len(head); {
		r, n := utf8.DecodeRune(head[i:])
		if r == utf8.RuneError && n == 1 || r < ' ' && !bytes.ContainsRune([]byte("\t\n\f\r\x1b"), r) {
			odd++
		}
		i += n
	}
	const (
		few  = 4  // bytes, of which UTF-16 would not be known
		fair = 64 // bytes; in fewer one odd line may be half of all
	)
	switch {
	case isUTF16(head):
		return errUTF16
	case len(head) >= few && bytes.IndexByte(head, 0) >= 0, len(head) >= fair && odd*10 > len(head)*3:
		return errBinary
	}
	return nil
}

// isUTF16 reports whether text begins with a byte order mark of UTF-16, or with two
// ASCII characters in it.
func isUTF16(text []byte) bool {
	return bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) ||
		len(text) >= 4 && (text[0] == 0) == (text[2] == 0) && (text[1] == 0) == (text[3] == 0) && (text[0] == 0) != (text[1] == 0)
}
