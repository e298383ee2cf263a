package pace

import (
	"sync"
	"time"
)

// maxCooling bounds the hosts that are remembered only because their buckets are not
// full. Beyond it the oldest is forgotten, and with it how much of its burst was used up.
const maxCooling = 100_000

// hosts are those that a Pacer knows. Pacer.mu guards them all.
type hosts[T Item] struct {
	known   map[string]*host[T]
	cooling list[*host[T]] // idle but not as new, about in the order in which they will be
	spare   sync.Pool      // to use again: most live for one check only
}

// A host is what is known of one host: who is on it and who waits for it.
// Pacer.mu guards it.
type host[T Item] struct {
	p   *Pacer[T]
	key string

	active int             // checks that run, and places that claims hold
	held   int             // of these, places that claims hold
	meter  meter           // of the host
	line   list[*claim[T]] // who waits for a place or a token

	refs int            // claims on it, and further requests of it that wait
	node node[*host[T]] // in hosts.cooling

	since  time.Time // when its first check began; zero before
	served int       // checks that ended since
}

// get returns the host of key.
func (hs *hosts[T]) get(p *Pacer[T], key string) *host[T] {
	if h := hs.known[key]; h != nil {
		return h
	}
	if now := p.now(); !now.IsZero() {
		hs.sweep(now)
		p.origins.sweep(now)
	}
	h := spare[host[T]](&hs.spare)
	h.p, h.key, h.node.of = p, key, h
	h.meter = newMeter(p.limits.HostRate, p.limits.HostBurst)
	h.meter.alarm.who = h
	hs.known[key] = h
	return h
}

// release forgets h if it is idle: at once if it is as new, and otherwise when it has
// cooled.
func (hs *hosts[T]) release(h *host[T], now time.Time) {
	switch {
	case !h.idle() || h.node.in != nil:
	case h.meter.full(now):
		hs.forget(h)
	default:
		hs.cooling.pushBack(&h.node)
	}
}

// sweep looks at the host that has cooled longest, or at two, and forgets what
// it can. As it is called for every new host, the list cannot grow faster than
// it shrinks.
func (hs *hosts[T]) sweep(now time.Time) {
	for range min(2, hs.cooling.n) {
		h := hs.cooling.first.of
		if h.idle() && !h.meter.full(now) && hs.cooling.n <= maxCooling {
			return
		}
		h.node.leave()
		if h.idle() {
			hs.forget(h)
		}
	}
}

// forget removes h, for which nobody waits.
func (hs *hosts[T]) forget(h *host[T]) {
	delete(hs.known, h.key)
	h.p.alarms.clear(&h.meter.alarm)
	*h = host[T]{}
	hs.spare.Put(h)
}

// idle reports whether no check of h runs, and nobody waits for h.
func (h *host[T]) idle() bool { return h.active == 0 && h.refs == 0 }

// free reports whether a check may start that does not wait for h yet.
func (h *host[T]) free(now time.Time) bool {
	return h.line.n == 0 && h.active < h.p.limits.HostWidth && h.meter.has(h.held+1, now)
}

// end notes the end of a check, and gives its place to who has waited longest.
func (h *host[T]) end(now time.Time) {
	h.active--
	h.served++
	h.serve(now)
	h.p.hosts.release(h, now)
}

// serve gives the places that are free, and have a token, to those who have waited
// longest. Each is held until its claim starts a check. A claim whose queue cannot start
// any now, such as one whose reader has gone, gets none, and comes again when it can.
func (h *host[T]) serve(now time.Time) {
	for h.line.n > 0 && h.active < h.p.limits.HostWidth {
		if !h.meter.has(h.held+1, now) {
			if h.held == 0 { // or a claim will call again when it has started its check
				h.p.alarms.set(&h.meter.alarm, h.meter.when(1, now))
			}
			return
		}
		c := h.line.first.of
		c.node.leave()
		c.called(now)
	}
	if h.line.n == 0 && h.meter.seekers.n == 0 {
		h.p.alarms.clear(&h.meter.alarm)
	}
}

// ring gives the tokens of h first to those who seek them.
func (h *host[T]) ring(now time.Time) {
	h.meter.heard(now)
	h.p.await(&h.meter, now)
	h.serve(now)
}

// spare returns a zero value, one from the pool if there is one.
func spare[V any](p *sync.Pool) *V {
	if v, ok := p.Get().(*V); ok {
		return v
	}
	return new(V)
}
