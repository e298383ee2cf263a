package pace

import (
	"context"
	"time"
)

const (
	minGap = time.Millisecond // a gap below this is none
	ease   = 16               // each check that ends takes this part off the gap

	brakeMemory = time.Minute // for how long after a pause an idle host keeps its brake
)

// A brake slows down a host that has asked for a pause. After it, checks of the
// host are released one by one, no faster than the host has let them through
// before, and a little faster with each that ends.
type brake struct {
	set   time.Time     // when the host last asked
	until time.Time     // no check starts before
	gap   time.Duration // between two starts
}

// Pause lets no check of the host of key start for d, because the host said so
// in answer to a request sent at that time. What runs goes on.
//
// The gap between later starts follows from how many checks the host let
// through since it was last paused, or since the first began. Other answers to
// requests that were under way when it was paused say nothing new.
func (p *Pacer[T]) Pause(key string, sent time.Time, d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	h := p.hosts.get(key)
	if h.since.IsZero() {
		h.since = now
	}
	b := h.brake
	if b == nil {
		b = new(brake)
		h.brake = b
	}
	if !sent.Before(b.set) {
		b.gap = min(d, (now.Sub(h.since)+d)/time.Duration(max(1, h.served)))
		b.set, h.since, h.served = now, now, 0
	}
	if end := now.Add(d); end.After(b.until) {
		b.until = end
	}
	if h.active > 0 {
		h.served-- // the check that was sent away is about to end
	}
	p.hosts.release(h)
}

// TokenAfterPause is [Pacer.Token] for a check that runs already and was sent
// away: it first waits until the host of key takes requests again. If that is
// not before ctx's deadline, it returns ErrNoTurn at once.
func (p *Pacer[T]) TokenAfterPause(ctx context.Context, key string) error {
	d, ok := p.nextStart(ctx, key)
	if !ok {
		return ErrNoTurn
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
func (p *Pacer[T]) nextStart(ctx context.Context, key string) (wait time.Duration, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.hosts.known[key]
	if h == nil || h.brake == nil {
		return 0, true
	}
	now := time.Now()
	if d, ok := ctx.Deadline(); ok && !h.brake.next(now).Before(d) {
		return 0, false
	}
	return h.brake.take(now).Sub(now), true
}

// next returns when the next check may start: now or later.
func (b *brake) next(now time.Time) time.Time {
	if b.until.After(now) {
		return b.until
	}
	return now
}

// take is next, and moves the one after that a gap further.
func (b *brake) take(now time.Time) time.Time {
	at := b.next(now)
	b.until = at.Add(b.gap)
	return at
}

// passed notes the end of a check.
func (h *host[T]) passed() {
	h.served++
	if b := h.brake; b != nil {
		b.gap -= b.gap / ease
		if b.gap < minGap && !time.Now().Before(b.until) {
			h.brake = nil
		}
	}
}
