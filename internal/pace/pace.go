// Package pace decides which check may start next.
//
// A check that may not start yet, because its host is busy or asked for a pause,
// or because a token bucket is empty, is parked in a [Queue]. There it takes up no
// slot and no goroutine, and another check starts that may. The limits belong to a
// [Pacer], which many queues share.
package pace

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits are what a Pacer keeps to. A rate of 0 means no limit.
type Limits struct {
	Rate      rate.Limit // requests per second
	Burst     int        // at least 1 with a Rate
	HostRate  rate.Limit // requests per second on one host
	HostBurst int        // at least 1 with a HostRate
	HostWidth int        // checks at once on one host; at least 1, or none ever starts
}

// A Pacer keeps its limits over all queues that it made. T is what they queue.
// The zero Pacer is not usable; call [New]. It is safe for concurrent use.
type Pacer[T any] struct {
	all *rate.Limiter // of all hosts together, nil without a limit; it locks itself

	// mu guards all below, and what belongs to a queue, a lane, a host or a brake.
	// It is held for moments only: nothing that waits or that takes mu itself is
	// called under it. Of a caller's code that is spawn alone; see Pacer.Queue.
	mu         sync.Mutex
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

// bucket returns a full token bucket, nil for no limit.
func bucket(limit rate.Limit, burst int) *rate.Limiter {
	if limit == 0 {
		return nil
	}
	return rate.NewLimiter(limit, burst)
}

// ErrNoToken says that a further request would have to wait beyond the context's
// deadline.
var ErrNoToken = errors.New("the rate limit leaves no token within the timeout")

// Token takes the tokens of one further request on the host of key, for a check
// that runs already. If it has to wait for them and ctx ends, it returns the
// cause of that. If they cannot be there before ctx's deadline, it takes none and
// returns ErrNoToken at once.
//
// It first waits for the token of the host, and only then takes the one of all
// hosts together, so that neither lies unused for long.
//
// It does not use [rate.Limiter.Wait], whose early refusal is an error that no
// type tells from others.
func (p *Pacer[T]) Token(ctx context.Context, key string) error {
	if p.all == nil && p.hosts.limits.HostRate == 0 {
		return nil
	}
	r, err := p.hostToken(ctx, key)
	if err != nil {
		return err
	}
	if err := wait(ctx, r); err != nil || p.all == nil {
		return err
	}
	return wait(ctx, p.all.Reserve())
}

// hostToken takes the token of the host of key, unless it or the other one would
// come too late. It returns nil if there is no limit per host.
func (p *Pacer[T]) hostToken(ctx context.Context, key string) (*rate.Reservation, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	h := p.hosts.get(key)
	defer p.hosts.release(h)
	if deadline, ok := ctx.Deadline(); ok {
		t := p.reserve(h, now)
		d := t.delay(now)
		t.giveBack(now)
		if now.Add(d).After(deadline) {
			return nil, ErrNoToken
		}
	}
	if h.bucket == nil {
		return nil, nil
	}
	return h.bucket.ReserveN(now, 1), nil
}

// Pause lets no check of the host of key start for d, because the host said so
// in answer to a request sent at that time. What runs goes on.
//
// Later checks of it start one by one. The gap between them follows from how
// many checks the host let through since it was last paused, or since the first
// began. Answers to other requests that were under way when it was paused do
// not change the gap: they say nothing new.
func (p *Pacer[T]) Pause(key string, sent time.Time, d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.hosts.get(key)
	h.pause(time.Now(), sent, d)
	p.hosts.release(h)
}

// Paused reports whether the host of key has asked for a pause that is not over.
func (p *Pacer[T]) Paused(key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.hosts.known[key]
	return h != nil && h.brake != nil && time.Now().Before(h.brake.until)
}

// TokenAfterPause is [Pacer.Token] for a check that runs already and was sent
// away: it first waits until the host of key takes requests again. If that is
// not before ctx's deadline, it returns ErrNoToken at once.
func (p *Pacer[T]) TokenAfterPause(ctx context.Context, key string) error {
	d, ok := p.nextStart(ctx, key)
	if !ok {
		return ErrNoToken
	}
	if d > 0 {
		if err := Sleep(ctx, d); err != nil {
			return err
		}
	}
	return p.Token(ctx, key)
}

// nextStart takes the next start that the brake of the host of key allows, and
// returns how far off it is. It takes none that is not before ctx's deadline.
func (p *Pacer[T]) nextStart(ctx context.Context, key string) (d time.Duration, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.hosts.known[key]
	if h == nil || h.brake == nil {
		return 0, true
	}
	now := time.Now()
	if deadline, ok := ctx.Deadline(); ok && !h.brake.next(now).Before(deadline) {
		return 0, false
	}
	return h.brake.take(now).Sub(now), true
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
