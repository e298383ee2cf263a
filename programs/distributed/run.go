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

	"example.com/checker/examples/cli"
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
	w := &works{app: a, store: store{c.Out}, list: l}
	unlock, err := w.open()
	if err != nil {
		return err
	}
	defer unlock()
	e, children, err := c.link.in(c.Out).openForChildren(a)
	if err != nil {
		return err
	}
	defer e.close()
	w.engine, w.children = e, children
	if w.queue, err = c.make(ctx, a, e.js, l.parts); err != nil {
		return err
	}
	var earlier error
	if c.Again {
		earlier, err = c.finish(ctx, w)
		if err != nil {
			return err
		}
	}
	return cmp.Or(c.once(ctx, w, c.Again), earlier)
}

// works are what the runs of one process share.
type works struct {
	*app
	*queue
	*engine
	store
	list     list
	children link // how worker processes reach the queue
}

// finish does what is left of the list's last run, so that nothing of it is lost and
// no result of the next is older than that. It returns what the run's audit says apart
// from what keeps the next from beginning.
func (c *runCmd) finish(ctx context.Context, w *works) (verdict, err error) {
	last, err := w.cursor(ctx, w.list.id)
	if err != nil {
		return nil, err
	}
	left, err := w.unfinished(ctx, last)
	if err != nil || left == "" {
		return nil, err
	}
	w.logf("list %s: %s, is not finished: %s; that comes first", w.list.id, runName(last.Run), left)
	err = c.once(ctx, w, false)
	if ctx.Err() == nil && cli.Status(err) != cli.Misused {
		return err, nil
	}
	return nil, err
}

// once goes on with the list's last run, or does one more, and audits it.
func (c *runCmd) once(ctx context.Context, w *works, again bool) error {
	last, err := w.begin(ctx, w.list, again)
	if err != nil {
		return err
	}
	l := w.list
	l.run = last.Run
	k, err := newCollector(w.app, w.store, l)
	if err != nil {
		return err
	}
	switch have := int(k.have.Load()); {
	case have == l.lines:
		fmt.Fprintf(w.out, "nothing was checked: all of %d lines were, in %s; -again checks them again\n", l.lines, runName(l.run))
		if err := w.collected(ctx, l.id, l.run); err != nil {
			return err
		}
		return c.audit(ctx, w.app, l, w.store)
	case have > 0:
		w.logf("list %s: %d of %d lines have a result; going on with %s", l.id, have, l.lines, runName(l.run))
	default:
		w.logf("list %s: %d lines, %d workers; run %s", l.id, l.lines, c.Workers, l.run)
	}
	stop, err := c.tell(ctx, w.app, w.engine, k.measure)
	if err != nil {
		return err
	}
	defer stop()
	began := time.Now()
	switch err := c.checkAll(ctx, w, k, last); {
	case ctx.Err() != nil && again:
		return fmt.Errorf("%w; the same command without -again goes on from there", context.Cause(ctx))
	case ctx.Err() != nil:
		return fmt.Errorf("%w; the same command goes on from there", context.Cause(ctx))
	case err != nil && !errors.Is(err, errIdle):
		return err
	}
	fmt.Fprintf(w.out, "took %v\n", time.Since(began).Round(time.Millisecond))
	return c.audit(ctx, w.app, l, w.store)
}

// checkAll runs all the parts until each line has a result.
func (c *runCmd) checkAll(ctx context.Context, w *works, k *collector, last cursor) error {
	if n, err := w.strange(ctx, k.list.id); err == nil && n > 0 {
		w.logf("the queue also holds %d chunks of other lists, which are checked as well", n)
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
		p := publisher{app: w.app, queue: w.queue, cursor: last}
		return cmp.Or(p.publish(ctx, k.list), w.idle(ctx, k.list.id))
	})
	for i := range c.Workers {
		part(func(ctx context.Context) error { return c.supervise(ctx, w.app, i+1, w.children) })
	}
	part(func(ctx context.Context) error {
		err := k.collect(ctx, w.queue)
		if err == nil {
			done()
		}
		return err
	})
	err := g.Wait()
	return cmp.Or(context.Cause(ctx), err)
}

// strange returns how many chunks of other lists there are to check.
func (q *queue) strange(ctx context.Context, list string) (n int, err error) {
	info, err := q.jobs.Info(ctx, jetstream.WithSubjectFilter(jobsStream+".>"))
	if err != nil {
		return 0, err
	}
	for subject := range info.State.Subjects {
		if !strings.Contains(subject, "."+list+".") {
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
