package pace

import "time"

// able reports whether q could start a check.
func (q *Queue[T]) able() bool {
	return !q.stopped && q.running < q.allowed && q.hasWorker()
}

// hasWorker reports whether a worker is idle, or may be spawned.
func (q *Queue[T]) hasWorker() bool { return len(q.idle) > 0 || q.workers < q.slots }

// over reports whether nothing will start any more, unless a check is put back.
func (q *Queue[T]) over() bool { return q.closed && q.parked == 0 }

// join lets q wait for a slot and a token, if it has a use for them.
func (q *Queue[T]) join() {
	if q.node.in == nil && q.ready.n > 0 && q.able() {
		q.p.calls.pushBack(&q.node)
	}
}

// withdraw lets others have what the claims of q hold, if q could not start a check now.
func (q *Queue[T]) withdraw(now time.Time) {
	if q.able() {
		return
	}
	q.node.leave()
	for n := q.ready.first; n != nil && q.holds > 0; n = n.next {
		if n.of.place || n.of.pass {
			n.of.yield(now)
		}
	}
}

// pick returns the first claim of ready whose first check may start, out of the list.
func (q *Queue[T]) pick(now time.Time) *claim[T] {
	defer q.wakeFeeder()
	for q.ready.n > 0 {
		c := q.ready.first.of
		c.node.leave()
		if c.admit(now) {
			return c
		}
	}
	return nil
}

// start starts the first check of c.
func (q *Queue[T]) start(c *claim[T], now time.Time) {
	h := c.h
	t := Turn[T]{Item: c.shift(), host: h}
	t.origins = q.p.begin(t.Item, now)
	c.release()
	c.senior = false
	h.active++
	if h.since.IsZero() {
		h.since = time.Now()
	}
	h.meter.take(now)
	q.p.meter.take(now)
	q.p.running++
	q.running++
	if len(c.items) > 0 {
		c.wait(now)
	} else {
		c.drop(now)
	}
	h.serve(now)
	q.grant(t, now)
}

// startFree starts what needs nothing but a worker.
func (q *Queue[T]) startFree(now time.Time) {
	for len(q.free) > 0 && q.hasWorker() && !q.stopped {
		item := q.free[0]
		q.free = q.free[1:]
		q.grant(Turn[T]{Item: item}, now)
	}
	q.wakeFeeder()
}

// grant gives a check that has started to the worker that became idle last, or to a new
// one.
func (q *Queue[T]) grant(t Turn[T], now time.Time) {
	q.parked--
	if n := len(q.idle); n > 0 {
		next := q.idle[n-1]
		q.idle = q.idle[:n-1]
		next <- t // it has room for one
	} else {
		q.workers++
		q.spawn(t)
	}
	if q.over() {
		q.endIdle()
	}
	q.withdraw(now)
}

// endIdle ends the workers that wait, and wakes the others who do.
func (q *Queue[T]) endIdle() {
	for _, next := range q.idle {
		close(next)
	}
	q.workers -= len(q.idle)
	q.idle = nil
	q.changed.Broadcast()
}

// wakeFeeder lets the feeder push more once half of what was ready has started:
// to wake it for every check would cost more than to push one.
func (q *Queue[T]) wakeFeeder() {
	if q.parked < q.window && q.ready.n+len(q.free) <= q.slots/2 {
		q.changed.Broadcast()
	}
}

// shrink lets no more checks run than still do, because something is scarce.
func (q *Queue[T]) shrink() {
	q.allowed, q.calm, q.step = max(1, q.running), 0, 1
}

// grow takes back what shrink did when twice as many checks as may run have ended
// well, and no fewer than eight: it allows one more, the next time two, then four
// and so on, up to a quarter more at a time.
func (q *Queue[T]) grow() {
	if q.allowed == q.slots {
		return
	}
	if q.calm++; q.calm >= 2*max(q.allowed, 4) {
		q.allowed = min(q.slots, q.allowed+q.step)
		q.calm, q.step = 0, min(2*q.step, max(1, q.allowed/4))
	}
}
