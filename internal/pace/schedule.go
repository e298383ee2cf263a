package pace

import (
	"container/heap"
	"slices"
	"time"
)

// enter makes l one of those whose turn may come.
func (q *Queue[T]) enter(l *lane[T]) {
	q.ready = append(q.ready, l)
	q.wake()
}

// start begins the first check that may.
func (q *Queue[T]) start(now time.Time) (item T, ok bool) {
	for len(q.ready) > 0 {
		if now.Before(q.hold) && !q.hostless() {
			break
		}
		l := q.ready[0]
		q.ready[0] = nil
		q.ready = q.ready[1:]
		if l.h.key != "" && !q.admit(l, now) {
			continue
		}
		item, l.items, l.called = l.items[0], l.items[1:], false
		l.h.begin(now)
		q.running++
		q.parked--
		if len(l.items) > 0 {
			q.ready = append(q.ready, l)
		} else {
			q.drop(l)
		}
		q.started()
		return item, true
	}
	q.hungry()
	return item, false
}

// hungry gets the feeder to look when half of what may start has: to wake it for
// every check would cost more than to feed one.
func (q *Queue[T]) hungry() {
	if q.parked < q.window && len(q.ready) <= q.slots/2 {
		q.room.Signal()
	}
}

// hostless moves the lane of checks that touch no host to the front, if there
// is one: they need not wait for a token.
func (q *Queue[T]) hostless() bool {
	i := slices.Index(q.ready, q.lanes[""])
	if i >= 0 {
		q.ready[0], q.ready[i] = q.ready[i], q.ready[0]
	}
	return i >= 0
}

// started passes on what a start makes possible: room for the feeder, a look at
// the next check for another worker, and the end for all if this was the last.
func (q *Queue[T]) started() {
	q.hungry()
	if q.closed && q.parked == 0 {
		q.wakeAll()
	} else {
		q.wake()
	}
}

// admit takes what the first check of l needs to start. If something is not to
// be had now, it puts l where it is waited for.
func (q *Queue[T]) admit(l *lane[T], now time.Time) bool {
	b := l.h.brake
	if l.h.room() <= 0 || len(l.h.singles) > 0 && !l.called {
		l.h.enqueue(l)
		return false
	}
	if b != nil && now.Before(b.until) {
		q.park(l, b.until, now)
		return false
	}
	t := q.p.reserve(l.h, now)
	wait := t.delay(now)
	if wait == 0 {
		if b != nil {
			b.take(now)
		}
		return true
	}
	t.giveBack(now)
	if l.h.bucket != nil && l.h.bucket.TokensAt(now) < 1 {
		q.park(l, now.Add(wait), now)
	} else {
		q.hold = now.Add(wait)
		q.ready = append([]*lane[T]{l}, q.ready...)
		q.arm(now)
	}
	return false
}

// park lets l wait until a moment.
func (q *Queue[T]) park(l *lane[T], due, now time.Time) {
	l.due = due
	heap.Push(&q.timed, l)
	q.arm(now)
}

// arm sets the timer to the next moment at which something may start.
func (q *Queue[T]) arm(now time.Time) {
	next := q.hold
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

func (q *Queue[T]) tick() {
	q.p.mu.Lock()
	defer q.p.mu.Unlock()
	now := time.Now()
	for len(q.timed) > 0 && !now.Before(q.timed[0].due) {
		l := heap.Pop(&q.timed).(*lane[T])
		unseen := !q.hasWaiter()
		q.enter(l)
		if l.called && unseen {
			l.h.call() // who looks at once may have the room
		}
	}
	q.wake()
	q.arm(now)
}

// wake gets a worker to look, if there is anything to look at.
func (q *Queue[T]) wake() {
	switch {
	case len(q.ready) == 0 && !(q.closed && q.parked == 0):
	case q.running >= q.limit && len(q.ready) > 0:
	case q.idle > 0:
		q.idle--
		q.work.Signal()
	case q.workers < q.slots && len(q.ready) > 0 && !q.stopped:
		q.workers++
		q.spawn()
	}
}

func (q *Queue[T]) wakeAll() {
	q.idle = 0
	q.work.Broadcast()
	q.room.Broadcast()
}

// grow lets more checks run again after Retry has let fewer: by one when as
// many as may run at once have ended well, and no fewer than four, then by two,
// by four and so on, up to a quarter more.
func (q *Queue[T]) grow() {
	if q.limit == q.slots {
		return
	}
	if q.calm++; q.calm >= max(q.limit, 4) {
		q.limit = min(q.slots, q.limit+q.step)
		q.calm, q.step = 0, min(2*q.step, max(1, q.limit/4))
	}
}

// single reports whether q has one check at a time, parked or running.
func (q *Queue[T]) single() bool { return q.slots == 1 && q.window == 1 }

// hasWaiter reports whether a worker of q waits, and would look at once at a lane
// that becomes ready.
func (q *Queue[T]) hasWaiter() bool {
	return !q.stopped && q.idle > 0 && q.running < q.limit && len(q.ready) == 0
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
