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

// hosts are those that a Pacer knows. Pacer.mu guards them all.
type hosts[T any] struct {
	limits  Limits // never changed, and so read without mu too
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
	h.key, h.most = key, hs.limits.HostWidth
	h.bucket = bucket(hs.limits.HostRate, hs.limits.HostBurst)
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
// Pacer.mu guards it.
type host[T any] struct {
	key    string
	bucket *rate.Limiter // nil without a limit
	most   int           // checks at once, while it has no brake

	active  int  // checks that run
	lanes   int  // queues that have checks of it parked
	cooling bool // listed in hosts.cooling

	// Who waits for room: lanes whose place is atHost, in the order in which they
	// will be called.
	alternate bool       // flips with each call: if set, batches wait while singles take all the room
	singles   []*lane[T] // of queues of a single check
	batches   []*lane[T] // of all others

	// How fast it takes checks.
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

// end notes the end of a check, and calls those for whom there is room now.
func (h *host[T]) end() {
	h.active--
	h.served++
	if h.brake != nil && h.brake.ease() {
		h.brake = nil
	}
	h.call()
}

// room returns how many more checks may run at once.
func (h *host[T]) room() int {
	if h.brake != nil {
		return 1 - h.active
	}
	return h.most - h.active
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

// enqueue lets l wait until h has room. A lane that was called, and found that
// another had been faster, is the first.
func (h *host[T]) enqueue(l *lane[T]) {
	list := h.waiting(l)
	at := len(*list)
	if l.called {
		at = 0
	}
	*list = slices.Insert(*list, at, l)
	l.place, l.called = atHost, false
}

// dequeue takes l off those that wait.
func (h *host[T]) dequeue(l *lane[T]) {
	list := h.waiting(l)
	i := slices.Index(*list, l)
	*list = slices.Delete(*list, i, i+1)
	l.place = nowhere
}

// waiting returns the list in which l waits.
func (h *host[T]) waiting(l *lane[T]) *[]*lane[T] {
	if l.q.single() {
		return &h.singles
	}
	return &h.batches
}

// call makes those ready that wait for room, if there is any.
//
// Of single checks there may be thousands, each with a worker that waits for
// nothing else. So no more of them are called than there is room for; one whose
// worker does not wait takes no room.
//
// Of other queues all are called: until they look, they may have been stopped,
// be busy with other hosts, or have a reader that has gone. As they look sooner
// than a single check does, they are called only every other time if single
// checks take all the room.
func (h *host[T]) call() {
	room := h.room()
	if room <= 0 {
		return
	}
	for room > 0 && len(h.singles) > 0 {
		l := h.singles[0]
		h.singles[0] = nil
		h.singles = h.singles[1:]
		if l.q.hasWaiter() {
			room--
		}
		l.call()
	}
	h.alternate = !h.alternate
	if room == 0 && h.alternate {
		return
	}
	batches := h.batches
	h.batches = nil
	for _, l := range batches {
		l.call()
	}
}
