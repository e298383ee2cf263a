package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// A set is of lines: a bit for each.
type set []uint64

func (s *set) add(i int) {
	for len(*s) <= i/64 {
		*s = append(*s, 0)
	}
	(*s)[i/64] |= 1 << (i % 64)
}

func (s *set) has(i int) bool { return i/64 < len(*s) && (*s)[i/64]&(1<<(i%64)) != 0 }

// openOutput opens the output for more results and returns which are there. A
// line that was being written when the process before died is cut off. What is no
// file holds nothing.
func openOutput(name string, resume bool) (*os.File, *set, error) {
	info, err := os.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		return f, new(set), err
	}
	if err == nil && info.Size() > 0 && !resume {
		return nil, nil, fmt.Errorf("%s is there already; -resume goes on with it", name)
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, nil, err
	}
	done, end, err := readOutput(f)
	if err == nil {
		err = f.Truncate(end)
	}
	if err == nil {
		_, err = f.Seek(end, io.SeekStart)
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, done, nil
}

// readOutput returns the lines that have a result, and where the last whole
// line ends.
func readOutput(r io.Reader) (done *set, end int64, err error) {
	done = new(set)
	br := bufio.NewReader(r)
	for {
		text, err := br.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return done, end, nil
		}
		if err != nil {
			return nil, 0, err
		}
		result := struct {
			Index int `json:"index"`
		}{-1}
		if err := json.Unmarshal(text, &result); err != nil || result.Index < 0 {
			return nil, 0, fmt.Errorf("at byte %d of the output there is no result", end)
		}
		done.add(result.Index)
		end += int64(len(text))
	}
}
