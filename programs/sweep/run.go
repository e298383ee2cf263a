package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"slices"
	"time"

	"golang.org/x/term"

	"example.com/checker"
	"example.com/checker/examples/cli"
)

// A sweep is one run over a list.
type sweep struct {
	options
	list  *cli.List
	skip  set                    // lines that need no check
	held  map[int]checker.Result // by index: what -again is to ask
	file  *os.File               // where results go
	out   *bufio.Writer
	bar   *bar
	stats *stats
}

// tick is how often results are handed to the system, so that a kill loses no
// more than that, and how often the bar moves.
const tick = 200 * time.Millisecond

func run(ctx context.Context, args []string, stdout io.Writer) error {
	o, err := parse(args, stdout)
	if err != nil {
		return err
	}
	c, err := o.checker()
	if err != nil {
		return err
	}
	in, err := cli.Open(o.list)
	if err != nil {
		return err
	}
	defer in.Close()
	total := -1
	if term.IsTerminal(int(os.Stderr.Fd())) {
		total = sites(in) // for a bar
	}
	s := &sweep{options: o, list: cli.NewList(in), held: make(map[int]checker.Result), stats: newStats(time.Now())}
	if err := cli.Until(ctx, s.list.Begin); err != nil && !(o.resume && s.list.Err() == nil) { // a run may be resumed for its report alone
		return fmt.Errorf("%s: %w", o.listName(), err)
	}
	if err := s.open(ctx); err != nil {
		return err
	}
	if term.IsTerminal(int(os.Stderr.Fd())) && !term.IsTerminal(int(s.file.Fd())) {
		s.bar = newBar(os.Stderr, total-s.stats.total)
	}
	err = s.check(ctx, c)
	s.bar.clear()
	if err := s.close(err); err != nil {
		return err
	}
	return s.conclude(ctx)
}

// open opens what is to be written, so that what cannot be is known before the
// first check, and reads what there is with -resume.
func (s *sweep) open(ctx context.Context) (err error) {
	if s.report != "" {
		f, err := os.OpenFile(s.report, os.O_WRONLY|os.O_CREATE, 0o666)
		if err != nil {
			return err
		}
		f.Close()
	}
	mode := os.O_RDWR | os.O_CREATE
	switch {
	case s.output == "":
		s.file = os.Stdout
	case s.resume:
		if s.file, err = os.OpenFile(s.output, mode, 0o666); err == nil {
			err = s.recall(ctx, s.file, &s.skip, s.stats.add)
		}
		s.stats.earlier = s.stats.total
	default:
		s.file, err = os.OpenFile(s.output, mode|os.O_TRUNC, 0o666)
	}
	if err != nil {
		return err
	}
	s.out = bufio.NewWriterSize(s.file, 64<<10)
	if end, err := s.file.Seek(0, io.SeekCurrent); s.output == "" || err == nil && end == 0 {
		s.out.WriteString(s.format.header)
	}
	return nil
}

// check checks the list, and what is to be asked again, until ctx ends, or until
// nothing can be written.
func (s *sweep) check(ctx context.Context, c *checker.Checker) error {
	err := s.pass(ctx, c, s.list.Sites())
	for n := 0; n < s.again && err == nil && len(s.held) > 0 && ctx.Err() == nil; n++ {
		err = s.pass(ctx, c, s.missed())
	}
	if err != nil {
		return err
	}
	for _, i := range slices.Sorted(maps.Keys(s.held)) {
		if err := s.write(s.held[i]); err != nil {
			return err
		}
	}
	return nil
}

// missed returns the sites that were not online, in the order of the list.
func (s *sweep) missed() iter.Seq[cli.Site] {
	indexes := slices.Sorted(maps.Keys(s.held))
	targets := make(map[int]string)
	for i, r := range s.held {
		targets[i] = r.Target // what is held changes meanwhile, and a Stream pulls in a goroutine of its own
	}
	return func(yield func(cli.Site) bool) {
		for _, i := range indexes {
			if !yield(cli.Site{Line: i + 1, Target: targets[i]}) {
				return
			}
		}
	}
}

// pass checks sites once.
func (s *sweep) pass(ctx context.Context, c *checker.Checker, sites iter.Seq[cli.Site]) error {
	ctx, cancel := context.WithCancel(ctx)
	var numbers cli.Numbers
	results := c.Stream(ctx, numbers.Targets(sites, s.todo))
	defer func() {
		cancel()
		for range results { // let the Stream end
		}
	}()
	t := time.NewTicker(tick)
	defer t.Stop()
	for {
		select {
		case r, ok := <-results:
			if !ok {
				return nil
			}
			r.Index = numbers.Line(r.Index) - 1
			if err := s.take(r); err != nil {
				return err
			}
		case <-t.C:
			if err := s.out.Flush(); err != nil {
				return err
			}
			s.bar.show(s.stats, len(s.held))
		}
	}
}

// todo reports whether a site is to be checked.
func (s *sweep) todo(site cli.Site) bool { return !s.skip.has(site.Line - 1) }

// take writes a result, or holds it if it is to be asked again. A check that ^C stopped
// is neither: it is for -resume.
func (s *sweep) take(r checker.Result) error {
	if r.Reason() == checker.ReasonCanceled {
		return nil
	}
	if s.again == 0 || r.Online() {
		delete(s.held, r.Index)
		return s.write(r)
	}
	if before, ok := s.held[r.Index]; !ok || r.Status() == checker.Offline || before.Status() == checker.Unknown {
		s.held[r.Index] = r
	}
	return nil
}

// write counts and writes a result.
func (s *sweep) write(r checker.Result) error {
	s.stats.add(r)
	if s.only != "" && s.only != r.Status() {
		return nil
	}
	line, err := s.format.encode(r)
	if err != nil {
		return err
	}
	_, err = s.out.Write(append(line, '\n'))
	return err
}

// close writes what is still to be written; err is why there will be no more.
func (s *sweep) close(err error) error {
	if err == nil {
		err = s.out.Flush()
	}
	if s.output != "" {
		if errClose := s.file.Close(); err == nil {
			err = errClose
		}
	}
	return err
}

// conclude says what was found and returns what the exit status is to tell.
func (s *sweep) conclude(ctx context.Context) error {
	s.stats.took = time.Since(s.stats.start)
	if s.report != "" {
		if err := s.writeReport(ctx.Err() != nil); err != nil {
			return err
		}
	}
	if _, err := io.WriteString(s.reader(), s.stats.summary()); err != nil {
		return err
	}
	if text := s.stats.warning(); text != "" {
		fmt.Fprintln(os.Stderr, "sweep: warning:", text)
	}
	switch offline, unknown := s.stats.statuses[checker.Offline], s.stats.statuses[checker.Unknown]; {
	case ctx.Err() != nil:
		return interrupted(ctx, s.stats.total-s.stats.earlier, s.output != "")
	case s.list.Err() != nil:
		return fmt.Errorf("the list ends early: %w", s.list.Err())
	case s.fail && offline > 0:
		return cli.WithStatus(cli.NotWanted, fmt.Errorf("%s offline", count(offline, "site is", "sites are")))
	case s.fail && unknown > 0:
		return cli.WithStatus(cli.Untold, fmt.Errorf("%s unknown: there is no verdict", count(unknown, "site is", "sites are")))
	}
	return nil
}

// reader returns where a summary meets a reader and does not end up among the
// results or the errors of a script.
func (s *sweep) reader() io.Writer {
	switch {
	case s.output != "":
		return os.Stdout
	case term.IsTerminal(int(os.Stderr.Fd())):
		return os.Stderr
	}
	return io.Discard
}
