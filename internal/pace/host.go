package pace

import (
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxCooling bounds the hosts that are remembered only because they are not
// fresh again. Beyond it the oldest is forgotten, and with it how much of its
// burst was used up.
const maxCooling = 100_000

// hosts are those that a Pacer knows. Pacer.mu guards them.
type hosts[T any] struct {
	limits  Limits
	known   map[string]*host[T]
	cooling []*host[T] // idle but not fresh, about in the order in which they will be
	spare   sync.Pool  // to use again: most live for one check only
}

// get returns the host of key.
func (hs *hosts[T]) get(key string) *host[T] {
	if h := hs.known[key]; h != nil {
		return h
	}
	hs.sweep()
	h := spare[host[T]](&hs.spare)
	h.key, h.bucket = key, bucket(hs.limits.HostRate, hs.limits.HostBurst)
	hs.known[key] = h
	return h
}

// release forgets h if it is idle: at once if it is fresh, and otherwise when
// it has cooled.
func (hs *hosts[T]) release(h *host[T]) {
	switch {
	case !h.idle() || h.cooling:
	case h.fresh():
		hs.forget(h)
	default:
		h.cooling = true
		hs.cooling = append(hs.cooling, h)
	}
}

// sweep looks at the host that has cooled longest, or at two, and forgets what
// it can. As it is called for every new host, the list cannot grow faster than
// it shrinks.
func (hs *hosts[T]) sweep() {
	for range min(2, len(hs.cooling)) {
		h := hs.cooling[0]
		if h.idle() && !h.fresh() && len(hs.cooling) <= maxCooling {
			return
		}
		hs.cooling[0] = nil
		hs.cooling = hs.cooling[1:]
		h.cooling = false
		if h.idle() {
			hs.forget(h)
		}
	}
}

// forget removes h.
func (hs *hosts[T]) forget(h *host[T]) {
	delete(hs.known, h.key)
	*h = host[T]{}
	hs.spare.Put(h)
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
	cooling bool          // listed in hosts.cooling

	since  time.Time // when it was last paused, or else its first check began; zero before
	served int       // checks that ended since
	brake  *brake    // nil for a host that never asked for a pause
}

// begin notes the beginning of a check.
func (h *host[T]) begin(now time.Time) {
	h.active++
	if h.since.IsZero() {
		h.since = now
	}
}

// idle reports whether no check of h runs or is parked.
func (h *host[T]) idle() bool { return h.active == 0 && h.lanes == 0 }

// fresh reports whether h is as a host that is not known: its bucket is full,
// and it has no brake on.
func (h *host[T]) fresh() bool {
	if h.brake != nil && time.Now().Before(h.brake.until.Add(brakeMemory)) {
		return false
	}
	return h.bucket == nil || h.bucket.Tokens() >= float64(h.bucket.Burst())
}

// remove takes l off those that wait for h.
func (h *host[T]) remove(l *lane[T]) {
	for _, list := range []*[]*lane[T]{&h.lone, &h.blocked} {
		if i := slices.Index(*list, l); i >= 0 {
			*list = slices.Delete(*list, i, i+1)
		}
	}
}

// unblock lets those that wait for h try. There may be thousands of single checks,
// each with a worker that waits for nothing else: of them as many as there is room
// for, so that as many are on their way as h has room, for as long as any wait. Of
// other queues all try: by the time they look they may have been stopped, be busy
// with other hosts, or have a reader that has gone. They would be faster than
// single checks, so those have every other turn to themselves.
func (h *host[T]) unblock(width int) {
	room := h.width(width) - h.active
	if room <= 0 {
		return
	}
	for room > 0 && len(h.lone) > 0 {
		l := h.lone[0]
		h.lone[0] = nil
		h.lone = h.lone[1:]
		l.woken = true
		if l.q.waits() {
			room--
		}
		l.q.enter(l)
	}
	if h.turn = !h.turn; room == 0 && h.turn {
		return
	}
	blocked := h.blocked
	h.blocked = nil
	for _, l := range blocked {
		l.woken = true
		l.q.enter(l)
	}
}
