package pace

import (
	"sync"
	"time"
)

// A Queue has the checks of one call until they start. Checks of one host start in the
// order in which they were pushed, unless Retry puts one back; hosts take turns.
//
// One goroutine, the feeder, calls Wanted and Push, and Close in the end. For each
// check that starts there is a worker at once, which calls Work with it. A worker ends
// it with Done or Retry.
//
// The zero Queue is not usable; call [Pacer.Queue]. It is safe for concurrent use.
type Queue[T Item] struct {
	p      *Pacer[T]
	slots  int           // workers, at the most
	window int           // checks that are parked at once
	spawn  func(Turn[T]) // starts a worker

	// Pacer.mu guards all below.

	// What is parked.
	claims  map[claimKey[T]]*claim[T]
	free    []T // checks that touch no host, and need nothing but a worker
	short   list[*Shortage[T]]
	urgent  list[*Shortage[T]] // those whose time is over, and who wait for another check to end
	parked  int                // checks in claims, free, short and urgent
	closed  bool
	stopped bool

	// What starts next.
	ready list[*claim[T]]
	holds int             // what claims of it hold of hosts and origins
	node  node[*Queue[T]] // in Pacer.calls, if it is able to start something of ready
	turn  bool            // whether free comes first

	// How many run.
	running int
	allowed int    // how many may run at once: slots, or fewer while something is scarce
	calm    int    // checks that ended well since allowed last changed
	step    int    // by how much allowed grows next
	well    uint64 // checks that ended well
	wants   int    // checks that were short of something since the last of those

	// Who works.
	workers int            // that were spawned, and have not ended
	idle    []chan Turn[T] // of workers that wait for their next check
	changed sync.Cond      // the feeder waits for it in Wanted, and whoever waits in Wait
}

// A claimKey tells the claims of a queue apart.
type claimKey[T Item] struct {
	h *host[T]
	o *origin[T]
}

// Queue returns a queue that lets window checks wait.
//
// It calls spawn for a check that starts while no worker is idle. There are no more
// workers than checks may run at once, beside those that have called Gone. spawn runs
// under the lock of the Pacer: it must not block, nor call a method of the Pacer or of
// a Queue.
func (p *Pacer[T]) Queue(window int, spawn func(Turn[T])) *Queue[T] {
	q := &Queue[T]{p: p, slots: p.limits.Width, window: window, spawn: spawn, allowed: p.limits.Width, claims: make(map[claimKey[T]]*claim[T])}
	q.node.of, q.changed.L = q, &p.mu
	return q
}

// Wanted waits until there is room for another check and a use for it: as long as
// there is as much that only waits for a slot as there are slots, there is none. It
// returns false once the queue was stopped.
func (q *Queue[T]) Wanted() bool {
	q.p.mu.Lock()
	defer q.p.mu.Unlock()
	for !q.stopped && (q.parked >= q.window || q.ready.n+len(q.free) >= q.slots) {
		q.changed.Wait()
	}
	return !q.stopped
}

// Push parks a check, or starts it. After Close it does nothing.
func (q *Queue[T]) Push(item T) {
	q.p.mu.Lock()
	defer q.p.mu.Unlock()
	if q.closed {
		return
	}
	now := q.p.now()
	q.parked++
	if item.Host() == "" {
		q.free = append(q.free, item)
		q.startFree(now)
		return
	}
	c := q.claim(q.p.hosts.get(q.p, item.Host()), nil)
	c.items = append(c.items, item)
	if c.node.in == nil {
		c.wait(now)
	}
	q.p.dispatch(now)
}

// claim returns the claim on h, for checks of o if that is not nil. A new one is empty
// and in no list.
func (q *Queue[T]) claim(h *host[T], o *origin[T]) *claim[T] {
	key := claimKey[T]{h, o}
	c := q.claims[key]
	if c == nil {
		c = spare[claim[T]](&q.p.spare)
		c.q, c.h, c.o, c.items, c.node.of = q, h, o, c.one[:0], c
		q.claims[key] = c
		h.refs++
		if o != nil {
			o.refs++
		}
	}
	return c
}

// Close says that nothing more will be pushed.
func (q *Queue[T]) Close() {
	q.p.mu.Lock()
	defer q.p.mu.Unlock()
	q.closed = true
	if q.over() {
		q.endIdle()
	}
}

