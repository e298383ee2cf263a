// Package pace decides which check may start next.
//
// A check that may not start yet, because its host is busy, because its origin asked
// for a pause, because a token bucket is empty, or because this machine is short of what it
// needs, waits without a slot and without a worker, and another check starts that may. All
// that there is goes to who has waited longest: a place on a host to a call with checks of
// that host, and a slot, or the token of all hosts together, to a call with a check that
// lacks nothing else. A call is a [Queue], or a single check that [Pacer.Start] starts.
//
// The limits belong to a [Pacer], which all calls share.
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
	Width     int        // checks at once; at least 1, or none ever starts
	Rate      rate.Limit // requests per second
	Burst     int        // at least 1 with a Rate
	HostWidth int        // checks at once on one host; at least 1 as well
	HostRate  rate.Limit // requests per second on one host
	HostBurst int        // at least 1 with a HostRate
}

// An Item is a check to be made. What it says of itself never changes.
type Item interface {
	Host() string       // what the limits of hosts count it under; "" if it touches none and needs no limit
	Origins() [2]Origin // whose pauses it keeps; zero ones are none
}

// A Turn is that of a check which has started. The zero Turn is none.
type Turn[T Item] struct {
	Item    T
	host    *host[T]      // nil if it touches none
	origins [2]*origin[T] // those that had asked for a pause
}

// A Pacer keeps its limits over all calls. T is what they check.
// The zero Pacer is not usable; call [New]. It is safe for concurrent use.
type Pacer[T Item] struct {
	limits Limits // never changed

	// mu guards all below, and what belongs to a queue, a claim, a host or an origin.
	// It is held for moments only: nothing that waits or that takes mu itself is
	// called under it. Of a caller's code that is spawn alone; see Pacer.Queue.
	mu      sync.Mutex
	running int             // checks that run
	meter   meter           // of all hosts together
	calls   list[*Queue[T]] // those with a check that lacks a slot or a token of meter alone
	hosts   hosts[T]
	origins origins[T]
	alarms  alarms
	spare   sync.Pool // claims to use again: most live for one check only
}

// New returns a Pacer of these limits.
func New[T Item](limits Limits) *Pacer[T] {
	p := &Pacer[T]{limits: limits, meter: newMeter(limits.Rate, limits.Burst)}
	p.meter.alarm.who = p
	p.hosts.known, p.origins.known = make(map[string]*host[T]), make(map[Origin]*origin[T])
	p.alarms.tick = p.tick
	return p
}

// now returns the time if it matters: if there is a rate, or an origin that asked for a
// pause. To ask for it costs as much as to schedule a check.
func (p *Pacer[T]) now() (now time.Time) {
	if p.limits.Rate != 0 || p.limits.HostRate != 0 || len(p.origins.known) > 0 {
		now = time.Now()
	}
	return now
}

// Start waits until a single check may start, and starts it: the check takes up a slot
// and a place on its host until Done. If ctx ends before, it returns false.
func (p *Pacer[T]) Start(ctx context.Context, item T) (t Turn[T], ok bool) {
	if ctx.Err() != nil {
		return t, false
	}
	got := make(chan Turn[T], 1)
	q := p.Queue(1, func(t Turn[T]) { got <- t })
	q.slots, q.allowed = 1, 1
	q.Push(item)
	select {
	case t = <-got:
		return t, true
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	q.stopped = true
	q.clear(now)
	select {
	case t = <-got:
		p.end(t, now)
	default:
	}
	p.dispatch(now)
	return Turn[T]{}, false
}

// Done ends a check that Start started.
func (p *Pacer[T]) Done(t Turn[T]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	p.end(t, now)
	p.dispatch(now)
}

// end takes a check off its slot, its host and its origins.
func (p *Pacer[T]) end(t Turn[T], now time.Time) {
	if t.host == nil {
		return
	}
	p.running--
	for _, o := range t.origins {
		if o != nil {
			o.end(now)
		}
	}
	t.host.end(now)
}

// dispatch starts what lacks nothing, as long as there are slots and tokens for it. A
// call that has more of that comes after the others.
func (p *Pacer[T]) dispatch(now time.Time) {
	for p.calls.n > 0 && p.running < p.limits.Width {
		if !p.meter.has(1, now) {
			p.alarms.set(&p.meter.alarm, p.meter.when(1, now))
			return
		}
		q := p.calls.first.of
		c := q.pick(now)
		q.node.leave()
		if c != nil {
			q.start(c, now)
		}
		q.join()
	}
	if p.calls.n == 0 && p.meter.seekers.n == 0 {
		p.alarms.clear(&p.meter.alarm)
	}
}

// tick is called by the timer.
func (p *Pacer[T]) tick() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.alarms.ring(time.Now(), p.dispatch)
}

// ring gives the tokens of all hosts together to those who seek them; what is left is for
// dispatch.
func (p *Pacer[T]) ring(now time.Time) {
	p.meter.heard(now)
	p.await(&p.meter, now)
}

// await sets the alarm of a meter, if further requests wait for it.
func (p *Pacer[T]) await(m *meter, now time.Time) {
	if m.seekers.n > 0 {
		p.alarms.set(&m.alarm, m.when(1, now))
	}
}

// ErrNoToken says that a further request would have to wait beyond the context's
// deadline.
var ErrNoToken = errors.New("the rate limit leaves no token within the timeout")

// Token takes the tokens of one further request on a host, for a check that runs
// already. If it has to wait for them and ctx ends, it returns the cause of that. If
// they cannot be there before ctx's deadline, it takes none and returns ErrNoToken at
// once.
//
// It first waits for the token of the host, and only then takes the one of all
// hosts together, so that neither lies unused for long.
func (p *Pacer[T]) Token(ctx context.Context, key string) error {
	if p.limits.Rate == 0 && p.limits.HostRate == 0 {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	h, now := p.hosts.get(p, key), time.Now()
	h.refs++
	defer func() {
		now := time.Now()
		h.refs--
		h.serve(now) // others may wait for less now
		p.hosts.release(h, now)
	}()
	deadline, ok := ctx.Deadline()
	if ok && !(h.meter.next(now).Before(deadline) && p.meter.next(now).Before(deadline)) {
		return ErrNoToken
	}
	if err := p.seek(ctx, &h.meter, now); err != nil {
		return err
	}
	return p.seek(ctx, &p.meter, time.Now())
}

// seek takes a token of m, and lets go of mu while it waits for it.
func (p *Pacer[T]) seek(ctx context.Context, m *meter, now time.Time) error {
	if m.has(1, now) {
		m.take(now)
		return nil
	}
	s := &seeker{got: make(chan struct{})}
	s.node.of = s
	m.seekers.pushBack(&s.node)
	p.await(m, now)
	p.mu.Unlock()
	select {
	case <-s.got:
	case <-ctx.Done():
	}
	p.mu.Lock()
	if s.node.in == nil {
		return nil
	}
	s.node.leave()
	p.dispatch(time.Now())
	return context.Cause(ctx)
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
