// Command quorum puts together what several places found of the same list.
//
//	sweep -o fra.jsonl sites.txt      # in Frankfurt, and so in New York and San Francisco
//	quorum fra.jsonl nyc.jsonl sfo.jsonl
//
// A file has a result of package checker a line, as sweep and distributed write
// them; its name, or NAME of NAME=FILE, is that of the place. A site that a file
// has twice counts as in the last line of it.
//
// Each place has a vote: Online or Offline. An Unknown abstains, since it tells
// of the place and not of the site, and so does a place that has no line for it.
// The verdict is that of more than half of the votes, if more than half of all
// places gave it, or as many as -min says; else it is Unknown. A line tells of
// each site, with those who dissent and those who abstain.
//
// The exit status is 0 if all is Online, 1 if a site is Offline, 2 if a file
// cannot be read or the lines not be written, and with -fail 3 if a site is
// Unknown and none is Offline.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"example.com/checker"
)

const (
	statusOffline = 1
	statusInput   = 2
	statusUnknown = 3
)

func main() {
	status, err := run(os.Args[1:], os.Stdout, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "quorum:", err)
	}
	os.Exit(status)
}

func run(args []string, stdout, stderr io.Writer) (status int, err error) {
	flags := flag.NewFlagSet("quorum", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the caller says what is wrong
	least := flags.Int("min", 0, "how many `places` must agree; more than half of them if it is 0")
	fail := flags.Bool("fail", false, "exit with status 3 if a site is Unknown")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		flags.SetOutput(stdout)
		fmt.Fprintln(stdout, "Usage: quorum [flags] [NAME=]FILE…\n\nPut together what several places found of the same list.")
		flags.PrintDefaults()
		return 0, nil
	case err != nil:
		return statusInput, err
	case flags.NArg() < 2:
		return statusInput, errors.New("want the files of two places or more; -h tells more")
	case *least < 0 || *least > flags.NArg():
		return statusInput, fmt.Errorf("-min %d is not from 1 to the number of places, %d", *least, flags.NArg())
	case *least == 0:
		*least = flags.NArg()/2 + 1
	}
	p := newPoll()
	for _, arg := range flags.Args() {
		if err := p.readFile(arg); err != nil {
			return statusInput, err
		}
	}
	out := bufio.NewWriter(stdout)
	count, dissent := p.write(out, *least)
	if err := out.Flush(); err != nil {
		return statusInput, err
	}
	fmt.Fprintf(stderr, "quorum: %d online, %d offline, %d unknown; %d with dissent\n",
		count[checker.Online], count[checker.Offline], count[checker.Unknown], dissent)
	switch {
	case count[checker.Offline] > 0:
		return statusOffline, nil
	case *fail && count[checker.Unknown] > 0:
		return statusUnknown, nil
	}
	return 0, nil
}

// readFile adds the votes of a place.
func (p *poll) readFile(arg string) error {
	name, path, named := strings.Cut(arg, "=")
	if !named {
		path = arg
		name = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := p.add(name, f); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
