package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"

	"example.com/checker"
	"example.com/checker/examples/cli"
)

// An entry of a baseline is a link that is known to be dead: its URL as a report shows
// it, and the file that it is in, or "" for all files.
type entry struct{ url, file string }

func (e entry) String() string {
	if e.file == "" {
		return e.url
	}
	return e.url + " in " + e.file
}

// A baseline is a list, as all programs read it: a URL, and the path of a file in the
// place of a name. Lines of files do not matter, so that they may be edited.
type baseline []entry

func readBaseline(name string) (b baseline, err error) {
	if name == "" {
		return nil, nil
	}
	f, err := cli.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	list := cli.NewList(f)
	for s := range list.Sites() {
		b = append(b, entry{s.Target, s.Name})
	}
	if err := list.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return b, nil
}

// entry returns the entry for a finding.
func (f finding) entry() entry {
	target, fragment := f.target()
	if fragment != "" {
		target += "#" + fragment
	}
	return entry{checker.Redact(target), f.File}
}

func (b baseline) has(f finding) bool {
	e := f.entry()
	return slices.Contains(b, e) || slices.Contains(b, entry{url: e.url})
}

// stale returns the entries that no dead link needs. Of a link that was not checked, or
// that is in doubt, nobody knows.
func (b baseline) stale(findings []finding) (all []entry) {
	needed := make(map[entry]bool)
	for _, f := range findings {
		if f.State != good && f.State != moved && f.State != misplaced {
			needed[f.entry()], needed[entry{url: f.entry().url}] = true, true
		}
	}
	for _, e := range b {
		if !needed[e] {
			all = append(all, e)
		}
	}
	return all
}

// writeBaseline writes the dead links, known ones included.
func writeBaseline(name string, findings []finding) error {
	b := bytes.NewBufferString("# Links that are known to be dead, and the file that each is in.\n")
	written := make(map[entry]bool)
	for _, f := range findings {
		if e := f.entry(); (f.State == dead || f.State == known) && !written[e] {
			written[e] = true
			fmt.Fprintln(b, e.url, e.file)
		}
	}
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = file.Write(b.Bytes())
	return errors.Join(err, file.Close())
}
