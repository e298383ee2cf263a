// Command gate waits until sites are up, so that what comes after it in a
// deployment or a CI job finds them so.
//
//	gate -within 2m -status 200-299 https://example.org/health example.net && ./release
//
// It checks each site once a second, whatever the others do, until the status of its
// answer is in the range. On a terminal each site has a line that shows how it is;
// elsewhere a line is written whenever that changes. A site that was up and then fails
// twice in a row is waited for again.
//
// The exit status is 0 when all sites were up, and 1 when some were not in time, with what
// was last found of them on standard error. With -fail it is 3 if there was no verdict on
// any of these. It is 2 for an error, 130 after ^C and 143 after SIGTERM.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/term"

	"example.com/checker"
	"example.com/checker/examples/cli"
	"example.com/checker/watch"
)

const usage = `gate [flags] URL…

Wait until all sites are up.`

type options struct {
	checks cli.Checks
	within time.Duration // for all sites together
	every  time.Duration // from one check of a site to the next
	junit  string        // a file
	github bool
	fail   bool
	urls   []string
}

func main() {
	cli.Main("gate", func(ctx context.Context, args []string) error { return run(ctx, args, os.Stdout) })
}

func parse(ctx context.Context, args []string, stdout io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("gate", flag.ContinueOnError)
	o.checks.Status, o.checks.Timeout = cli.StatusRange{Min: 200, Max: 299}, 5*time.Second
	o.checks.Define(flags, "c") // no site is to wait for another
	list := flags.String("f", "", "wait for the sites that `FILE` lists, one a line, too; - is standard input")
	flags.DurationVar(&o.within, "within", 2*time.Minute, "give up after a `DUR`; nine tenths of it is the longest -timeout")
	flags.DurationVar(&o.every, "every", time.Second, "the `DUR` from one check of a site to the next")
	flags.StringVar(&o.junit, "junit", "", "write a report in JUnit's XML to `FILE`")
	flags.BoolVar(&o.github, "github", os.Getenv("GITHUB_ACTIONS") == "true", "write ::error lines for what is not up; the default in a job of GitHub's")
	flags.BoolVar(&o.fail, "fail", false, "exit with status 3 rather than 1 if nothing is offline, and what is not up is unknown")
	if o.urls, err = cli.Parse(flags, stdout, usage, args); err != nil {
		return o, err
	}
	var sites []cli.Site
	if *list != "" {
		sites, err = cli.ReadSites(ctx, *list)
	}
	for _, s := range sites {
		o.urls = append(o.urls, s.Target)
	}
	return o, cmp.Or(err, o.validate())
}

func (o *options) validate() error {
	switch {
	case len(o.urls) == 0:
		return errors.New("no URLs to wait for; gate -h explains")
	case o.within <= 0:
		return fmt.Errorf("-within %v is not positive", o.within)
	case o.every <= 0:
		return fmt.Errorf("-every %v is not positive", o.every)
	}
	for _, url := range o.urls {
		if _, err := checker.Host(url); err != nil {
			return fmt.Errorf("%s: %w", checker.Redact(url), err)
		}
	}
	return nil
}

// checker returns a Checker in which no check waits for another one, of the same host or
// not, and none for the end of a Retry-After: to be asked again is what every site is here
// for. Even the first check comes to a verdict.
func (o *options) checker(more []checker.Option) (*checker.Checker, error) {
	o.checks.Concurrency = len(o.urls)
	o.checks.Timeout = min(o.checks.Timeout, o.within*9/10)
	opts := append(o.checks.Options(), checker.WithHostConcurrency(len(o.urls)), checker.WithRetryAfter(0), checker.WithRetries(0))
	return checker.New(append(opts, more...)...)
}

