package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"example.com/checker"
	"example.com/checker/examples/cli"
)

func (c *auditCmd) do(ctx context.Context, a *app) error {
	l, err := c.source.open()
	if err != nil {
		return err
	}
	s := store{c.Out}
	if l.run, err = s.lastRun(l.id); err != nil {
		return err
	}
	if l.run == "" {
		return cli.WithStatus(cli.NotWanted, fmt.Errorf("%s has no results of list %s: is it of this file as it was, and of this -chunk and -partitions?", s.dir, l.id))
	}
	return c.audit(ctx, a, l, s)
}

// lastRun returns the id of the last run of a list that the store has anything of; ""
// if there is none.
func (s store) lastRun(list string) (last string, err error) {
	entries, err := os.ReadDir(filepath.Join(s.dir, "chunks"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	for _, e := range entries { // in ascending order
		if run := e.Name(); len(run) == runWidth && listOf(run) == list {
			last = run
		}
	}
	return last, err
}

// audit proves that each line of a list has one result, and merges the results
// in the order of the list. It returns an error if there is a hole, and with -fail one
// that tells the verdicts.
func (v verdicts) audit(ctx context.Context, a *app, l list, s store) error {
	name := filepath.Join(s.dir, "results-"+l.run+".jsonl")
	t := newTally()
	errHole := errors.New("") // the merge failed, and the tally says why
	err := writeFile(name, func(f *os.File) error {
		w := bufio.NewWriterSize(f, 1<<20)
		if err := merge(ctx, l, s, t, w); err != nil {
			return err
		}
		if !t.whole() {
			return errHole
		}
		return w.Flush()
	})
	if err != nil && !errors.Is(err, errHole) {
		return err
	}
	if err == nil { // before anything is written to a pipe whose reader may be gone
		if err := s.latest(name); err != nil {
			a.logf("%v", err)
		}
	}
	fmt.Fprintf(a.out, "%d lines: %s\n", l.lines, t)
	if !t.first.IsZero() {
		fmt.Fprintf(a.out, "checked from %s to %s, the first %s\n", t.first.UTC().Format(time.DateTime), t.last.UTC().Format(time.DateTime+" UTC"), ago(t.first))
	}
	if err != nil {
		return cli.WithStatus(cli.NotWanted, fmt.Errorf("the audit of %s failed; repair puts back into the queue what is missing", s.dir))
	}
	fmt.Fprintln(a.out, name)
	switch offline, unknown := t.status[string(checker.Offline)], t.status[string(checker.Unknown)]; {
	case v.Fail && offline > 0:
		return cli.WithStatus(cli.NotWanted, fmt.Errorf("%d offline", offline))
	case v.Fail && unknown > 0:
		return cli.WithStatus(cli.Untold, fmt.Errorf("%d unknown", unknown))
	}
	return nil
}

// merge reads the list again, and for each line the next result of its chunk. A
// chunk's results are in the order of the list, so all it holds are the files of
// the chunks that are open: as many as the chunker fills at once.
func merge(ctx context.Context, l list, s store, t *tally, w io.Writer) error {
	open := make(map[string]*reader)
	defer func() {
		for _, r := range open {
			r.close()
		}
	}()
	add := func(ln line, id string) (err error) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r := open[id]
		if r == nil {
			if r, err = s.reader(id); err != nil {
				return err
			}
			open[id] = r
		}
		text, err := r.line(ln.index, t)
		if err == nil && text != nil {
			_, err = w.Write(text)
		}
		return err
	}
	// The line that completes a chunk is added before its result is read.
	var complete []string
	sweep := func() error {
		for _, id := range complete {
			if r := open[id]; r != nil {
				delete(open, id)
				if err := r.finish(t); err != nil {
					return err
				}
			}
		}
		complete = complete[:0]
		return nil
	}
	err := l.walk(
		func(ln line, id string) error { return errors.Join(add(ln, id), sweep()) },
		func(c chunk) error { complete = append(complete, c.id); return nil },
	)
	return errors.Join(err, sweep())
}

// A tally counts what an audit found.
type tally struct {
	results, missing, extra, quarantined int
	status, reason                       map[string]int
	holes                                []int     // the first that are missing
	first, last                          time.Time // when checks began
}

func newTally() *tally { return &tally{status: make(map[string]int), reason: make(map[string]int)} }

func (t *tally) whole() bool { return t.missing == 0 && t.extra == 0 }

func (t *tally) miss(index int) {
	t.missing++
	if len(t.holes) < 10 {
		t.holes = append(t.holes, index)
	}
}

func (t *tally) count(r record) {
	t.results++
	t.status[r.Status]++
	if r.Reason != "" {
		t.reason[r.Reason]++
	}
	if r.Quarantined {
		t.quarantined++
	}
	if r.Start.IsZero() {
		return // nothing was asked
	}
	if t.first.IsZero() || r.Start.Before(t.first) {
		t.first = r.Start
	}
	if r.Start.After(t.last) {
		t.last = r.Start
	}
}

func (t *tally) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d results, %d missing, %d too many", t.results, t.missing, t.extra)
	if len(t.holes) > 0 {
		fmt.Fprintf(&b, "; missing first: %v", t.holes)
	}
	return b.String() + "\n" + t.verdicts()
}

// verdicts says how many there are of each.
func (t *tally) verdicts() string {
	var b strings.Builder
	b.WriteString(counts(t.status))
	if len(t.reason) > 0 {
		b.WriteString(" (" + counts(t.reason) + ")")
	}
	if t.quarantined > 0 {
		fmt.Fprintf(&b, ", of which %d quarantined", t.quarantined)
	}
	return b.String()
}

func counts(m map[string]int) string {
	var s []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		s = append(s, fmt.Sprintf("%d %s", m[k], k))
	}
	return strings.Join(s, ", ")
}
