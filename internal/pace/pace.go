// Package pace decides which check may start next.
//
// A check that may not start yet, because its host is busy or a token bucket is
// empty, is parked in a [Queue]: it holds no slot and no goroutine there, and
// the next one that may start is started in its place. The limits themselves
// belong to a [Pacer], which many queues share.
package pace

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits are what a Pacer holds. A Rate of 0 means no limit.
type Limits struct {
	Rate      rate.Limit // requests per second
	Burst     int
	HostRate  rate.Limit // requests per second on one host
	HostBurst int
	HostWidth int // checks at once on one host
}

// A Pacer holds limits over all queues that it made. T is what they queue.
// It is safe for concurrent use.
type Pacer[T any] struct {
	all *rate.Limiter // nil without a limit

	mu         sync.Mutex // guards all below, and the queues
	hosts      hosts[T]
	spareLanes sync.Pool // to use again: most live for one check only
}

// New returns a Pacer of these limits.
func New[T any](limits Limits) *Pacer[T] {
	return &Pacer[T]{
		all:   bucket(limits.Rate, limits.Burst),
		hosts: hosts[T]{limits: limits, known: make(map[string]*host[T])},
	}
}

func bucket(limit rate.Limit, burst int) *rate.Limiter {
	if limit == 0 {
		return nil
	}
	return rate.NewLimiter(limit, burst)
}

// ErrNoTurn says that a token would come only after the context's deadline.
var ErrNoTurn = errors.New("the rate limit leaves no turn within the timeout")

// Token takes the tokens of one further request on the host of key, for a
// check that runs already: first the host's and then, when that is there, the
// one of all hosts together, so that neither is held for long before it is
// used. It waits for them until ctx ends. If they cannot be there before ctx's
// deadline it takes none and returns ErrNoTurn at once.
//
// It does not use [rate.Limiter.Wait], whose early refusal is an error that no
// type tells from others.
func (p *Pacer[T]) Token(ctx context.Context, key string) error {
	if p.all == nil && p.hosts.limits.HostRate == 0 {
		return nil
	}
	host, err := p.first(ctx, key)
	if err != nil {
		return err
	}
	if err := wait(ctx, host); err != nil || p.all == nil {
		return err
	}
	return wait(ctx, p.all.Reserve())
}

// first takes the token of the host of key, unless it or the other one would
// come too late. It returns nil if there is no limit per host.
func (p *Pacer[T]) first(ctx context.Context, key string) (*rate.Reservation, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	h := p.hosts.get(key)
	defer p.hosts.release(h)
	if d, ok := ctx.Deadline(); ok {
		t := p.reserve(h, now)
		delay := t.delay(now)
		t.giveBack(now)
		if now.Add(delay).After(d) {
			return nil, ErrNoTurn
		}
	}
	if h.bucket == nil {
		return nil, nil
	}
	return h.bucket.ReserveN(now, 1), nil
}

// wait waits until what r reserves is there. It gives it back if ctx ends before.
func wait(ctx context.Context, r *rate.Reservation) error {
	if r == nil {
		return nil
	}
	d := r.Delay()
	if d == 0 {
		return nil
	}
	err := Sleep(ctx, d)
	if err != nil {
		r.Cancel()
	}
	return err
}

// Sleep waits for d and returns nil, unless ctx ends before: then it returns the
// cause of that. If d is not positive it does not wait, and returns
// context.Cause(ctx), which is nil unless ctx has ended.
func Sleep(ctx context.Context, d time.Duration) error {
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

// tokens are those of one request: of its host, and of all hosts together. Where
// there is no limit, there is nil.
type tokens struct{ host, all *rate.Reservation }

// reserve takes the tokens of a request on h. They may be there only later.
func (p *Pacer[T]) reserve(h *host[T], now time.Time) (t tokens) {
	if h.bucket != nil {
		t.host = h.bucket.ReserveN(now, 1)
	}
	if p.all != nil {
		t.all = p.all.ReserveN(now, 1)
	}
	return t
}

// delay returns how long it is until both are there.
func (t tokens) delay(now time.Time) (d time.Duration) {
	if t.host != nil {
		d = t.host.DelayFrom(now)
	}
	if t.all != nil {
		d = max(d, t.all.DelayFrom(now))
	}
	return d
}

// giveBack undoes reserve.
func (t tokens) giveBack(now time.Time) {
	if t.host != nil {
		t.host.CancelAt(now)
	}
	if t.all != nil {
		t.all.CancelAt(now)
	}
}

// spare returns a zero value, one from the pool if there is one.
func spare[V any](p *sync.Pool) *V {
	if v, ok := p.Get().(*V); ok {
		return v
	}
	return new(V)
}
