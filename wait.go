package checker

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/url"
	"time"
)

// token takes the token of a further request on the host of u.
func (p *probe) token(ctx context.Context, u *url.URL) error {
	key, err := p.key(u)
	if err != nil {
		return err
	}
	return p.pacer.Token(ctx, key)
}

const hintTurn hint = "the rate limits left no turn for a further request within the timeout"

// waited is the answer of a request that got no token in time.
func (p *probe) waited(ctx context.Context, u *url.URL, err error) *answer {
	err = errors.Join(hintTurn, err)
	return &answer{Result: Result{URL: u.String(), Err: p.failure(ctx, PhaseWait, u, err)}}
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

// sleep waits for d. It returns at once, with the cause, if ctx ends before.
func sleep(ctx context.Context, d time.Duration) error {
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= d && ctx.Err() == nil {
		return errTimeout
	}
	return wait(ctx, d)
}

// wait waits for d, or for the end of ctx, of which it returns the cause.
func wait(ctx context.Context, d time.Duration) error {
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
