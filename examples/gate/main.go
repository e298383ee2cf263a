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
// -junit writes a report for CI systems. In a job of GitHub's, what is not up is an error.
//
// The exit status is 0 when all sites were up, 1 when some were not in time or
// the program was interrupted, with what was last found of them on standard error, and 2
// when it was called wrongly.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/term"

	"example.com/checker"
	"example.com/checker/examples/cli"
	"example.com/checker/watch"
)

// options are the flags.
type options struct {
	within    time.Duration   // for all sites together
	every     time.Duration   // from one check of a site to the next
	timeout   time.Duration   // of a check
	status    cli.StatusRange // of a site that is up
	redirects int
	header    cli.Fields
	junit     string // a file
	github    bool
}

// errUsage is wrapped by errors about how the program was called.
var errUsage = errors.New("wrong usage")

func main() {
	var opts options
	flag.DurationVar(&opts.within, "within", 2*time.Minute, "give up after this `time`")
	flag.DurationVar(&opts.every, "every", time.Second, "the `time` from one check of a site to the next")
	flag.DurationVar(&opts.timeout, "timeout", 5*time.Second, "the `time` that a check may take, no longer than nine tenths of -within")
	flag.TextVar(&opts.status, "status", cli.StatusRange{Min: 200, Max: 299}, "the `codes` of a site that is up, as MIN-MAX or one")
	flag.IntVar(&opts.redirects, "redirects", 0, "how many redirects to follow")
	flag.Var(&opts.header, "header", "send this `field`, as \"Key: value\", to the sites, but not to others that they redirect to; repeatable")
	flag.StringVar(&opts.junit, "junit", "", "write a report in JUnit's XML to this `file`")
	flag.BoolVar(&opts.github, "github", os.Getenv("GITHUB_ACTIONS") == "true", "write ::error lines for what is not up; the default in a job of GitHub's")
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "Usage: gate [flags] URL…\n\nWait until all sites are up.\n\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := run(ctx, os.Stdout, opts, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "gate:", err)
		if errors.Is(err, errUsage) {
			os.Exit(2)
		}
		os.Exit(1)
	}
}

func (o *options) validate(urls []string) error {
	late := slices.IndexFunc(urls, func(url string) bool { return strings.HasPrefix(url, "-") })
	switch {
	case len(urls) == 0:
		return fmt.Errorf("%w: no URLs to wait for; see gate -h", errUsage)
	case late >= 0:
		return fmt.Errorf("%w: %s: flags come before the URLs", errUsage, urls[late])
	case o.within <= 0:
		return fmt.Errorf("%w: -within %v is not positive", errUsage, o.within)
	case o.every <= 0:
		return fmt.Errorf("%w: -every %v is not positive", errUsage, o.every)
	}
	for _, url := range urls {
		if _, err := checker.Host(url); err != nil {
			return fmt.Errorf("%w: %s: %v", errUsage, checker.Redact(url), err)
		}
	}
	return nil
}

// checks returns how the sites are checked. Each check is for itself: no other one of its
// host makes it wait, and none has it wait by a Retry-After. To be asked again is what
// every site is here for.
func (o *options) checks(sites int) []checker.Option {
	var n atomic.Uint64
	all := []checker.Option{
		checker.WithJudge(checker.StatusIn(o.status.Min, o.status.Max)),
		checker.WithTimeout(min(o.timeout, o.within*9/10)), // so that even the first one comes to a verdict
		checker.WithRedirects(o.redirects),
		checker.WithRetries(0),
		checker.WithConcurrency(sites),
		checker.WithHostKey(func(*url.URL) string { return strconv.FormatUint(n.Add(1), 36) }),
		checker.WithRetryAfter(0),
	}
	for _, f := range o.header {
		all = append(all, checker.WithHeader(f.Key, f.Value))
	}
	return all
}

// run waits for the sites, shows on out how they are, and returns nil once all are up.
func run(ctx context.Context, out io.Writer, opts options, urls []string, more ...checker.Option) error {
	if err := opts.validate(urls); err != nil {
		return err
	}
	c, err := checker.New(append(opts.checks(len(urls)), more...)...)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	report, err := cli.NewReport("gate", opts.junit, opts.github)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, opts.within, errors.New("gave up"))
	defer cancel()
	b := newBoard(out, urls)
	wait := func() error {
		for r := range watch.Run(ctx, c, opts.every, urls) {
			if r.Reason() != checker.ReasonCanceled && b.set(r) { // that one says less than the verdict before
				return nil
			}
		}
		return context.Cause(ctx)
	}
	if b.live {
		var screen cli.Screen
		err = screen.While(out, wait, b.lines)
	} else {
		err = wait()
	}
	report.Took, report.Cases = time.Since(b.start), b.cases()
	if err != nil {
		n, lines := report.Missing()
		if b.live {
			lines = "" // they are on the screen
		}
		err = fmt.Errorf("%w after %v: %d of %d not up%s", err, b.elapsed(), n, len(urls), lines)
	}
	return errors.Join(err, report.Write(out))
}

// A board knows how each site is and shows it: on a terminal by a line per site
// that is kept up to date, elsewhere by a line per change. It is safe for
// concurrent use.
type board struct {
	start time.Time
	out   io.Writer
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
func newBoard(out io.Writer, urls []string) *board {
	b := &board{start: time.Now(), out: out}
	for _, url := range urls {
		b.sites = append(b.sites, site{name: checker.Redact(url)})
	}
	if f, ok := out.(*os.File); ok {
		_, height, err := term.GetSize(int(f.Fd()))
		b.live = err == nil && len(urls) < height
	}
	return b
}

// set takes in a verdict on a site and reports whether all sites are up now.
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
