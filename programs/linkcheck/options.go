package main

import (
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"golang.org/x/time/rate"

	"example.com/checker"
	"example.com/checker/examples/cli"
)

const usage = `linkcheck [flags] [PATH…]

Check the http and https links of Markdown and HTML files. A PATH is a file, or a
folder, of which the files that end in .md, .markdown, .html, .htm and .xhtml count.

The exit status is 1 if a link is dead for certain, 2 for an error, and 0 otherwise;
with -fail it is 3 if no link is dead but one is unknown, doubtful, or leads to a
place that its page does not have.`

type options struct {
	checks   cli.Checks
	hostRate float64
	retries  int
	again    int
	public   bool

	paths    []string
	files    string // a list of paths
	exclude  []string
	reserved bool

	format        string
	output        string
	force         bool
	baseline      string
	writeBaseline string
	fail          bool
}

func parse(args []string, stdout io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("linkcheck", flag.ContinueOnError)
	o.checks.Redirects, o.checks.Status = 10, cli.StatusRange{Min: 200, Max: 299}
	o.checks.Define(flags)
	flags.Float64Var(&o.hostRate, "host-rate", 0, "`N` requests a second on one host; 0 for no limit")
	flags.IntVar(&o.retries, "retries", 1, "`N` further attempts after a failure that may pass")
	flags.IntVar(&o.again, "again", 1, "at the end, ask what is not online up to `N` times more")
	flags.BoolVar(&o.public, "public", false, "refuse addresses that are not public, for files from strangers")
	flags.StringVar(&o.files, "files", "", "read paths from `FILE`, one a line; - is standard input")
	flags.Func("exclude", "leave out links that begin with `TEXT`; repeatable", func(text string) error {
		o.exclude = append(o.exclude, text)
		return nil
	})
	flags.BoolVar(&o.reserved, "reserved", false, "check names for documentation too, such as example.org (RFC 2606)")
	flags.StringVar(&o.format, "format", "text", "`F` is text, jsonl, sarif or junit")
	flags.StringVar(&o.output, "o", "", "write to `FILE`, and text to standard output")
	flags.BoolVar(&o.force, "force", false, "write over an output or a baseline that is there")
	flags.StringVar(&o.baseline, "baseline", "", "do not fail for the dead links in `FILE`: a URL a line, and the one path that it is known in, if any")
	flags.StringVar(&o.writeBaseline, "write-baseline", "", "write the dead links to `FILE`, for -baseline, and do not fail for them")
	flags.BoolVar(&o.fail, "fail", false, "exit with status 3 if a link is unknown, doubtful, or its place missing")
	if o.paths, err = cli.Parse(flags, stdout, usage, args); err != nil {
		return o, err
	}
	switch _, known := formats[o.format]; {
	case len(o.paths) == 0 && o.files == "":
		return o, fmt.Errorf("no PATH to look for links in; linkcheck -h explains")
	case !known:
		return o, fmt.Errorf("-format %q is none of %s", o.format, strings.Join(slices.Sorted(maps.Keys(formats)), ", "))
	case o.hostRate < 0:
		return o, fmt.Errorf("-host-rate %v is negative", o.hostRate)
	case o.again < 0:
		return o, fmt.Errorf("-again %d is negative", o.again)
	}
	return o, o.spared()
}

// spared reports an error if what is to be written is there and has something in it. A
// baseline that was read as well is there to be made anew.
func (o *options) spared() error {
	for _, name := range []string{o.output, o.writeBaseline} {
		info, err := os.Stat(name)
		if err == nil && info.Mode().IsRegular() && info.Size() > 0 && !o.force && name != o.baseline {
			return fmt.Errorf("%s is there already; -force writes over it", name)
		}
	}
	return nil
}

// checker returns a Checker that judges as judge does.
func (o *options) checker(judge judge) (*checker.Checker, error) {
	opts := append(o.checks.Options(),
		checker.WithRetries(o.retries),
		checker.WithJudge(judge),
	)
	if o.hostRate > 0 {
		opts = append(opts, checker.WithHostRateLimit(rate.Limit(o.hostRate), 2))
	}
	if o.public {
		opts = append(opts, checker.WithAddrPolicy(checker.PublicOnly))
	}
	return checker.New(opts...)
}
