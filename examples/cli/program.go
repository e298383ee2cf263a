package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"example.com/checker"
)

// The exit statuses, the same for all programs. One that a signal ended has 128 and
// the signal's number, as a shell reports it: 130 after ^C.
const (
	Done      = 0 // done, and as wanted
	NotWanted = 1 // something is Offline, or not as wanted
	Misused   = 2 // wrong usage, input that cannot be read, output that cannot be written
	Untold    = 3 // something is Unknown, where the caller asked for that to count
)

// Main runs a program until it ends, or is told to by ^C or SIGTERM, and ends the
// process with the status of the error that run returns. The error goes to standard
// error, after the program's name. A second ^C ends the process at once.
func Main(name string, run func(ctx context.Context, args []string) error) {
	err := run(untilSignal(context.Background()), os.Args[1:])
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
	}
	os.Exit(Status(err))
}

// Status returns the exit status for an error.
func Status(err error) int {
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return Done
	}
	if e, ok := errors.AsType[signalError](err); ok {
		return 128 + int(e.Signal)
	}
	if e, ok := errors.AsType[statusError](err); ok {
		return e.status
	}
	return Misused
}

// A statusError is an error that has a status of its own.
type statusError struct {
	error
	status int
}

func (e statusError) Unwrap() error { return e.error }

// WithStatus returns err as one that ends a program with a status, and nil for nil.
func WithStatus(status int, err error) error {
	if err == nil {
		return nil
	}
	return statusError{err, status}
}

// A signalError is why a context of Main has ended.
type signalError struct{ syscall.Signal }

func (e signalError) Error() string {
	if e.Signal == syscall.SIGTERM {
		return "terminated"
	}
	return "interrupted"
}

// untilSignal returns a context that ends with the first signal to end, which is its
// cause. Nothing stands between the second one and the process.
func untilSignal(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() { // ends with the process at the latest
		s := <-signals
		signal.Stop(signals)
		n, _ := s.(syscall.Signal)
		cancel(signalError{n})
	}()
	return ctx
}

// Until returns what f does, or why ctx has ended if that is sooner. f is left behind then,
// to end with the process: it is for what cannot be told to end, such as a read from a
// terminal.
func Until(ctx context.Context, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Parse reads flags, which may stand before, between and after other arguments, and
// returns those; after "--" nothing is a flag. For -h it writes usage and the flags to
// out and returns [flag.ErrHelp], or why it could not.
func Parse(flags *flag.FlagSet, out io.Writer, usage string, args []string) (others []string, err error) {
	flags.SetOutput(io.Discard) // errors are returned, and said once
	for rest := args; ; rest = flags.Args()[1:] {
		switch err := flags.Parse(rest); {
		case errors.Is(err, flag.ErrHelp):
			return nil, help(flags, out, usage)
		case err != nil:
			return nil, fmt.Errorf("%w; %s -h lists the flags", err, flags.Name())
		}
		n := len(rest) - flags.NArg()
		if flags.NArg() == 0 || n > 0 && rest[n-1] == "--" {
			return append(others, flags.Args()...), nil
		}
		others = append(others, flags.Arg(0))
	}
}

func help(flags *flag.FlagSet, out io.Writer, usage string) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "Usage: %s\n\n", usage)
	flags.SetOutput(&b)
	flags.PrintDefaults()
	if _, err := out.Write(b.Bytes()); err != nil {
		return err
	}
	return flag.ErrHelp
}

// A Tally counts verdicts, for an exit status that tells them. The zero Tally has
// none. It may be used by one goroutine at a time.
type Tally struct{ offline, unknown int }

// Add counts the verdict of r.
func (t *Tally) Add(r checker.Result) {
	switch r.Status() {
	case checker.Offline:
		t.offline++
	case checker.Unknown:
		t.unknown++
	}
}

// Err returns an error with the status [NotWanted] if any site is Offline, else one
// with [Untold] if any is Unknown, and else nil.
func (t *Tally) Err() error {
	switch {
	case t.offline > 0:
		return WithStatus(NotWanted, errors.New(sites(t.offline)+" offline"))
	case t.unknown > 0:
		return WithStatus(Untold, errors.New(sites(t.unknown)+" unknown: there is no verdict"))
	}
	return nil
}

func sites(n int) string {
	if n == 1 {
		return "1 site is"
	}
	return fmt.Sprintf("%d sites are", n)
}

// A Writer writes to W and keeps the first error, for writers that look at none. It may
// be used by one goroutine at a time.
type Writer struct {
	W   io.Writer
	err error
}

func (w *Writer) Write(p []byte) (int, error) {
	n, err := w.W.Write(p)
	w.err = cmp.Or(w.err, err)
	return n, err
}

// Err returns the first error of a Write.
func (w *Writer) Err() error { return w.err }
