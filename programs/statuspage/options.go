package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"time"

	"example.com/checker"
	"example.com/checker/examples/cli"
)

const usage = `statuspage -f FILE [flags]

Watch sites and serve a page that shows live how they are. A line of FILE has a
URL, and if you like a name after it; "## " begins a heading, which the sites below
it are shown under. Blank lines and those that begin with # otherwise are skipped.

It runs until ^C or SIGTERM, and then ends with status 0; 2 is an error.`

type options struct {
	checks cli.Checks
	file   string
	every  time.Duration
	addr   string
	db     string
	hook   string
	title  string
}

// parse reads the command line.
func parse(args []string, stdout io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("statuspage", flag.ContinueOnError)
	o.checks = cli.Checks{
		Status:      cli.StatusRange{Min: 200, Max: 399},
		Redirects:   10, // a page that redirects to an error is of no use to a visitor
		Concurrency: 1000,
	}
	o.checks.Define(flags)
	flags.StringVar(&o.file, "f", "", "the list of sites is in `FILE`; - is standard input")
	flags.DurationVar(&o.every, "every", 30*time.Second, "check each site once in `DUR`; -timeout is cut to nine tenths of that, and to 45 % with -canary")
	flags.StringVar(&o.addr, "addr", "127.0.0.1:8080", "serve the page at `HOST:PORT`")
	flags.StringVar(&o.db, "db", "", "keep the history in `FILE`, an SQLite database")
	flags.StringVar(&o.hook, "webhook", "", "POST a JSON object to `URL` when a site goes offline and when it is back; wants -db, where what is not yet sent is kept")
	flags.StringVar(&o.title, "title", "Status", "`TEXT` above the page")
	others, err := cli.Parse(flags, stdout, usage, args)
	switch {
	case err != nil:
		return o, err
	case len(others) > 0:
		return o, fmt.Errorf("%q is no flag; the list of sites wants -f before it", others[0])
	case o.file == "":
		return o, errors.New("no list of sites: want -f FILE; statuspage -h explains")
	case o.every < time.Second:
		return o, fmt.Errorf("-every %v is too often: 1s is the least", o.every)
	case o.hook != "" && o.db == "":
		return o, errors.New("-webhook wants -db FILE: what is not yet sent is kept there")
	case o.hook != "" && !isWeb(o.hook):
		return o, errors.New("-webhook wants an http or https URL") // which may be a secret, so it is not said
	}
	return o, nil
}

func isWeb(rawURL string) bool {
	u, err := url.Parse(rawURL)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// newChecker returns what the sites are checked with. No site is to wait for
// another that hangs, so there are as many checks at once as sites, up to a
// number for which any machine has descriptors, and each site is a host to itself. A
// Retry-After is not looked at: a neighbour that asks for its origin to be left alone for
// an hour is no reason not to look at it. The schedule is gentle enough.
func newChecker(o options, sites int, more ...checker.Option) (*checker.Checker, error) {
	checks, longest := o.checks, o.every*9/10 // or a site that hangs would still be checked when it is due, and be passed over
	if len(checks.Canaries) > 0 {
		longest /= 2 // since they may take as long again
	}
	checks.Timeout = min(checks.Timeout, longest)
	if checks.Concurrency > sites { // what is less than one is the Checker's to refuse
		checks.Concurrency = sites
	}
	conf := append(checks.Options(), checker.WithHostKey((*url.URL).String), checker.WithRetryAfter(0))
	return checker.New(append(conf, more...)...)
}
