package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"example.com/checker"
)

const usage = `Usage: sweep [-c N] [-t DUR] [-host-rate R] [-retries N] [-o FILE]
             [-format jsonl|csv|text] [-resume] [-only online|offline|unknown]
             [-report FILE.html] [-fail] [FILE]

Check every site listed in FILE, or on standard input, one a line.

  -c N            checks at once (default 100)
  -t DUR          time for one check, as in 10s (default 10s)
  -host-rate R    requests a second on one host (default no limit)
  -retries N      further attempts after a failure that may pass (default 1)
  -o FILE         write results there, and a summary to standard output
  -format F       jsonl, csv or text (default jsonl)
  -resume         keep what the output holds and check the rest
  -only S         write only sites that are online, offline or unknown
  -report FILE    write a page with the same figures as the summary, and plots
  -fail           exit with status 1 if any site is offline
  -h              print this
`

type options struct {
	concurrency int
	timeout     time.Duration
	hostRate    float64
	retries     int
	output      string
	format      format
	resume      bool
	only        checker.Status
	report      string
	fail        bool
	list        string // "" is standard input
}

// parse reads the command line. Flags may also follow FILE.
func parse(args []string) (o options, err error) {
	var formatName, only string
	fs := flag.NewFlagSet("sweep", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.IntVar(&o.concurrency, "c", 100, "")
	fs.DurationVar(&o.timeout, "t", 10*time.Second, "")
	fs.Float64Var(&o.hostRate, "host-rate", 0, "")
	fs.IntVar(&o.retries, "retries", 1, "")
	fs.StringVar(&o.output, "o", "", "")
	fs.StringVar(&formatName, "format", "jsonl", "")
	fs.BoolVar(&o.resume, "resume", false, "")
	fs.StringVar(&only, "only", "", "")
	fs.StringVar(&o.report, "report", "", "")
	fs.BoolVar(&o.fail, "fail", false, "")

	var lists []string
	for rest := args; ; rest = fs.Args()[1:] {
		if err := fs.Parse(rest); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				fmt.Print(usage)
				return o, err
			}
			return o, fmt.Errorf("%w; sweep -h lists the flags", err)
		}
		if fs.NArg() == 0 {
			break
		}
		lists = append(lists, fs.Arg(0))
	}
	o.only, o.format = checker.Status(only), formats[formatName]
	statuses := []checker.Status{"", checker.Online, checker.Offline, checker.Unknown}
	switch {
	case len(lists) > 1:
		return o, fmt.Errorf("one FILE at a time, not %q", lists)
	case o.format.encode == nil:
		return o, fmt.Errorf("-format %q is none of jsonl, csv and text", formatName)
	case !slices.Contains(statuses, o.only):
		return o, fmt.Errorf("-only %q is none of online, offline and unknown", only)
	case o.resume && o.output == "":
		return o, errors.New("-resume needs -o FILE, the output to go on with")
	case o.hostRate < 0:
		return o, fmt.Errorf("-host-rate %v is negative", o.hostRate)
	}
	if len(lists) == 1 {
		o.list = lists[0]
	}
	return o, o.distinct()
}

// distinct reports an error if one file is to be read and written at once.
func (o options) distinct() error {
	list, err := os.Stdin.Stat()
	if o.list != "" {
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

// checker returns the Checker that the options ask for.
func (o options) checker() (*checker.Checker, error) {
	opts := []checker.Option{
		checker.WithConcurrency(o.concurrency),
		checker.WithTimeout(o.timeout),
		checker.WithRetries(o.retries),
	}
	if o.hostRate > 0 {
		// A site without a scheme is asked twice if only https answers, and a
		// token that is slow to come would be waited for within the timeout.
		opts = append(opts, checker.WithHostRateLimit(rate.Limit(o.hostRate), 2))
	}
	return checker.New(opts...)
}