// Stop ends the queue: nothing starts any more, Wanted returns false, and Wait returns.
func (q *Queue[T]) Stop() {
	q.p.mu.Lock()
	defer q.p.mu.Unlock()
	now := q.p.now()
	q.stopped = true
	q.withdraw(now)
	q.endIdle()
	q.p.dispatch(now)
}

// Wait waits until the queue was stopped, or was closed and has started all. Then no
// worker is spawned any more, except by Retry and Gone.
func (q *Queue[T]) Wait() {
	q.p.mu.Lock()
	defer q.p.mu.Unlock()
	for !q.stopped && !q.over() {
		q.changed.Wait()
	}
}

// Work is what a worker does with the check that it was spawned for: it calls check with
// that one, and then with others as they start, until nothing is left to start.
func (q *Queue[T]) Work(t Turn[T], check func(Turn[T])) {
	next := make(chan Turn[T], 1)
	for ok := true; ok; t, ok = <-next {
		check(t)
		q.offer(next)
	}
}

// offer lets a worker wait for its next check. The channel is closed if there is none.
func (q *Queue[T]) offer(next chan Turn[T]) {
	q.p.mu.Lock()
	defer q.p.mu.Unlock()
	q.idle = append(q.idle, next)
	if q.stopped || q.over() {
		q.endIdle()
		return
	}
	q.resume(q.p.now())
}

// resume starts what it can, after there was no worker or no leave to do so. What needs a
// worker alone takes turns with the rest.
func (q *Queue[T]) resume(now time.Time) {
	if q.turn = !q.turn; q.turn {
		q.startFree(now)
	}
	q.join()
	q.p.dispatch(now)
	q.startFree(now)
}

// Done ends a check.
func (q *Queue[T]) Done(t Turn[T]) {
	q.p.mu.Lock()
	defer q.p.mu.Unlock()
	now := q.p.now()
	q.end(t, now)
	q.well++
	q.wants = 0
	q.grow()
	q.favour(now)
	q.join()
	q.p.dispatch(now)
}

// Retry ends a check, as Done does, that could not be made because something that it needs
// of this machine is scarce, such as descriptors, ports or memory. It is put back, and
// tried again a moment later; s is its shortage, the same at each try.
//
// What one check is short of may be there for the others. But once more than a few checks,
// and more than still run, have been short of something since the last one ended well, no
// more run at once than still do, until checks end well again.
//
// Where waiting is of no use any more, Retry does not put the check back, and returns
// false.
func (q *Queue[T]) Retry(t Turn[T], s *Shortage[T]) bool {
	q.p.mu.Lock()
	defer q.p.mu.Unlock()
	now := time.Now()
	defer q.p.dispatch(now)
	h := t.host
	h.refs++ // it is needed still
	q.end(t, now)
	h.refs--
	s.hit(q, t)
	if q.wants > max(few, q.running) {
		q.shrink()
	}
	if s.hopeless(now) {
		q.p.hosts.release(h, now)
		return false
	}
	q.withdraw(now)
	s.wait(now)
	q.join()
	return true
}

// end takes a check off what it took up.
func (q *Queue[T]) end(t Turn[T], now time.Time) {
	if t.host != nil {
		q.running--
	}
	q.p.end(t, now)
}

// Gone says that a worker ended otherwise than because Work returned. If it is of use,
// another is spawned in its place.
func (q *Queue[T]) Gone() {
	q.p.mu.Lock()
	defer q.p.mu.Unlock()
	q.workers--
	q.resume(q.p.now())
}

// Drain takes out what is still parked. The queue must have been stopped, or be
// empty. Until it is closed more may be pushed, and drained again.
func (q *Queue[T]) Drain() []T {
	q.p.mu.Lock()
	defer q.p.mu.Unlock()
	now := q.p.now()
	left := q.clear(now)
	q.p.dispatch(now)
	return left
}

// clear is Drain under the lock.
func (q *Queue[T]) clear(now time.Time) []T {
	left := q.free
	q.node.leave()
	for _, c := range q.claims {
		left = append(left, c.items...)
		c.drop(now)
	}
	for _, l := range []*list[*Shortage[T]]{&q.short, &q.urgent} {
		for l.n > 0 {
			s := l.first.of
			s.leave()
			q.p.hosts.release(s.t.host, now)
			left = append(left, s.t.Item)
		}
	}
	q.parked, q.free = 0, nil
	return left
}
