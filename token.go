package checker

import (
	"context"
	"errors"
	"time"
)

const hintTurn hint = "the rate limits left no turn for a further request within the timeout"

// token takes the token of a further request on the host of r. Its error wraps
// hintTurn.
func (r *request) token(ctx context.Context) error {
	e := r.probe.engine
	key, err := e.key(r.url)
	if err == nil {
		err = e.pacer.Token(ctx, key)
	}
	if err != nil {
		return errors.Join(hintTurn, err)
	}
	return nil
}

// further asks in a further way, once there is a token for that.
func (r *request) further(ctx context.Context, ask func(context.Context) *answer) *answer {
	start := time.Now()
	if err := r.token(ctx); err != nil {
		return r.late(ctx, err)
	}
	waited := time.Since(start)
	return r.excuse(ask(ctx), waited)
}

// late is the answer of a request that got no token in time.
func (r *request) late(ctx context.Context, err error) *answer {
	return &answer{Result: Result{URL: r.url.String(), Err: r.probe.engine.failure(ctx, PhaseWait, r.url, err)}}
}

// excuse takes back that a site did not answer in time if most of that was spent
// waiting for tokens.
func (r *request) excuse(a *answer, waited time.Duration) *answer {
	if waited > r.probe.conf.timeout/2 && reasonOf(a.Err) == ReasonTimeout {
		a.Err = newError(PhaseWait, ReasonLocal, a.URL, errors.Join(hintTurn, a.Err))
	}
	return a
}

// sleep waits for d, or for the end of ctx, of which it returns the cause.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
