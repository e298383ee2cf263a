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
	"strings"
	"syscall"
	"time"

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
		checker.WithJudge(checker.StatusIn(opts.status.Min, opts.status.Max)),
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
