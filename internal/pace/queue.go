package pace

import (
	"sync"
	"time"
)

// A Queue parks the checks of one call until they may start. Checks of one host
// start in the order in which they were pushed; hosts that are ready take
// turns.
type Queue[T any] struct {
	p      *Pacer[T]
	slots  int    // checks at once, at the most
	window int    // checks parked at once
	spawn  func() // starts a worker, which calls Next until it returns false

	// All below is guarded by p.mu.

	// What is parked. Each lane of lanes has at least one check and is in one
	// place; ready and timed have no others.
	lanes   map[string]*lane[T]
	parked  int // checks in lanes
	closed  bool
	stopped bool

	// What starts next.
	ready     []*lane[T]    // in the order in which a worker looks at them
	timed     timedLanes[T] // by due
	heldUntil time.Time     // what touches a host does not start before
	timer     *time.Timer   // fires at heldUntil or when the first of timed is due

	// How many run.
	running int
	allowed int // at once: slots, or fewer while something is scarce
	calm    int // checks that ended well since allowed last changed
	step    int // by how much allowed grows next

	// Who waits.
	work    sync.Cond // workers, in Next
	feed    sync.Cond // the feeder, in Wanted
	workers int
	idle    int // workers that wait and have not been woken
}

// Queue returns a queue that lets slots checks run and window checks wait.
// spawn is called whenever a further worker is of use, at most slots times; it
// must not block.
func (p *Pacer[T]) Queue(slots, window int, spawn func()) *Queue[T] {
	q := &Queue[T]{p: p, slots: slots, window: window, spawn: spawn, allowed: slots, lanes: make(map[string]*lane[T])}
	q.work.L, q.feed.L = &p.mu, &p.mu
	return q
}

// Wanted waits until there is room for another check and a use for it. It
// returns false once the queue was stopped.
func (q *Queue[T]) Wanted() bool {
	q.p.mu.Lock()
	defer q.p.mu.Unlock()
	for !q.stopped && (q.parked >= q.window || len(q.ready) >= q.slots) {
		q.feed.Wait()
	}
	return !q.stopped
}

// Push parks a check of the host of key. The key "" is that of checks that
// touch no host: no limit holds for them but the number of slots. After Close it
// does nothing.
func (q *Queue[T]) Push(key string, item T) {
	q.p.mu.Lock()
	defer q.p.mu.Unlock()
	if q.closed {
		return
	}
	l := q.lane(key)
	l.items = append(l.items, item)
	q.parked++
	if l.place == nowhere {
		q.makeReady(l)
	}
}

// lane returns the lane of key. A new one is empty and nowhere.
func (q *Queue[T]) lane(key string) *lane[T] {
	l := q.lanes[key]
	if l == nil {
		l = spare[lane[T]](&q.p.spareLanes)
		l.q, l.h, l.items = q, q.p.hosts.get(key), l.one[:0]
		l.h.lanes++
		q.lanes[key] = l
	}
	return l
}

// drop removes a lane that is nowhere.
func (q *Queue[T]) drop(l *lane[T]) {
	delete(q.lanes, l.h.key)
	l.h.lanes--
	q.p.hosts.release(l.h)
	*l = lane[T]{}
	q.p.spareLanes.Put(l)
}

// Close says that nothing more will be pushed.
func (q *Queue[T]) Close() {
	q.p.mu.Lock()
	defer q.p.mu.Unlock()
	q.closed = true
	q.wakeAll()
}

// Stop ends the queue: Wanted and Next return false from now on.
func (q *Queue[T]) Stop() {
	q.p.mu.Lock()
	defer q.p.mu.Unlock()
	q.stopped = true
	for _, l := range q.lanes { // one may have had its turn
		l.h.call()
	}
	q.wakeAll()
}

// Next waits for a check that may start and starts it: it holds a slot, a
// place on its host and its tokens until Done. It returns false once the queue
// was stopped, or was closed and is empty.
func (q *Queue[T]) Next() (item T, ok bool) {
	q.p.mu.Lock()
	defer q.p.mu.Unlock()
	for !q.stopped {
		if q.running < q.allowed {
			if item, ok = q.start(time.Now()); ok {
				return item, true
			}
		}
		if q.over() {
			break
		}
		q.idle++
		q.work.Wait()
	}
	q.workers--
	return item, false
}

// Done ends what Next started.
func (q *Queue[T]) Done(key string) {
	q.p.mu.Lock()
	defer q.p.mu.Unlock()
	q.end(key)
	q.grow()
	q.wakeWorker()
}

// Retry ends what Next started and puts it back at the head of its lane, because
// something that it needs of this machine is scarce: descriptors, ports or
// memory. From now on no more checks run at once than still do. If none does,
// then nothing starts for a moment; or, if last is set, the check is not put
// back, as waiting would be of no use, and Retry returns false.
func (q *Queue[T]) Retry(key string, item T, last bool) bool {
	q.p.mu.Lock()
	defer q.p.mu.Unlock()
	q.end(key)
	q.shrink()
	defer q.wakeWorker()
	if q.running == 0 {
		if last {
			return false
		}
		now := time.Now()
		q.hold(now.Add(scarcityHold), now)
	}
	l := q.lane(key)
	l.items = append([]T{item}, l.items...)
	q.parked++
	if l.place == nowhere {
		q.makeReady(l)
	}
	return true
}

// scarcityHold is for how long nothing starts if what is scarce does not do for
// even one check.
const scarcityHold = 20 * time.Millisecond

// end takes a check off its host.
func (q *Queue[T]) end(key string) {
	q.running--
	h := q.p.hosts.known[key]
	h.end()
	q.p.hosts.release(h)
}

// Gone says that a worker ended without Next having returned false. If it was the
// last one, another waits in its place for whatever is parked.
func (q *Queue[T]) Gone() {
	q.p.mu.Lock()
	defer q.p.mu.Unlock()
	q.workers--
	if q.workers == 0 && q.parked > 0 && !q.stopped {
		q.workers++
		q.spawn()
		return
	}
	q.wakeWorker()
}

// Drain takes out what is still parked. The queue must have been stopped; until it
// is closed, more may come.
func (q *Queue[T]) Drain() []T {
	q.p.mu.Lock()
	defer q.p.mu.Unlock()
	if q.timer != nil {
		q.timer.Stop()
	}
	var left []T
	for _, l := range q.lanes {
		left = append(left, l.items...)
		if l.place == atHost {
			l.h.dequeue(l)
		}
		q.drop(l)
	}
	q.parked, q.ready, q.timed = 0, nil, nil
	return left
}