// run waits for the sites, shows on stdout how they are, and returns nil once all are up.
func run(ctx context.Context, args []string, stdout io.Writer, more ...checker.Option) error {
	o, err := parse(ctx, args, stdout)
	if err != nil {
		return err
	}
	c, err := o.checker(more)
	if err != nil {
		return err
	}
	report, err := cli.NewReport("gate", o.junit, o.github)
	if err != nil {
		return err
	}
	out := &cli.Writer{W: stdout}
	b := newBoard(out, o.urls)
	err = b.await(ctx, c, &o)
	report.Took, report.Cases = time.Since(b.start), b.cases()
	if err != nil {
		n, lines := report.Missing()
		if b.live {
			lines = "" // they are on the screen
		}
		status := cli.NotWanted
		if o.fail && !slices.ContainsFunc(report.Cases, func(c cli.Case) bool { return c.Failure != "" }) {
			status = cli.Untold
		}
		err = cli.WithStatus(status, fmt.Errorf("%w after %v: %d of %d not up%s", err, b.elapsed(), n, len(o.urls), lines))
	}
	errReport := report.Write(out)
	if failed := cmp.Or(out.Err(), errReport); failed != nil {
		return cli.WithStatus(cli.Misused, errors.Join(err, failed))
	}
	return err
}

// A board knows how each site is and shows it: on a terminal by a line per site
// that is kept up to date, elsewhere by a line per change. It is safe for
// concurrent use.
type board struct {
	start time.Time
	out   *cli.Writer
	live  bool // out is a terminal with a row for each site

	mu    sync.Mutex
	sites []site
}

// A site is how one of the sites is. Its state is "" before the first verdict.
type site struct {
	name, state string
	took        time.Duration // until it was up
	tracker     watch.Tracker
}

func (s *site) up() bool { return s.tracker.State().Status == checker.Online }

// newBoard returns a board on which no site has a verdict.
func newBoard(out *cli.Writer, urls []string) *board {
	b := &board{start: time.Now(), out: out}
	for _, url := range urls {
		b.sites = append(b.sites, site{name: checker.Redact(url)})
	}
	if f, ok := out.W.(*os.File); ok {
		_, height, err := term.GetSize(int(f.Fd()))
		b.live = err == nil && len(urls) < height
	}
	return b
}

// await returns nil once all sites are up, and why it waits no longer if they are not.
func (b *board) await(ctx context.Context, c *checker.Checker, o *options) error {
	ctx, cancel := context.WithTimeoutCause(ctx, o.within, errors.New("gave up"))
	defer cancel()
	wait := func() error {
		for r := range watch.Run(ctx, c, o.every, o.urls) {
			if r.Reason() != checker.ReasonCanceled && b.set(r) { // that one says less than the verdict before
				return nil
			}
		}
		return context.Cause(ctx)
	}
	if !b.live {
		return wait()
	}
	var screen cli.Screen
	return screen.While(b.out, wait, b.lines)
}

// set takes in a verdict on a site, and reports whether all sites are up now, or nobody is
// told any more.
func (b *board) set(r checker.Result) (done bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := &b.sites[r.Index]
	before := s.state
	_, changed := s.tracker.Add(r)
	if e, ok := errors.AsType[*checker.Error](r.Err); ok && !s.up() {
		s.state = string(e.Reason) + ": " + e.Message()
	} else if changed {
		s.took, s.state = time.Since(b.start), fmt.Sprintf("up after %v (%d)", b.elapsed(), r.StatusCode)
	}
	if !b.live && s.state != before {
		fmt.Fprintf(b.out, "%s: %s\n", s.name, s.state)
		if b.out.Err() != nil {
			return true
		}
	}
	return !slices.ContainsFunc(b.sites, func(s site) bool { return !s.up() })
}

func (b *board) elapsed() time.Duration {
	return time.Since(b.start).Round(100 * time.Millisecond)
}

// cases returns how the sites are, for a report.
func (b *board) cases() (all []cli.Case) {
	for _, s := range b.sites {
		c := cli.Case{Name: s.name, Took: cmp.Or(s.took, time.Since(b.start))}
		switch {
		case s.up():
		case s.tracker.State().Last == checker.Offline:
			c.Failure = s.state
		default:
			c.Error = cmp.Or(s.state, "no verdict yet")
		}
		all = append(all, c)
	}
	return all
}

// lines shows the sites, with a mark before those that are not up.
func (b *board) lines(mark string) (lines []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.sites {
		if s.up() {
			lines = append(lines, "✓ "+s.name+"  "+s.state)
		} else {
			lines = append(lines, fmt.Sprintf("%s %s  %v  %s", mark, s.name, b.elapsed(), s.state))
		}
	}
	return lines
}
