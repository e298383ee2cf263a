// Command gate waits until sites are up, so that what comes after it in a
// deployment or a CI job finds them so.
//
//	gate -timeout 2m -status 200-299 https://example.org/health example.net && ./release
//
// It checks each site once a second until the status of its answer is in the
// range. On a terminal each site has a line that shows how it is; elsewhere a
// line is written whenever that changes.
//
// The exit status is 0 when all sites were up, 1 when some were not in time or
// the program was interrupted, with the reasons on standard error, and 2 when it
// was called wrongly.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/term"

	"example.com/checker"
	"example.com/checker/examples/cli"
)

// options are the flags.
type options struct {
	timeout time.Duration   // for all sites together
	every   time.Duration   // from the end of a check to the next one
	status  cli.StatusRange // of a site that is up
}

// errUsage is wrapped by errors about how the program was called.
var errUsage = errors.New("wrong usage")

func main() {
	var opts options
	flag.DurationVar(&opts.timeout, "timeout", 2*time.Minute, "give up after this `time`")
	flag.DurationVar(&opts.every, "every", time.Second, "the `time` between two checks of a site")
	flag.TextVar(&opts.status, "status", cli.StatusRange{Min: 200, Max: 299}, "the `codes` of a site that is up, as MIN-MAX or one")
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
	case o.timeout <= 0:
		return fmt.Errorf("%w: -timeout %v is not positive", errUsage, o.timeout)
	case o.every <= 0:
		return fmt.Errorf("%w: -every %v is not positive", errUsage, o.every)
	}
	return nil
}

// run waits for the sites and shows on out how they are. It returns nil once all
// are up.
func run(ctx context.Context, out io.Writer, opts options, urls []string, more ...checker.Option) error {
	if err := opts.validate(urls); err != nil {
		return err
	}
	c, err := checker.New(append([]checker.Option{
		checker.WithJudge(checker.StatusIn(opts.status.Min, opts.status.Max)),
		checker.WithRetries(0), // to be asked again is what every site is here for
	}, more...)...)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, opts.timeout, errors.New("gave up"))
	defer cancel()
	b := newBoard(out, urls)
	group, ctx := errgroup.WithContext(ctx)
	for i, url := range urls {
		group.Go(func() error { return watch(ctx, c, url, opts.every, func(r checker.Result) { b.set(i, r) }) })
	}
	if err = b.show(group.Wait); err == nil || errors.Is(err, errUsage) {
		return err
	}
	return fmt.Errorf("%w after %v: %s", err, b.elapsed(), b.missing())
}

// watch checks a site until it is up, and shows each verdict. It returns early,
// with the cause, if ctx ends or if the target names no site.
func watch(ctx context.Context, c *checker.Checker, url string, every time.Duration, show func(checker.Result)) error {
	for {
		r := c.Check(ctx, url)
		switch r.Reason() {
		case checker.ReasonCanceled: // says nothing that the verdict before does not say better
			return context.Cause(ctx)
		case checker.ReasonInvalid: // and will ever be
			return fmt.Errorf("%w: %s: %v", errUsage, checker.Redact(url), r.Err)
		}
		if show(r); r.Online() {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(every):
		}
	}
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
	back  string // moves from the end of a frame to its beginning; "" before the first
}

// A site is how one of the sites is. Its state is "" before the first verdict.
type site struct {
	name, state string
	up          bool
}

// newBoard returns a board on which no site has a verdict.
func newBoard(out io.Writer, urls []string) *board {
	b := &board{start: time.Now(), out: out}
	for _, url := range urls {
		b.sites = append(b.sites, site{name: checker.Redact(url)})
	}
	if f, ok := out.(*os.File); ok {
		// Lines that have left the screen cannot be written again.
		_, height, err := term.GetSize(int(f.Fd()))
		b.live = err == nil && len(urls) < height
	}
	return b
}

// set takes in the verdict on a site.
func (b *board) set(i int, r checker.Result) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, before := &b.sites[i], b.sites[i].state
	if e, ok := errors.AsType[*checker.Error](r.Err); ok {
		s.state = string(e.Reason) + ": " + e.Message()
	} else {
		s.up, s.state = true, fmt.Sprintf("up after %v (%d)", b.elapsed(), r.StatusCode)
	}
	if !b.live && s.state != before {
		fmt.Fprintf(b.out, "%s: %s\n", s.name, s.state)
	}
}

// missing says which sites are not up, and why unless that is on the screen.
func (b *board) missing() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var lines strings.Builder
	n := 0
	for _, s := range b.sites {
		if s.up {
			continue
		}
		n++
		if !b.live {
			fmt.Fprintf(&lines, "\n  %s: %s", s.name, cmp.Or(s.state, "no verdict yet"))
		}
	}
	return fmt.Sprintf("%d of %d not up%s", n, len(b.sites), &lines)
}

func (b *board) elapsed() time.Duration {
	return time.Since(b.start).Round(100 * time.Millisecond)
}

// show returns what wait does. Meanwhile it draws a live board ten times a
// second, and in the end leaves the last state on the screen.
func (b *board) show(wait func() error) error {
	if !b.live {
		return wait()
	}
	waited := make(chan error, 1)
	go func() { waited <- wait() }()
	for i := 0; ; i++ {
		b.draw(spinner[i%len(spinner)])
		select {
		case <-time.After(100 * time.Millisecond):
		case err := <-waited:
			b.draw("✗")
			return err
		}
	}
}

var spinner = strings.Split("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "")

// What terminals understand (ECMA-48, and DEC's mode 7). Lines longer than the
// terminal is wide are cut off rather than wrapped, or the way up would be
// longer than there are sites.
const (
	up    = "\x1b[%dA"
	begin = "\r\x1b[?7l"
	rest  = "\x1b[K\r\n"
	end   = "\x1b[?7h\x1b[J" // wipes the ^C that the terminal showed
)

// draw writes a frame over the one before, in one piece. mark stands before the
// sites that are not up.
func (b *board) draw(mark string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	frame := b.back + begin
	for _, s := range b.sites {
		if s.up {
			frame += "✓ " + s.name + "  " + s.state + rest
		} else {
			frame += fmt.Sprintf("%s %s  %v  %s%s", mark, s.name, b.elapsed(), s.state, rest)
		}
	}
	io.WriteString(b.out, frame+end)
	b.back = fmt.Sprintf(up, len(b.sites))
}
