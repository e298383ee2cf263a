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
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"example.com/checker"
)

// options are the flags.
type options struct {
	timeout  time.Duration // for all sites together
	every    time.Duration // from the end of a check to the next one
	min, max int           // the status codes of a site that is up
}

// errUsage is wrapped by errors about how the program was called.
var errUsage = errors.New("wrong usage")

func main() {
	opts := options{min: 200, max: 299}
	flag.DurationVar(&opts.timeout, "timeout", 2*time.Minute, "give up after this `time`")
	flag.DurationVar(&opts.every, "every", time.Second, "the `time` between two checks of a site")
	flag.Func("status", "the `codes` of a site that is up, as MIN-MAX or one (default 200-299)", opts.setStatus)
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

// setStatus reads a range of status codes.
func (o *options) setStatus(text string) (err error) {
	low, high, found := strings.Cut(text, "-")
	if !found {
		high = low
	}
	o.min, err = strconv.Atoi(low)
	if err == nil {
		o.max, err = strconv.Atoi(high)
	}
	if err != nil || o.min < 200 || o.min > o.max || o.max > 999 {
		return errors.New("want two codes from 200 to 999, such as 200-299, or one")
	}
	return nil
}

func (o *options) validate(urls []string) error {
	switch {
	case len(urls) == 0:
		return fmt.Errorf("%w: no URLs to wait for; see gate -h", errUsage)
	case o.timeout <= 0:
		return fmt.Errorf("%w: -timeout %v is not positive", errUsage, o.timeout)
	case o.every <= 0:
		return fmt.Errorf("%w: -every %v is not positive", errUsage, o.every)
	}
	for _, url := range urls {
		if strings.HasPrefix(url, "-") {
			return fmt.Errorf("%w: %s: flags come before the URLs", errUsage, url)
		}
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
		checker.WithJudge(checker.StatusIn(opts.min, opts.max)),
		checker.WithRetries(0), // to be asked again is what every site is here for
	}, more...)...)
	if err != nil {
		return err
	}
	b := newBoard(out, urls)
	start := time.Now()
	err = wait(ctx, c, b, opts, urls)
	b.close()
	if err == nil || errors.Is(err, errUsage) {
		return err
	}
	return fmt.Errorf("%w after %v: %s", err, time.Since(start).Round(100*time.Millisecond), b.missing())
}
