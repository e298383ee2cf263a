package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"example.com/checker"
	"example.com/checker/examples/cli"
)

// A sweep is one run over a list.
type sweep struct {
	options
	list    *cli.List
	skip    set // lines that need no check
	numbers cli.Numbers
	file    *os.File // where results go
	out     *bufio.Writer
	bar     *bar
	stats   *stats
}

// tick is how often results are handed to the system, so that a kill loses no
// more than that, and how often the bar moves.
const tick = 200 * time.Millisecond

func run(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	c, err := o.checker()
	if err != nil {
		return err
	}
	in, err := open(o.list)
	if err != nil {
		return err
	}
	defer in.Close()
	s := &sweep{options: o, list: cli.NewList(in), stats: newStats(time.Now())}
	if err := s.open(ctx); err != nil {
		return err
	}
	if term.IsTerminal(int(os.Stderr.Fd())) && !term.IsTerminal(int(s.file.Fd())) {
		s.bar = newBar(os.Stderr, sites(in)-s.stats.total)
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

// check checks the list until it or ctx ends, or until nothing can be written.
func (s *sweep) check(ctx context.Context, c *checker.Checker) error {
	ctx, cancel := context.WithCancel(ctx)
	results := c.Stream(ctx, s.numbers.Targets(s.list.Lines(), s.todo))
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
			if err := s.take(r); err != nil {
				return err
			}
		case <-t.C:
			if err := s.out.Flush(); err != nil {
				return err
			}
			s.bar.show(s.stats)
		}
	}
}

// todo reports whether a line is to be checked.
func (s *sweep) todo(line int, _ string) bool { return !s.skip.has(line - 1) }

// take counts and writes a result. A check that ^C stopped is neither: it is
// for -resume.
func (s *sweep) take(r checker.Result) error {
	r.Index = s.numbers.Line(r.Index) - 1
	if r.Reason() == checker.ReasonCanceled {
		return nil
	}
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
	switch offline := s.stats.statuses[checker.Offline]; {
	case ctx.Err() != nil:
		return interruptedError{s.stats.total - s.stats.earlier, s.output != ""}
	case s.list.Err() != nil:
		return fmt.Errorf("the list ends early: %w", s.list.Err())
	case s.fail && offline > 0:
		return offlineError(offline)
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
