package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"example.com/checker"
)

// errLate is why the waiting ended if nobody interrupted it.
var errLate = errors.New("gave up")

// wait returns nil once all sites are up, and otherwise why it stopped waiting.
func wait(ctx context.Context, c *checker.Checker, b *board, opts options, urls []string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, opts.timeout, errLate)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	for i, url := range urls {
		group.Go(func() error { return watch(ctx, c, url, opts.every, func(r checker.Result) { b.set(i, r) }) })
	}
	return group.Wait()
}

// watch checks a site until it is up, and shows each verdict. It returns early,
// with the cause, if ctx ends or if the target names no site.
func watch(ctx context.Context, c *checker.Checker, url string, every time.Duration, show func(checker.Result)) error {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-pause.C:
		}
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
		pause.Reset(every)
	}
}
