package checker

import (
	"context"
	"errors"
	"net/url"
	"time"
)

const hintTurn hint = "the rate limits left no turn for a further request within the timeout"

// token takes the token of a further request on the host of u. Its error wraps
// hintTurn.
func (p *probe) token(ctx context.Context, u *url.URL) error {
	key, err := p.engine.key(u)
	if err == nil {
		err = p.engine.pacer.Token(ctx, key)
	}
	if err != nil {
		return errors.Join(hintTurn, err)
	}
	return nil
}

// further asks u in a further way, once there is a token for that.
func (p *probe) further(ctx context.Context, u *url.URL, ask func(context.Context) *answer) *answer {
	start := time.Now()
	if err := p.token(ctx, u); err != nil {
		return p.late(ctx, u, err)
	}
	waited := time.Since(start)
	return p.excuse(ask(ctx), waited)
}

// late is the answer of a request that got no token in time.
func (p *probe) late(ctx context.Context, u *url.URL, err error) *answer {
	return &answer{Result: Result{URL: u.String(), Err: p.engine.failure(ctx, PhaseWait, u, err)}}
}

// excuse takes back that a site did not answer in time if most of that was spent
// waiting for tokens.
func (p *probe) excuse(a *answer, waited time.Duration) *answer {
	if waited > p.conf.timeout/2 && reasonOf(a.Err) == ReasonTimeout {
		a.Err = newError(PhaseWait, ReasonLocal, a.URL, errors.Join(hintTurn, a.Err))
	}
	return a
}
