package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"

	"golang.org/x/time/rate"

	"example.com/checker"
	"example.com/checker/examples/cli"
)

const usage = `sweep [flags] [FILE]

Check every site listed in FILE, or on standard input. A line has a URL, and if
you like a name after it; blank lines and those that begin with # are skipped.`

type options struct {
	checks   cli.Checks
	hostRate float64
	retries  int
	output   string
	format   format
	resume   bool
	force    bool
	again    int
	only     checker.Status
	report   string
	fail     bool
	list     string // "" is standard input
}

// parse reads the command line.
func parse(args []string, stdout io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("sweep", flag.ContinueOnError)
	o.checks.Redirects = 10 // or nothing would be known of what has moved
	o.checks.Define(flags)
	flags.Float64Var(&o.hostRate, "host-rate", 0, "`N` requests a second on one host; 0 for no limit")
	flags.IntVar(&o.retries, "retries", 1, "`N` further attempts after a failure that may pass")
	flags.StringVar(&o.output, "o", "", "write results to `FILE`, and a summary to standard output")
	formatName := flags.String("format", "jsonl", "`F` is jsonl, csv or text")
	flags.BoolVar(&o.resume, "resume", false, "keep what the output holds and check the rest")
	flags.BoolVar(&o.force, "force", false, "write over an output and a report that are there")
	flags.IntVar(&o.again, "again", 0, "at the end, ask what is not online up to `N` times more")
	only := flags.String("only", "", "write only sites that are `S`: online, offline or unknown")
	flags.StringVar(&o.report, "report", "", "write `FILE`, a page with the same figures as the summary, and plots")
	flags.BoolVar(&o.fail, "fail", false, "exit with status 1 if any site is offline, or else 3 if any is unknown")
	lists, err := cli.Parse(flags, stdout, usage, args)
	if err != nil {
		return o, err
	}
	o.only, o.format = checker.Status(*only), formats[*formatName]
	statuses := []checker.Status{"", checker.Online, checker.Offline, checker.Unknown}
	switch {
	case len(lists) > 1:
		return o, fmt.Errorf("one FILE at a time, not %q", lists)
	case o.format.encode == nil:
		return o, fmt.Errorf("-format %q is none of jsonl, csv and text", *formatName)
	case !slices.Contains(statuses, o.only):
		return o, fmt.Errorf("-only %q is none of online, offline and unknown", *only)
	case o.resume && o.output == "":
		return o, errors.New("-resume needs -o FILE, the output to go on with")
	case o.resume && o.force:
		return o, errors.New("-resume keeps the output and -force writes over it: one of them")
	case o.hostRate < 0:
		return o, fmt.Errorf("-host-rate %v is negative", o.hostRate)
	case o.again < 0:
		return o, fmt.Errorf("-again %d is negative", o.again)
	}
	if len(lists) == 1 {
		o.list = lists[0]
	}
	return o, errors.Join(o.distinct(), o.spared())
}

// distinct reports an error if one file is to be read and written at once.
func (o options) distinct() error {
	list, err := os.Stdin.Stat()
	if o.list != "" && o.list != "-" {
		list, err = os.Stat(o.list)
	}
	for _, written := range []string{o.output, o.report} {
		info, errWritten := os.Stat(written)
		if err == nil && errWritten == nil && info.Mode().IsRegular() && os.SameFile(list, info) {
			return fmt.Errorf("%s is the list; it would be written over", written)
		}
	}
	if o.output != "" && o.output == o.report {
		return fmt.Errorf("%s cannot be both the output and the report", o.output)
	}
	return nil
}

// spared reports an error if what an earlier run found would be written over. A file
// with nothing in it, as mktemp makes it, is no loss.
func (o options) spared() error {
	if o.resume || o.force {
		return nil
	}
	for _, name := range []string{o.output, o.report} {
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
			return fmt.Errorf("%s is there already; -resume goes on with it, -force writes over it", name)
		}
	}
	return nil
}

// checker returns the Checker that the options ask for.
func (o options) checker() (*checker.Checker, error) {
	opts := append(o.checks.Options(), checker.WithRetries(o.retries))
	if o.hostRate > 0 {
		// A site without a scheme is asked twice if only https answers, and a
		// token that is slow to come would be waited for within the timeout.
		opts = append(opts, checker.WithHostRateLimit(rate.Limit(o.hostRate), 2))
	}
	return checker.New(opts...)
}
