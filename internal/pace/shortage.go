package pace

import "time"

// A Shortage is what one check knows of its tries that ended because this machine was short
// of something, and where it waits for the next one: apart from the other checks of its
// host, which go on. It belongs to one check of one queue at a time. The zero Shortage is
// that of a check that has been short of nothing.
type Shortage[T Item] struct {
	Until time.Time // when the check has waited for long enough; set before the first Retry

	// Pacer.mu guards all below.
	tries int    // that ended so
	fair  int    // of them those that came right after another check had ended
	seen  uint64 // Queue.well at the last

	q     *Queue[T]
	t     Turn[T] // the last try
	node  node[*Shortage[T]]
	alarm alarm // ends the wait
}

const (
	// ScarcityRest is for how long a check that is short of something waits at first.
	ScarcityRest = 20 * time.Millisecond
	maxRest      = time.Second // and in the end

	fairTries = 4 // that failed right after other checks ended show that waiting does not help

	few = 4 // checks may have been short of something for reasons of their own
)

// hit notes a try that ended so.
func (s *Shortage[T]) hit(q *Queue[T], t Turn[T]) {
	if s.tries == 0 || s.seen != q.well {
		q.wants++
	}
	s.seen = q.well
	s.tries++
	s.q, s.t, s.node.of, s.alarm.who = q, t, s, s
}

// hopeless reports whether the check has waited for long enough, and nobody gives it what
// it lacks by ending: nobody runs, or it did not help that others ended.
func (s *Shortage[T]) hopeless(now time.Time) bool {
	return !now.Before(s.Until) && (s.q.running == 0 || s.fair >= fairTries)
}

// wait parks the check until its next try. Once it has waited for long enough, that is as
// soon as another check ends.
func (s *Shortage[T]) wait(now time.Time) {
	at := now.Add(min(ScarcityRest<<min(s.tries-1, 10), maxRest))
	if now.Before(s.Until) && s.Until.Before(at) {
		at = s.Until
	}
	s.t.host.refs++
	s.q.parked++
	if now.Before(s.Until) {
		s.q.short.pushBack(&s.node)
	} else {
		s.q.urgent.pushBack(&s.node)
	}
	s.q.p.alarms.set(&s.alarm, at)
}

// leave takes the check out of where it waits.
func (s *Shortage[T]) leave() {
	s.node.leave()
	s.q.p.alarms.clear(&s.alarm)
	s.t.host.refs--
}

// ring ends the wait.
func (s *Shortage[T]) ring(now time.Time) { s.again(now) }

// again ends the wait: the check is the next of its host. It returns the claim that it is in.
func (s *Shortage[T]) again(now time.Time) *claim[T] {
	c := s.q.claim(s.t.host, nil)
	s.leave()
	c.items = append([]T{s.t.Item}, c.items...)
	if c.node.in == nil {
		c.wait(now)
	}
	s.q.join()
	return c
}

// favour lets the check that has waited the longest for others to end be the next that starts,
// as one has.
func (q *Queue[T]) favour(now time.Time) {
	if q.urgent.n == 0 {
		return
	}
	s := q.urgent.first.of
	s.fair++
	if c := s.again(now); c.node.in == &q.ready {
		c.node.leave()
		q.ready.pushFront(&c.node)
	}
}
