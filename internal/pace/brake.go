package pace

import "time"

const (
	minGap      = time.Millisecond // a gap below this is none
	easing      = 16               // each check that ends takes this part off the gap
	brakeMemory = time.Minute      // for how long after a pause an idle host keeps its brake
)

// A brake slows down a host that has asked for a pause. After the pause, its
// checks start one by one, no faster than the host has let them through before,
// and a little faster with each that ends. Pacer.mu guards it.
type brake struct {
	asked time.Time     // when the host last asked for a pause
	until time.Time     // no check starts before
	gap   time.Duration // between two starts
}

// next returns when the next check may start: now or later.
func (b *brake) next(now time.Time) time.Time {
	if b.until.After(now) {
		return b.until
	}
	return now
}

// take takes the start that next returns. The one after it is a gap later.
func (b *brake) take(now time.Time) time.Time {
	at := b.next(now)
	b.until = at.Add(b.gap)
	return at
}

// ease narrows the gap, because a check has ended. It reports whether the brake
// is off: nothing is left of the gap, and the pause is over.
func (b *brake) ease() (off bool) {
	b.gap -= b.gap / easing
	return b.gap < minGap && !time.Now().Before(b.until)
}

// pause puts the brake of h on for d, because h has asked for that in answer to
// a request sent at that time.
func (h *host[T]) pause(now, sent time.Time, d time.Duration) {
	if h.since.IsZero() {
		h.since = now
	}
	if h.brake == nil {
		h.brake = new(brake)
	}
	b := h.brake
	if !sent.Before(b.asked) {
		// h let that many checks through until now, and lets none through for d.
		b.gap = min(d, (now.Sub(h.since)+d)/time.Duration(max(1, h.served)))
		b.asked, h.since, h.served = now, now, 0
	}
	if end := now.Add(d); end.After(b.until) {
		b.until = end
	}
	if h.active > 0 {
		h.served-- // the check that was sent away has yet to end, and does not count
	}
}
