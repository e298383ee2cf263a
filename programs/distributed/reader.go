package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"time"
)

// A record is what an audit reads of a result.
type record struct {
	Index       int       `json:"index"`
	Status      string    `json:"status"`
	Reason      string    `json:"reason"`
	Error       string    `json:"error"`
	Quarantined bool      `json:"quarantined"`
	Start       time.Time `json:"start"`
}

// A reader reads the results of a chunk, from the pieces that it is in.
type reader struct {
	pieces []piece
	file   *os.File
	buf    *bufio.Reader
	text   []byte // the next line, if there is one that was not asked for yet
	next   record
}

func (s store) reader(id string) (*reader, error) {
	pieces, err := s.find(id)
	return &reader{pieces: pieces}, err
}

// line returns the result of a line, or nil if it has none. Results of lines
// before it are too many: a line has had its own.
func (r *reader) line(index int, t *tally) ([]byte, error) {
	for {
		if r.text == nil {
			if err := r.advance(t); err != nil {
				return nil, err
			}
		}
		if r.text == nil || r.next.Index > index {
			t.miss(index)
			return nil, nil
		}
		text := r.text
		r.text = nil
		if r.next.Index == index {
			t.count(r.next)
			return text, nil
		}
		t.extra++
	}
}

// finish closes the reader; what has not been read is too many.
func (r *reader) finish(t *tally) error {
	defer r.close()
	for {
		if r.text != nil {
			t.extra++
		}
		if err := r.advance(t); err != nil || r.text == nil {
			return err
		}
	}
}

// advance reads the next line, from the next piece if need be. A line that is
// no result counts as one too many.
func (r *reader) advance(t *tally) error {
	r.text = nil
	for r.text == nil {
		if r.file == nil {
			if len(r.pieces) == 0 {
				return nil
			}
			if err := r.openNext(); err != nil {
				return err
			}
		}
		text, err := r.buf.ReadBytes('\n')
		switch {
		case errors.Is(err, io.EOF):
			r.close()
			if len(text) > 0 {
				t.extra++
			}
			continue
		case err != nil:
			return err
		}
		r.next = record{Index: -1}
		if json.Unmarshal(text, &r.next) != nil || r.next.Index < 0 || r.next.Status == "" {
			t.extra++
			continue
		}
		r.text = text
	}
	return nil
}

func (r *reader) openNext() (err error) {
	r.file, err = os.Open(r.pieces[0].path)
	r.pieces = r.pieces[1:]
	if err == nil {
		r.buf = bufio.NewReaderSize(r.file, 32<<10)
	}
	return err
}

func (r *reader) close() {
	if r.file != nil {
		_ = r.file.Close() // it was only read
		r.file = nil
	}
}
