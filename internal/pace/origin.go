package pace

import (
	"context"
	"time"
)

const (
	minGap      = time.Millisecond // a gap below this is none
	easing      = 16               // each check that ends takes this part off the gap
	brakeMemory = time.Minute      // for how long after a pause an idle origin keeps its brake
)

// An Origin is what asks for a pause, and gets it for itself alone (RFC 6454). The zero
// Origin is none.
type Origin struct{ Scheme, Host string } // Host has the port, unless that is the scheme's own

// A Pause is what an origin has asked for.
type Pause struct {
	Until  time.Time
	Status int // of the answer that asked
}

// origins are those that have asked for a pause. A pause that is not over is never
// forgotten. Pacer.mu guards them all.
type origins[T Item] struct {
	known map[Origin]*origin[T]
	all   list[*origin[T]] // the same, in the order in which sweep looks at them
}

// An origin has a brake on, because it has asked for a pause. After that its checks
// start one by one, no faster than the host has let them through before, and a little
// faster with each that ends. Pacer.mu guards it.
type origin[T Item] struct {
	p    *Pacer[T]
	key  Origin
	node node[*origin[T]] // in origins.all

	asked time.Time // when it last asked for a pause
	pause Pause     // that it asked for
	until time.Time // no check starts before
	gap   time.Duration

	active int             // checks that run and started with the brake on
	held   bool            // the next start belongs to a claim
	line   list[*claim[T]] // who waits for the next
	alarm  alarm

	refs   int       // claims on it
	since  time.Time // when it was last paused
	served int       // checks that ended since
}

// Pause lets no check of an origin, which is on the host of key, start for d, because
// it said so in an answer to a request sent at that time. What runs goes on.
//
// Later checks of it start one by one. The gap between them follows from how many
// checks it let through since it was last paused, or its host since the first began.
// Answers to other requests that were under way when it was paused do not change the
// gap: they say nothing new.
func (p *Pacer[T]) Pause(key string, at Origin, sent time.Time, d time.Duration, status int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	o := p.origins.known[at]
	if o == nil {
		p.origins.sweep(now)
		o = &origin[T]{p: p, key: at, since: now}
		if h := p.hosts.known[key]; h != nil && !h.since.IsZero() {
			o.since, o.served = h.since, h.served
		}
		o.alarm.who, o.node.of = o, o
		p.origins.known[at] = o
		p.origins.all.pushBack(&o.node)
	}
	if !sent.Before(o.asked) {
		// It let that many checks through until now, and lets none through for d.
		o.gap = min(d, (now.Sub(o.since)+d)/time.Duration(max(1, o.served)))
		o.asked, o.since, o.served = now, now, 0
		if o.active > 0 {
			o.served-- // the check that was sent away has yet to end, and does not count
		}
	}
	if end := now.Add(d); end.After(o.until) {
		o.until = end
	}
	if end := now.Add(d); end.After(o.pause.Until) {
		o.pause = Pause{end, status}
	}
}

// Paused returns the pause that one of some origins has asked for and that is over last.
// It is the zero Pause if none is under way.
func (p *Pacer[T]) Paused(origins ...Origin) (last Pause) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, key := range origins {
		o := p.origins.known[key]
		if o != nil && time.Now().Before(o.pause.Until) && o.pause.Until.After(last.Until) {
			last = o.pause
		}
	}
	return last
}

// Pass waits until origins take requests again, for a check that runs already. If that
// is not before ctx's deadline, it returns ErrNoToken at once.
func (p *Pacer[T]) Pass(ctx context.Context, origins ...Origin) error {
	for _, key := range origins {
		d, ok := p.nextStart(ctx, key)
		if !ok {
			return ErrNoToken
		}
		if err := Sleep(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// nextStart takes the next start that an origin allows, and returns how far off it is.
// It takes none that is not before ctx's deadline.
func (p *Pacer[T]) nextStart(ctx context.Context, key Origin) (d time.Duration, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	o := p.origins.known[key]
	if o == nil {
		return 0, true
	}
	now := time.Now()
	if deadline, ok := ctx.Deadline(); ok && !o.next(now).Before(deadline) {
		return 0, false
	}
	return o.take(now).Sub(now), true
}

// braked returns the first origin that a check has to wait for, other than one that it
// has waited for already. The others have to be taken when it starts, also a start of
// theirs that is held for another check: two checks that each hold what the other needs
// would otherwise swap for ever.
func (p *Pacer[T]) braked(item T, but *origin[T], now time.Time) *origin[T] {
	if len(p.origins.known) == 0 {
		return nil
	}
	for _, key := range item.Origins() {
		if o := p.origins.known[key]; o != nil && o != but && (but == nil || !o.ready(now)) {
			return o
		}
	}
	return nil
}

// begin notes the start of a check with all its origins that have a brake on.
func (p *Pacer[T]) begin(item T, now time.Time) (begun [2]*origin[T]) {
	for i, key := range item.Origins() {
		if o := p.origins.known[key]; o != nil {
			o.take(now)
			o.active++
			begun[i] = o
		}
	}
	return begun
}

// next returns when the next check may start: now or later.
func (o *origin[T]) next(now time.Time) time.Time {
	if o.until.After(now) {
		return o.until
	}
	return now
}

// take takes the start that next returns. The one after it is a gap later.
func (o *origin[T]) take(now time.Time) time.Time {
	at := o.next(now)
	o.until = at.Add(o.gap)
	return at
}

// free reports whether a check may start that does not wait for o yet.
func (o *origin[T]) free(now time.Time) bool { return o.line.n == 0 && o.open(now) }

// open reports whether a check may start.
func (o *origin[T]) open(now time.Time) bool {
	return o.off() || !o.held && o.ready(now)
}

// ready reports whether a check may start, be it one that has not waited for it.
func (o *origin[T]) ready(now time.Time) bool { return o.active == 0 && !now.Before(o.until) }

// off reports whether the brake is off, and o forgotten.
func (o *origin[T]) off() bool { return o.node.in == nil }

// end notes the end of a check. It narrows the gap; if nothing is left of that and the
// pause is over, the brake is off.
func (o *origin[T]) end(now time.Time) {
	o.active--
	o.served++
	o.gap -= o.gap / easing
	if o.gap < minGap && !now.Before(o.until) {
		o.forget()
	}
	o.serve(now)
}

// serve lets the claim go on that has waited longest, if a check may start.
func (o *origin[T]) serve(now time.Time) {
	for o.line.n > 0 && o.open(now) {
		c := o.line.first.of
		c.node.leave()
		c.passed(now)
	}
	if o.line.n > 0 && now.Before(o.until) {
		o.p.alarms.set(&o.alarm, o.until)
	} else {
		o.p.alarms.clear(&o.alarm)
	}
}

func (o *origin[T]) ring(now time.Time) { o.serve(now) }

// forget takes the brake off.
func (o *origin[T]) forget() {
	if !o.off() {
		o.node.leave()
		delete(o.p.origins.known, o.key)
	}
}

// sweep looks at two origins in turn, and forgets what it can. As it is called for every
// new one, and every new host, few are kept in vain.
func (os *origins[T]) sweep(now time.Time) {
	for range min(2, os.all.n) {
		o := os.all.first.of
		o.node.leave()
		if os.all.pushBack(&o.node); o.active == 0 && o.refs == 0 && now.After(o.until.Add(brakeMemory)) {
			o.forget()
		}
	}
}
