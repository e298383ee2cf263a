package pace

import (
	"sync"
	"time"
)

// A Queue parks the checks of one call until they may start. Checks of one host
// start in the order in which they were pushed, unless Retry puts one back; hosts
// take turns.
//
// One goroutine, the feeder, calls Wanted and Push, and Close in the end. Workers
// call Next, and Done or Retry for each check that they got. A queue of one slot
// and a window of one is that of a single check, whose goroutine is feeder and
// worker at once.
//
// The zero Queue is not usable; call [Pacer.Queue]. It is safe for concurrent use.
type Queue[T any] struct {
	p      *Pacer[T]
	slots  int    // checks that run at once, at the most
	window int    // checks that are parked at once
	spawn  func() // starts a worker, which calls Next until it returns false

	// Pacer.mu guards all below. Whenever it is free, these hold:
	//   - each lane of lanes has a check, and is in the one place that it says;
	//   - no other lane is in ready or timed;
	//   - while a lane is ready, a slot free and the queue neither held nor
	//     stopped, a worker is on its way to look.

	// What is parked.
	lanes   map[string]*lane[T] // by the key of their host
	parked  int                 // checks in lanes
	closed  bool
	stopped bool

	// What starts next.
	ready     []*lane[T]    // in the order in which workers look at them
	timed     timedLanes[T] // a heap by due
	heldUntil time.Time     // no check that touches a host starts before
	timer     *time.Timer   // fires at heldUntil or when the first of timed is due

	// How many run.
	running int
	allowed int // how many may run at once: slots, or fewer while something is scarce
	calm    int // checks that ended well since allowed last changed
	step    int // by how much allowed grows next

	// Who waits.
	work    sync.Cond // workers, in Next
	feed    sync.Cond // the feeder, in Wanted
	workers int       // workers for which spawn was called, and that have not ended
	idle    int       // workers that wait and have not been woken
}

// Queue returns a queue that lets slots checks run and window checks wait.
//
// It calls spawn whenever a further worker is of use, for no more than slots of
// them at a time, beside those that have called Gone. spawn runs under the lock of
// the Pacer: it must not block, nor call a method of the Pacer or of a Queue.
func (p *Pacer[T]) Queue(slots, window int, spawn func()) *Queue[T] {
	q := &Queue[T]{p: p, slots: slots, window: window, spawn: spawn, allowed: slots, lanes: make(map[string]*lane[T])}
	q.work.L, q.feed.L = &p.mu, &p.mu
	return q
}

// Wanted waits until there is room for another check and a use for it: as long as
// as many lanes are ready as there are slots, there is none. It returns false once
// the queue was stopped.
func (q *Queue[T]) Wanted() bool {
	q.p.mu.Lock()
	defer q.p.mu.Unlock()
	for !q.stopped && (q.parked >= q.window || len(q.ready) >= q.slots) {
		q.feed.Wait()
	}
	return !q.stopped
}

// Push parks a check of the host of key. The key "" is for checks that touch no
// host, which only the number of slots limits. After Close it does nothing.
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
	for _, l := range q.lanes { // one may have been called, and will not come
		l.h.call()
	}
	q.wakeAll()
}

// Next waits for a check that may start and starts it: it has taken its tokens,
// and takes up a slot and room on its host until Done or Retry. Next returns false
// once the queue was stopped, or was closed and is empty.
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

// Done ends a check of the host of key that Next started.
func (q *Queue[T]) Done(key string) {
	q.p.mu.Lock()
	defer q.p.mu.Unlock()
	q.end(key)
	q.grow()
	q.wakeWorker()
}

// Retry ends a check that Next started, as Done does, and puts it back as the
// first of its host: something that it needs of this machine is scarce, such as
// descriptors, ports or memory. Until checks end well again, no more of them run
// at once than still do.
//
// If no other check runs, nothing starts for a moment. But if last is set then,
// waiting would be of no use: Retry does not put the check back, and returns
// false.
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

// Gone says that a worker ended otherwise than because Next returned false. If it
// was the last one and something is parked, another is spawned in its place.
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

// Drain takes out what is still parked. The queue must have been stopped, or be
// empty. Until it is closed more may be pushed, and drained again.
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
