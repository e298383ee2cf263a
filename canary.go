package checker

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

const (
	canaryPause = 250 * time.Millisecond // at least, between the beginnings of two rounds
	fairChance  = time.Second            // within this a site that is up answers, as a rule
)

const hintCanaries hint = "none of the canaries answers either; look at this machine's network"

// canaries tell a site that is down from a network that is.
type canaries struct {
	tasks []*task

	mu    sync.Mutex
	proof time.Time // the latest beginning of a check that got an answer
	last  *round
}

// A round asks all canaries at once. What it found may be read once done is
// closed.
type round struct {
	done  chan struct{}
	began time.Time
	up    bool // one of them answered
	void  bool // the round was broken off
}

// saw notes that the network worked at t or later.
func (cs *canaries) saw(t time.Time) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if t.After(cs.proof) {
		cs.proof = t
	}
}

// proved reports whether the network is known to have worked at t or later.
func (cs *canaries) proved(t time.Time) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return !cs.proof.Before(t)
}

// hold returns r, unless r says that a site is Offline in a way in which this
// machine's own network may be at fault. Then it holds r back until there is
// proof that the network worked after the site had its chance to answer: the
// answer of any site or, for want of one, of a canary. If no canary answers,
// there is no verdict on the site.
func (p *probe) hold(ctx context.Context, r Result) Result {
	cs := p.canaries
	if cs == nil {
		return r
	}
	if r.StatusCode != 0 {
		cs.saw(r.Start)
		return r
	}
	if reason := r.Reason(); reason != ReasonTimeout && reason != ReasonUnreachable {
		return r
	}
	since := r.Start.Add(min(r.Timing.Total, p.timeout/2, fairChance))
	for !cs.proved(since) {
		rd, err := p.round(ctx)
		switch {
		case err != nil:
			r.Err = &Error{Phase: r.phase(), Reason: ReasonCanceled, URL: r.URL, Err: err}
			return r
		case rd.up && !rd.began.Before(since):
			return r
		case !rd.void && !rd.began.Before(since):
			r.Err = &Error{Phase: r.phase(), Reason: ReasonLocal, URL: r.URL, Err: hintCanaries}
			return r
		}
	}
	return r
}

// round waits for the round of canaries that is under way, or holds one.
func (p *probe) round(ctx context.Context) (*round, error) {
	cs := p.canaries
	cs.mu.Lock()
	rd := cs.last
	var next time.Time // when the round to come may begin
	mine := true
	if rd != nil {
		select {
		case <-rd.done:
			next = rd.began.Add(canaryPause)
		default:
			mine = false
		}
	}
	if mine {
		rd = &round{done: make(chan struct{})}
		cs.last = rd
	}
	cs.mu.Unlock()
	if mine {
		p.askCanaries(ctx, rd, next)
	}
	select {
	case <-rd.done:
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
	rd.began = time.Now()
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
		p.canaries.saw(rd.began)
	}
	rd.void = ctx.Err() != nil
}
