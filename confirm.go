package checker

import (
	"context"
	"sync"
	"time"

	"example.com/checker/internal/pace"
)

const (
	slack      = 50 * time.Millisecond // an answer may have come this long before it is seen
	maxRecheck = 3                     // times that a site is asked again
)

const (
	hintCanaries hint = "the canaries do not answer either; look at this machine's network"
	hintUnsteady hint = "the canaries answer only now and then; look at this machine's network"
)

// A confirmer checks targets for one call: with canaries, a site is Offline only
// if this side's network is known to have worked.
type confirmer struct {
	probe    *probe
	canaries *canaries // nil without any
}

// check checks one target whose turn has come.
func (c *confirmer) check(ctx context.Context, t *task) *Result {
	return c.confirm(ctx, t, c.probe.run(ctx, t))
}

// confirm returns r, unless r says that a site is Offline in a way in which this
// machine's own network may be at fault. Then it waits until it is known that the network worked while the site had its chance to answer. If the
// canaries answer now and that is not known of then, the site is asked again
// while they are; if they do not answer, there is no verdict on the site.
func (c *confirmer) confirm(ctx context.Context, t *task, r *Result) *Result {
	cs := c.canaries
	if cs == nil {
		return r
	}
	start, took := r.Start, r.Timing.Total
	for again := 0; ; again++ {
		if r.fromSite() {
			cs.saw()
			return r
		}
		reason := reasonOf(r.Err)
		if !reasons[reason].confirm {
			return r
		}
		// What failed at once may have failed between two answers of others, so
		// it has to fail twice.
		conclusive := reason == ReasonTimeout || again > 0
		end := start.Add(min(took, c.chance()) + slack)
		up, err := true, pace.Sleep(ctx, time.Until(end))
		if err == nil && conclusive && cs.worked(start, end) {
			return r
		}
		if err == nil {
			up, err = cs.up(ctx, end, c.ask)
		}
		switch {
		case err != nil:
			r.Err = newError(r.Phase(), ReasonCanceled, r.URL, err)
			return r
		case !up:
			r.Err = newError(r.Phase(), ReasonLocal, r.URL, hintCanaries)
			return r
		case conclusive && cs.worked(start, end):
			return r
		case again == maxRecheck:
			r.Err = newError(r.Phase(), ReasonLocal, r.URL, hintUnsteady)
			return r
		}
		start = time.Now()
		r = c.recheck(ctx, t, r)
		took = time.Since(start)
	}
}

// chance is the time in which a site that is up would have answered.
func (c *confirmer) chance() time.Duration { return min(c.probe.conf.timeout/2, fairChance) }

// ask asks a canary and reports whether it answered.
func (c *confirmer) ask(ctx context.Context, t *task) bool {
	return c.probe.engine.pacer.Token(ctx, t.key) == nil && c.probe.attempts(ctx, t).fromSite()
}

// recheck asks a site again, and the canaries for as long as it has its chance.
func (c *confirmer) recheck(ctx context.Context, t *task, before *Result) *Result {
	start := time.Now()
	within, cancel := context.WithTimeoutCause(ctx, c.probe.conf.timeout, errTimeout)
	defer cancel()
	asking, stop := context.WithCancel(within)
	var wg sync.WaitGroup
	defer wg.Wait() // in any case, even if a hook ends this goroutine
	defer stop()
	wg.Go(func() { c.keepAsking(asking, start.Add(c.chance())) })
	r := &Result{Err: newError(PhaseWait, ReasonLocal, before.URL, hintToken)}
	if c.probe.engine.pacer.Token(within, t.key) == nil {
		r = c.probe.attempts(within, t)
	}
	stop()
	wg.Wait()
	r.Index, r.Target, r.Start = before.Index, before.Target, before.Start
	r.Attempts += before.Attempts
	r.Timing.Wait, r.Timing.Total = before.Timing.Wait, time.Since(before.Start)
	return r
}

// keepAsking asks the canaries again and again, for the last time after end.
func (c *confirmer) keepAsking(ctx context.Context, end time.Time) {
	for {
		began := time.Now()
		if _, err := c.canaries.up(ctx, began, c.ask); err != nil || !began.Before(end) {
			return
		}
		if pace.Sleep(ctx, min(time.Until(end), fairChance/3)) != nil {
			return
		}
	}
}
