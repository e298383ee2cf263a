package checker

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

const (
	settle   = 50 * time.Millisecond // an answer may have come this long before it is seen
	maxAgain = 3                     // times that a site is asked again
)

const hintCanaries hint = "the canaries do not answer either; look at this machine's network"

// hold returns r, unless r says that a site is Offline in a way in which this
// machine's own network may be at fault. Then it holds r back until it is known
// that the network worked while the site had its chance to answer. If the
// canaries answer now and that is not known of then, the site is asked again
// while they are; if they do not answer, there is no verdict on the site.
func (p *probe) hold(ctx context.Context, t *task, r *Result) *Result {
	cs := p.canaries
	if cs == nil {
		return r
	}
	start, took := r.Start, r.Timing.Total
	for again := 0; ; again++ {
		if r.StatusCode != 0 {
			cs.saw()
			return r
		}
		reason := reasonOf(r.Err)
		if !reasons[reason].confirm {
			return r
		}
		// What failed at once may have failed between two answers of others, so
		// it has to fail twice.
		firm := reason == ReasonTimeout || again > 0
		end := start.Add(min(took, p.chance()) + settle)
		up, err := true, wait(ctx, time.Until(end))
		if err == nil && firm && cs.worked(start, end) {
			return r
		}
		if err == nil {
			up, err = p.canaryUp(ctx, end)
		}
		switch {
		case err != nil:
			r.Err = newError(r.Phase(), ReasonCanceled, r.URL, err)
			return r
		case !up || again == maxAgain:
			r.Err = newError(r.Phase(), ReasonLocal, r.URL, hintCanaries)
			return r
		case firm && cs.worked(start, end):
			return r
		}
		start = time.Now()
		r = p.watched(ctx, t, r)
		took = time.Since(start)
	}
}

// chance is the time in which a site that is up would have answered.
func (p *probe) chance() time.Duration { return min(p.timeout/2, fairChance) }

// watched asks a site again, and the canaries for as long as it has its chance.
func (p *probe) watched(ctx context.Context, t *task, before *Result) *Result {
	start := time.Now()
	within, cancel := context.WithTimeoutCause(ctx, p.timeout, errTimeout)
	defer cancel()
	watching, stop := context.WithCancel(within)
	var wg sync.WaitGroup
	wg.Go(func() {
		for end := start.Add(p.chance()); ; {
			began := time.Now()
			if _, err := p.canaryUp(watching, began); err != nil || !began.Before(end) {
				return
			}
			if sleep(watching, min(time.Until(end), fairChance/3)) != nil {
				return
			}
		}
	})
	r := &Result{Err: newError(PhaseWait, ReasonLocal, before.URL, hintTurn)}
	if p.pacer.Token(within, t.key) == nil {
		r = p.attempts(within, t)
	}
	stop()
	wg.Wait()
	r.Index, r.Target, r.Start = before.Index, before.Target, before.Start
	r.Attempts += before.Attempts
	r.Timing.Wait, r.Timing.Total = before.Timing.Wait, time.Since(before.Start)
	return r
}

// canaryUp reports whether a canary answers in a round that begins at a moment
// or later.
func (p *probe) canaryUp(ctx context.Context, from time.Time) (bool, error) {
	for {
		rd, err := p.nextRound(ctx)
		if err != nil {
			return false, err
		}
		if !rd.void && !rd.began.Before(from) {
			return rd.up, nil
		}
	}
}

// nextRound waits for the round of canaries that is under way, or holds one.
func (p *probe) nextRound(ctx context.Context) (*round, error) {
	cs := p.canaries
	cs.mu.Lock()
	rd := cs.round
	mine := true
	if rd != nil {
		select {
		case <-rd.done:
		default:
			mine = false
		}
	}
	next := cs.began.Add(canaryPause)
	if mine {
		rd = &round{done: make(chan struct{})}
		cs.round = rd
	}
	cs.mu.Unlock()
	if mine {
		p.askCanaries(ctx, rd, next)
	}
	select {
	case <-rd.done:
		if rd.void && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return rd, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// askCanaries holds a round. The first answer ends it.
func (p *probe) askCanaries(ctx context.Context, rd *round, begin time.Time) {
	defer close(rd.done)
	rd.void = true
	if sleep(ctx, time.Until(begin)) != nil {
		return
	}
	rd.began = p.canaries.begin()
	within, cancel := context.WithTimeoutCause(ctx, p.timeout, errTimeout)
	defer cancel()
	var up atomic.Bool
	var wg sync.WaitGroup
	for _, t := range p.canaries.tasks {
		wg.Go(func() {
			if p.pacer.Token(within, t.key) == nil && p.attempts(within, t).StatusCode != 0 {
				up.Store(true)
				cancel()
			}
		})
	}
	wg.Wait()
	if rd.up = up.Load(); rd.up {
		p.canaries.saw()
	}
	rd.void = !rd.up && ctx.Err() != nil
}
