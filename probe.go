package checker

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/url"
	"slices"
	"time"
)

const (
	candidateDelay = 300 * time.Millisecond // before https is tried beside http
	retryBase      = 200 * time.Millisecond // the longest wait before the first retry
	pause          = 20 * time.Millisecond  // before what this machine was too short for is tried again
)

// run checks one target whose turn has come. If this machine is too short of
// something to do it, a check that is alone tries again until its timeout; one
// of many is better put back, to make room for those that run.
func (p *probe) run(ctx context.Context, t *task, alone bool) *Result {
	start := time.Now()
	if t.started.IsZero() {
		t.started = start
	}
	var r *Result
	if t.err != nil {
		r = &Result{Err: t.err}
		if e, ok := errors.AsType[*Error](t.err); ok {
			r.URL = e.URL
		}
	} else {
		within, cancel := context.WithDeadlineCause(ctx, start.Add(p.timeout), errTimeout)
		r = p.attempts(within, t)
		for alone && scarce(r) && sleep(within, pause) == nil && p.pacer.Token(within, t.key) == nil {
			// The site gets the blame for the end of the timeout only if most of
			// that was its own.
			late := time.Since(start) > p.timeout/2
			if again := p.attempts(within, t); !late || reasonOf(again.Err) != ReasonTimeout {
				r = again
				continue
			}
			break
		}
		cancel()
	}
	r.Index, r.Target, r.Start = t.index, t.target, start
	r.Timing.Wait, r.Timing.Total = start.Sub(t.asked), time.Since(start)
	return p.hold(ctx, t, r)
}

// attempts tries until there is a verdict that time will not change.
func (p *probe) attempts(ctx context.Context, t *task) *Result {
	var before *answer
	for n := 1; ; n++ {
		r := p.candidates(ctx, t.urls, n > 1)
		if n > 1 && !r.up() && context.Cause(ctx) == errTimeout {
			r = before // it had its time, and the further attempt had not
		}
		r.Attempts = n
		if n > p.retries || !r.passes() {
			return &r.Result
		}
		if err := p.rest(ctx, t, r, n); err != nil {
			// Without a turn there is no further attempt, but there is a verdict.
			if ctx.Err() != nil && context.Cause(ctx) != errTimeout {
				r.Err = p.failure(ctx, PhaseWait, t.urls[0], err)
			}
			return &r.Result
		}
		before = r
	}
}

// passes reports whether what failed may be well a moment later.
func (a *answer) passes() bool {
	reason := reasonOf(a.Err)
	if reason == ReasonRejected {
		return a.paused != nil
	}
	return reasons[reason].transient
}

// rest waits before another attempt: for as long as the host asked for, or else
// with full jitter, so that hosts that failed together are not asked together
// again.
func (p *probe) rest(ctx context.Context, t *task, a *answer, n int) error {
	if a.paused != nil {
		key, err := p.key(a.paused)
		if err != nil {
			return err
		}
		return p.pacer.Rested(ctx, key)
	}
	if err := sleep(ctx, rand.N(retryBase<<min(n-1, 10))); err != nil {
		return err
	}
	return p.pacer.Token(ctx, t.key)
}

// candidates asks the one URL of a target with a scheme, or races the two of a
// target without.
func (p *probe) candidates(ctx context.Context, urls []*url.URL, fresh bool) *answer {
	if len(urls) == 1 {
		return p.follow(ctx, urls[0], fresh)
	}
	r := &race{second: func(ctx context.Context) *answer {
		return p.further(ctx, urls[1], func() *answer { return p.follow(ctx, urls[1], fresh) })
	}}
	defer r.end()
	within, cancel := context.WithCancel(ctx)
	defer cancel()
	r.arm(ctx, candidateDelay, interrupt(cancel))
	a := p.follow(within, urls[0], fresh)
	return r.settle(ctx, a, !a.up(), furthest)
}

// follow asks u and then whatever it redirects to.
func (p *probe) follow(ctx context.Context, u *url.URL, fresh bool) *answer {
	origin := u
	var seen []string
	var waited time.Duration
	for hop := 0; ; hop++ {
		home := u.Scheme == origin.Scheme && u.Host == origin.Host
		a := p.excuse(p.ask(ctx, u, home, fresh), waited)
		a.Redirects = hop
		if a.next == nil {
			return a
		}
		seen = append(seen, a.URL)
		u, a.next = a.next, nil
		switch {
		case slices.Contains(seen, u.String()):
			a.Err = redirectError(a.URL, "they go round in a loop")
			return a
		case hop == p.redirects:
			a.Err = redirectError(a.URL, "there are too many")
			return a
		}
		start := time.Now()
		if end, ok := ctx.Deadline(); ok && !start.Before(end) {
			a.Err = p.failure(ctx, PhaseResponse, u, errTimeout) // the site came too late, and nobody else is to blame
			return a
		}
		if err := p.token(ctx, u); err != nil {
			w := p.waited(ctx, u, err)
			w.Redirects = hop + 1
			return w
		}
		waited += time.Since(start)
	}
}

func redirectError(u, what string) *Error {
	return newError(PhaseJudge, ReasonRedirect, u, errors.New(what))
}
