package pace

import (
	"container/heap"
	"slices"
	"time"
)

// start starts the first check that may start.
func (q *Queue[T]) start(now time.Time) (item T, ok bool) {
	for len(q.ready) > 0 {
		if now.Before(q.heldUntil) && !q.hostlessFirst() {
			break
		}
		l := q.ready[0]
		switch where, until := q.admit(l, now); where {
		case nowhere:
			return q.begin(l, now), true
		case atHost:
			q.unready(l)
			l.h.enqueue(l)
		case inTimed:
			q.unready(l)
			q.delay(l, until, now)
		case inReady:
			q.hold(until, now)
		}
	}
	q.wakeFeeder()
	return item, false
}

// admit takes what the first check of l needs to start, and returns nowhere. If
// something is not to be had now, it takes nothing and returns the place where
// l has to wait, and until when: inReady if all of q has to.
func (q *Queue[T]) admit(l *lane[T], now time.Time) (_ place, until time.Time) {
	h := l.h
	if h.key == "" {
		return nowhere, now
	}
	if h.room() <= 0 || len(h.singles) > 0 && !l.called {
		return atHost, now // what was not called leaves its room to single checks
	}
	if h.brake != nil && now.Before(h.brake.until) {
		return inTimed, h.brake.until
	}
	t := q.p.reserve(h, now)
	if d := t.delay(now); d > 0 {
		t.giveBack(now)
		if h.bucket != nil && h.bucket.TokensAt(now) < 1 {
			return inTimed, now.Add(d)
		}
		return inReady, now.Add(d)
	}
	if h.brake != nil {
		h.brake.take(now)
	}
	return nowhere, now
}

// begin starts the first check of l, which is the first of ready.
func (q *Queue[T]) begin(l *lane[T], now time.Time) T {
	q.unready(l)
	item := l.next()
	l.h.begin(now)
	q.running++
	q.parked--
	if len(l.items) > 0 {
		l.place = inReady
		q.ready = append(q.ready, l)
	} else {
		q.drop(l)
	}
	q.wakeFeeder()
	if q.over() {
		q.wakeAll()
	} else {
		q.wakeWorker()
	}
	return item
}

// makeReady puts l at the end of ready.
func (q *Queue[T]) makeReady(l *lane[T]) {
	l.place = inReady
	q.ready = append(q.ready, l)
	q.wakeWorker()
}

// unready takes l, which is the first, out of ready.
func (q *Queue[T]) unready(l *lane[T]) {
	l.place = nowhere
	q.ready[0] = nil
	q.ready = q.ready[1:]
}

// hostlessFirst moves the lane of checks that touch no host to the front of
// ready, and reports whether it is there: those need no token.
func (q *Queue[T]) hostlessFirst() bool {
	i := slices.Index(q.ready, q.lanes[""])
	if i >= 0 {
		q.ready[0], q.ready[i] = q.ready[i], q.ready[0]
	}
	return i >= 0
}

// delay lets l wait until it is due.
func (q *Queue[T]) delay(l *lane[T], due, now time.Time) {
	l.place, l.due = inTimed, due
	heap.Push(&q.timed, l)
	q.arm(now)
}

// hold lets no check start before until, unless it touches no host.
func (q *Queue[T]) hold(until, now time.Time) {
	q.heldUntil = until
	q.arm(now)
}

// arm sets the timer to the next moment at which something may start.
func (q *Queue[T]) arm(now time.Time) {
	next := q.heldUntil
	if len(q.timed) > 0 && (!now.Before(next) || q.timed[0].due.Before(next)) {
		next = q.timed[0].due
	}
	switch d := next.Sub(now); {
	case d <= 0:
	case q.timer == nil:
		q.timer = time.AfterFunc(d, q.tick)
	default:
		q.timer.Reset(d)
	}
}

// tick makes those ready that are due.
func (q *Queue[T]) tick() {
	q.p.mu.Lock()
	defer q.p.mu.Unlock()
	now := time.Now()
	for len(q.timed) > 0 && !now.Before(q.timed[0].due) {
		l := heap.Pop(&q.timed).(*lane[T])
		unseen := !q.hasWaiter()
		q.makeReady(l)
		if l.called && unseen {
			l.h.call() // no worker looks at l now, so another may have its room
		}
	}
	q.wakeWorker()
	q.arm(now)
}

// wakeWorker lets a worker look at what is ready or, if all is over, end.
func (q *Queue[T]) wakeWorker() {
	startable := len(q.ready) > 0 && q.running < q.allowed
	switch {
	case q.idle > 0 && (startable || q.over()):
		q.idle--
		q.work.Signal()
	case startable && q.workers < q.slots && !q.stopped:
		q.workers++
		q.spawn()
	}
}

// wakeFeeder lets the feeder push more once half of what was ready has started:
// to wake it for every check would cost more than to push one.
func (q *Queue[T]) wakeFeeder() {
	if q.parked < q.window && len(q.ready) <= q.slots/2 {
		q.feed.Signal()
	}
}

// wakeAll lets the feeder and all workers look whether the queue has ended.
func (q *Queue[T]) wakeAll() {
	q.idle = 0
	q.work.Broadcast()
	q.feed.Broadcast()
}

// over reports whether nothing will start any more, unless a check is put back.
func (q *Queue[T]) over() bool { return q.closed && q.parked == 0 }

// single reports whether q has one check at a time, parked or running.
func (q *Queue[T]) single() bool { return q.slots == 1 && q.window == 1 }

// hasWaiter reports whether a worker of q waits, and would look at once at a lane
// that becomes ready.
func (q *Queue[T]) hasWaiter() bool {
	return !q.stopped && q.idle > 0 && q.running < q.allowed && len(q.ready) == 0
}

// shrink lets no more checks run than still do, because something is scarce.
func (q *Queue[T]) shrink() {
	q.allowed, q.calm, q.step = max(1, q.running), 0, 1
}

// grow takes back what shrink did when as many checks as may run have ended
// well, and no fewer than four: it allows one more, the next time two, then four
// and so on, up to a quarter more at a time.
func (q *Queue[T]) grow() {
	if q.allowed == q.slots {
		return
	}
	if q.calm++; q.calm >= max(q.allowed, 4) {
		q.allowed = min(q.slots, q.allowed+q.step)
		q.calm, q.step = 0, min(2*q.step, max(1, q.allowed/4))
	}
}

// timedLanes is a heap of lanes by due.
type timedLanes[T any] []*lane[T]

func (t timedLanes[T]) Len() int           { return len(t) }
func (t timedLanes[T]) Less(i, j int) bool { return t[i].due.Before(t[j].due) }
func (t timedLanes[T]) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }
func (t *timedLanes[T]) Push(l any)        { *t = append(*t, l.(*lane[T])) }
func (t *timedLanes[T]) Pop() any {
	old := *t
	l := old[len(old)-1]
	old[len(old)-1] = nil
	*t = old[:len(old)-1]
	return l
}
