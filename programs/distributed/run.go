package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"
)

// errIdle is why a run ends before each line has a result.
var errIdle = errors.New("the queue is empty, and there are lines without a result")

func (c *runCmd) do(ctx context.Context, a *app) error {
	if err := c.manners.validate(); err != nil {
		return err
	}
	if c.Workers < 1 {
		return errors.New("-workers must be 1 or more")
	}
	l, err := c.source.open()
	if err != nil {
		return err
	}
	k := &collector{app: a, store: store{c.Out}, list: l}
	unlock, err := k.open()
	if err != nil {
		return err
	}
	defer unlock()
	began := time.Now()
	switch err := c.checkAll(ctx, a, k); {
	case ctx.Err() != nil:
		return fmt.Errorf("%w; the same command goes on from there", context.Cause(ctx))
	case err != nil && !errors.Is(err, errIdle):
		return err
	}
	fmt.Fprintf(a.out, "took %v\n", time.Since(began).Round(time.Millisecond))
	return c.audit(ctx, a, l, k.store)
}

// checkAll runs all the parts until each line has a result.
func (c *runCmd) checkAll(ctx context.Context, a *app, k *collector) error {
	e, forWorkers, err := c.link.in(c.Out).openForChildren()
	if err != nil {
		return err
	}
	defer e.close()
	q, err := c.make(ctx, e.js)
	if err != nil {
		return err
	}
	a.logf("list %s: %d lines, %d workers", k.list.id, k.list.lines, c.Workers)
	if n, err := q.strange(ctx, k.list.id); err == nil && n > 0 {
		a.logf("the queue also holds %d chunks of other lists, which are checked as well", n)
	}
	defer k.report(ctx)()

	g, inner := errgroup.WithContext(ctx)
	inner, done := context.WithCancel(inner)
	defer done()
	part := func(f func(context.Context) error) {
		g.Go(func() error {
			if err := f(inner); inner.Err() == nil {
				return err
			}
			return nil // whatever it said, it was told to stop
		})
	}
	part(func(ctx context.Context) error {
		p := publisher{app: a, queue: q}
		return cmp.Or(p.publish(ctx, k.list), q.idle(ctx, k.list.id))
	})
	for i := range c.Workers {
		part(func(ctx context.Context) error { return c.supervise(ctx, a, i+1, forWorkers) })
	}
	part(func(ctx context.Context) error {
		err := k.collect(ctx, q)
		if err == nil {
			done()
		}
		return err
	})
	err = g.Wait()
	return cmp.Or(context.Cause(ctx), err)
}

// strange returns how many chunks of other lists there are to check.
func (q *queue) strange(ctx context.Context, list string) (n int, err error) {
	info, err := q.jobs.Info(ctx, jetstream.WithSubjectFilter(jobsStream+".>"))
	if err != nil {
		return 0, err
	}
	for subject := range info.State.Subjects {
		if !strings.HasPrefix(lastToken(subject), list) {
			n++
		}
	}
	return n, nil
}

// idle waits until nothing is left to be checked or collected, and returns
// errIdle. It looks at the jobs first, which are there until their results are.
func (q *queue) idle(ctx context.Context, list string) error {
	for pause(ctx, time.Second) {
		jobs, err := q.jobs.Info(ctx)
		if err != nil || jobs.State.Msgs > 0 {
			continue // the server is away
		}
		results, err := q.results.Info(ctx, jetstream.WithSubjectFilter(resultsStream+"."+list+".*"))
		if err == nil && len(results.State.Subjects) == 0 {
			return errIdle
		}
	}
	return context.Cause(ctx)
}
