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
// cannot be read or the lines not be written, with -fail 3 if a site is Unknown and
// none is Offline, 130 after ^C and 143 after SIGTERM.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"example.com/checker"
	"example.com/checker/examples/cli"
)

const usage = `quorum [flags] [NAME=]FILE…

Put together what several places found of the same list.`

func main() {
	cli.Main("quorum", func(ctx context.Context, args []string) error {
		return cli.Until(ctx, func() error { return run(args, os.Stdout, os.Stderr) })
	})
}

func run(args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("quorum", flag.ContinueOnError)
	least := flags.Int("min", 0, "as many as `N` places must agree; more than half of them if it is 0")
	fail := flags.Bool("fail", false, "exit with status 3 if a site is Unknown and none is Offline")
	files, err := cli.Parse(flags, stdout, usage, args)
	switch {
	case err != nil:
		return err
	case len(files) < 2:
		return errors.New("want the files of two places or more; quorum -h explains")
	case *least < 0 || *least > len(files):
		return fmt.Errorf("-min %d is not from 1 to the number of places, %d", *least, len(files))
	case *least == 0:
		*least = len(files)/2 + 1
	}
	p := newPoll()
	for _, arg := range files {
		if err := p.readFile(arg); err != nil {
			return err
		}
	}
	out := bufio.NewWriter(stdout)
	count, dissent := p.write(out, *least)
	if err := out.Flush(); err != nil {
		return err
	}
	summary := fmt.Errorf("%d online, %d offline, %d unknown; %d with dissent",
		count[checker.Online], count[checker.Offline], count[checker.Unknown], dissent)
	switch {
	case count[checker.Offline] > 0:
		return cli.WithStatus(cli.NotWanted, summary)
	case *fail && count[checker.Unknown] > 0:
		return cli.WithStatus(cli.Untold, summary)
	}
	fmt.Fprintln(stderr, "quorum:", summary)
	return nil
}

// readFile adds the votes of a place.
func (p *poll) readFile(arg string) error {
	name, path, named := strings.Cut(arg, "=")
	if !named {
		path = arg
		name = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	}
	f, err := cli.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := p.add(name, f); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
