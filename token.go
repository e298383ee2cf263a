package checker

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"example.com/checker/internal/hook"
)

var hintToken = hint{CauseRateLimit, "the rate limits left no token for a further request within the timeout; raise the limits or the timeout"}

// token takes the token of a further request on the host of u. Its error wraps
// hintToken.
func (p *probe) token(ctx context.Context, u *url.URL) error {
	if p.engine.free {
		return nil
	}
	key, err := p.engine.key(u)
	if err == nil {
		err = p.engine.pacer.Token(hook.Dated(ctx), key)
	}
	if err != nil {
		return errors.Join(hintToken, err)
	}
	return nil
}

// tokenAgain takes the token of another attempt, when no origin of the target wants to be
// left alone.
func (p *probe) tokenAgain(ctx context.Context, t *task) error {
	origins := t.Origins()
	if err := p.engine.pacer.Pass(ctx, origins[:]...); err != nil {
		return p.engine.whyWaited(t, err)
	}
	return p.token(ctx, t.urls[0])
}

// withToken takes a token for a request of u and then calls ask.
func (p *probe) withToken(ctx context.Context, u *url.URL, ask func(context.Context) *answer) *answer {
	start := time.Now()
	if err := p.token(ctx, u); err != nil {
		return p.noToken(ctx, u, err)
	}
	waited := time.Since(start)
	return p.excuse(ask(ctx), waited)
}

// noToken is the answer of a request that got no token in time.
func (p *probe) noToken(ctx context.Context, u *url.URL, err error) *answer {
	return &answer{Result: Result{URL: u.String(), Err: p.engine.failure(ctx, PhaseWait, u, err)}}
}

// excuse turns a timeout into ReasonLocal if most of it was spent waiting for
// tokens.
func (p *probe) excuse(a *answer, waited time.Duration) *answer {
	if waited > p.conf.timeout/2 && reasonOf(a.Err) == ReasonTimeout {
		a.Err = newError(PhaseWait, ReasonLocal, a.URL, errors.Join(hintToken, a.Err))
	}
	return a
}

// excuseLookup turns a timeout into ReasonDNS if most of it was spent on lookups, of
// which each redirect may want another: that time was not the site's.
func (p *probe) excuseLookup(a *answer, took time.Duration) *answer {
	if took <= p.conf.timeout/2 || reasonOf(a.Err) != ReasonTimeout {
		return a
	}
	what := "lookup"
	if len(a.Hops) > 0 {
		what = "lookups"
	}
	why := hint{CauseSilent, fmt.Sprintf("the %s took %v of the timeout of %v and left the site too little; look at this machine's resolver",
		what, took.Round(time.Millisecond), p.conf.timeout)}
	a.Err = newError(PhaseDNS, ReasonDNS, a.URL, errors.Join(why, a.Err))
	return a
}
