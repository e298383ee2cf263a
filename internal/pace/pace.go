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

// maxCooling bounds the hosts that are remembered only because their token
// bucket is not full again. Beyond it the oldest is forgotten, and with it how
// much of its burst was used up.
const maxCooling = 100_000

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
	limits Limits

	mu      sync.Mutex // guards all below, and the queues
	all     *rate.Limiter
	hosts   map[string]*host[T]
	cooling []*host[T] // idle ones whose bucket fills up, about in the order in which they will be full

	spareHosts, spareLanes sync.Pool // to use again: most live for one check only
}

// A host is what is known of one host: who is on it and who waits for it.
type host[T any] struct {
	key     string
	bucket  *rate.Limiter // nil without a limit
	active  int           // checks that run
	lanes   int           // queues that have checks of it parked
	lone    []*lane[T]    // of those, single checks that wait for active to sink, first come first served
	blocked []*lane[T]    // and the others that wait for that
	turn    bool          // the turn before was that of single checks
	cooling bool          // listed in Pacer.cooling

	since  time.Time // when it was last paused, or else its first check began; zero before
	served int       // checks that ended since
	brake  *brake    // nil for a host that never asked for a pause
}

// New returns a Pacer of these limits.
func New[T any](limits Limits) *Pacer[T] {
	return &Pacer[T]{
		limits: limits,
		all:    bucket(limits.Rate, limits.Burst),
		hosts:  make(map[string]*host[T]),
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
	if p.all == nil && p.limits.HostRate == 0 {
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
	h := p.host(key)
	defer p.rest(h)
	if d, ok := ctx.Deadline(); ok {
		wait, cancel := p.reserve(h, now)
		cancel(now)
		if now.Add(wait).After(d) {
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

// reserve takes a token of each bucket and returns how long it will be until
// they are there. cancel gives them back.
func (p *Pacer[T]) reserve(h *host[T], now time.Time) (wait time.Duration, cancel func(time.Time)) {
	if h.bucket == nil && p.all == nil {
		return 0, nil
	}
	var taken [2]*rate.Reservation
	for i, b := range []*rate.Limiter{h.bucket, p.all} {
		if b != nil {
			taken[i] = b.ReserveN(now, 1)
			wait = max(wait, taken[i].DelayFrom(now))
		}
	}
	return wait, func(now time.Time) {
		for _, r := range taken {
			if r != nil {
				r.CancelAt(now)
			}
		}
	}
}

// host returns the host of key.
func (p *Pacer[T]) host(key string) *host[T] {
	if h := p.hosts[key]; h != nil {
		return h
	}
	p.forget()
	h := spare[host[T]](&p.spareHosts)
	h.key, h.bucket = key, bucket(p.limits.HostRate, p.limits.HostBurst)
	p.hosts[key] = h
	return h
}

// remove forgets h.
func (p *Pacer[T]) remove(h *host[T]) {
	delete(p.hosts, h.key)
	*h = host[T]{}
	p.spareHosts.Put(h)
}

// begin notes the beginning of a check.
func (h *host[T]) begin(now time.Time) {
	h.active++
	if h.since.IsZero() {
		h.since = now
	}
}

// spare returns a zero value, one from the pool if there is one.
func spare[V any](p *sync.Pool) *V {
	if v, ok := p.Get().(*V); ok {
		return v
	}
	return new(V)
}

// rest lets go of h if nothing runs or waits on it: at once if its bucket is
// full and it has no brake on, which is how a new one begins, and otherwise
// later.
func (p *Pacer[T]) rest(h *host[T]) {
	switch {
	case h.active > 0 || h.lanes > 0 || h.cooling:
	case h.full():
		p.remove(h)
	default:
		h.cooling = true
		p.cooling = append(p.cooling, h)
	}
}

// forget looks at the host that has cooled longest, or at two. As it is called
// for every new host, the list cannot grow faster than it shrinks.
func (p *Pacer[T]) forget() {
	for range min(2, len(p.cooling)) {
		h := p.cooling[0]
		idle := h.active == 0 && h.lanes == 0
		if idle && !h.full() && len(p.cooling) <= maxCooling {
			return
		}
		p.cooling[0] = nil
		p.cooling = p.cooling[1:]
		h.cooling = false
		if idle {
			p.remove(h)
		}
	}
}

// full reports whether h is as a host that is not known.
func (h *host[T]) full() bool {
	if h.brake != nil && time.Now().Before(h.brake.until.Add(memory)) {
		return false
	}
	return h.bucket == nil || h.bucket.Tokens() >= float64(h.bucket.Burst())
}
