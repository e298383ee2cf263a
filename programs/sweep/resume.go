package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"example.com/checker"
)

// A set of indexes takes a bit for each, in pages that exist only where there
// is one. The zero set is empty.
type set struct {
	pages map[int]*[pageSize / 64]uint64
}

const pageSize = 1 << 15

// add adds n, and reports whether it was new.
func (s *set) add(n int) bool {
	if s.pages == nil {
		s.pages = make(map[int]*[pageSize / 64]uint64)
	}
	p := s.pages[n/pageSize]
	if p == nil {
		p = new([pageSize / 64]uint64)
		s.pages[n/pageSize] = p
	}
	word, bit := &p[n%pageSize/64], uint64(1)<<(n%64)
	old := *word
	*word |= bit
	return old&bit == 0
}

func (s *set) has(n int) bool {
	p := s.pages[n/pageSize]
	return p != nil && p[n%pageSize/64]&(1<<(n%64)) != 0
}

// longestResult is the longest line that an output can hold: a certificate may
// be for thousands of names.
const longestResult = 16 << 20

// recall reads what an earlier run wrote to f, calls each with it, and cuts off
// a last line that the run did not live to finish. It changes nothing if f is
// not such an output. It leaves f where the next line goes.
func (o options) recall(ctx context.Context, f *os.File, have *set, each func(checker.Result)) error {
	end, err := lastLine(f)
	if err != nil {
		return err
	}
	number := 0
	sc := bufio.NewScanner(io.NewSectionReader(f, 0, end))
	sc.Buffer(nil, longestResult)
	for sc.Scan() {
		if ctx.Err() != nil {
			return interrupted(ctx, 0, true)
		}
		number++
		line := sc.Bytes()
		if number == 1 && o.format.header != "" {
			if string(line) != strings.TrimSuffix(o.format.header, "\n") {
				return fmt.Errorf("%s:1: %w", f.Name(), errForeign)
			}
			continue
		}
		r, err := o.format.decode(line)
		if err == nil && (r.Index < 0 || !have.add(r.Index)) {
			err = fmt.Errorf("the index %d is there twice or negative", r.Index)
		}
		if err != nil {
			return fmt.Errorf("%s:%d: %w", f.Name(), number, err)
		}
		each(r)
	}
	if err := sc.Err(); err != nil {
		return fmt.Errorf("%s:%d: %w", f.Name(), number+1, err)
	}
	if end == 0 {
		if err := o.begun(f); err != nil {
			return err
		}
	}
	if err := f.Truncate(end); err != nil {
		return err
	}
	_, err = f.Seek(end, io.SeekStart)
	return err
}

// begun reports an error if what there is of the first line is not how an
// output begins: cutting it off would destroy something else.
func (o options) begun(f *os.File) error {
	head := make([]byte, len(o.format.opening))
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if !strings.HasPrefix(o.format.opening, string(head[:n])) {
		return fmt.Errorf("%s:1: %w", f.Name(), errForeign)
	}
	return nil
}

// lastLine returns where the last complete line of f ends.
func lastLine(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if !info.Mode().IsRegular() {
		return 0, fmt.Errorf("%s is not a file that -resume can read", f.Name())
	}
	block := make([]byte, 64<<10)
	for end := info.Size(); end > 0; {
		start := max(0, end-int64(len(block)))
		n, err := f.ReadAt(block[:end-start], start)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if i := bytes.LastIndexByte(block[:n], '\n'); i >= 0 {
			return start + int64(i) + 1, nil
		}
		end = start
	}
	return 0, nil
}
