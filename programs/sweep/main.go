// Command sweep checks every site of a list, of any length, and says what it
// found.
//
//	sweep -o found.jsonl -report found.html sites.txt
//	sweep -o found.jsonl -resume sites.txt      # after ^C, a crash or a kill
//	sweep -format text -only offline < sites.txt
//
// The list has a site a line; blank lines and lines that begin with # are skipped.
// A line of the output is written as its check ends; its index is the number of
// the site's line in the list, from 0. A summary goes to standard output if the
// results go to a file, and otherwise to standard error if that is a terminal,
// which also gets a progress bar. A script finds nothing but errors there.
//
// -resume checks the lines whose index the output does not hold, and counts what
// it holds; with -only, that is fewer than were checked. The list must be the
// same. Of certificates the format text knows nothing.
//
// Memory does not grow with the list: what a run keeps is a bit for each line
// that -resume skips, counters, a histogram and the few slowest hosts.
//
// The exit status is 0 even if sites are down. It is 1 with -fail if any is
// offline, 2 for an error, and 130 after ^C.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // so that a second ^C does not wait for the first
	err := run(ctx, os.Args[1:])
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "sweep:", err)
	}
	os.Exit(exitStatus(err))
}

func exitStatus(err error) int {
	_, offline := errors.AsType[offlineError](err)
	_, interrupted := errors.AsType[interruptedError](err)
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return 0
	case interrupted:
		return 130 // as a shell reports a program that ^C ended
	case offline:
		return 1
	}
	return 2
}

// An offlineError is the number of offline sites that -fail does not let pass.
type offlineError int

func (n offlineError) Error() string { return count(int(n), "site is", "sites are") + " offline" }

// An interruptedError is what had been done when a signal came.
type interruptedError struct {
	done   int
	resume bool // whether -resume can go on from there
}

func (e interruptedError) Error() string {
	text := "interrupted after " + count(e.done, "site", "sites")
	if e.resume {
		text += "; -resume goes on from there"
	}
	return text
}
