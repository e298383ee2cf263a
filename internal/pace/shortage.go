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
	since uint64 // how many checks of the queue had ended well before the first
	last  uint64 // and before the last

	q     *Queue[T]
	t     Turn[T] // the last try
	node  node[*Shortage[T]]
	alarm alarm // ends the wait
}

const (
	// ScarcityRest is for how long a check that is short of something waits at first.
	ScarcityRest = 20 * time.Millisecond
	maxRest      = time.Second // and in the end

	fairTries = 4 // tries are a chance,
	fairTurns = 3 // if meanwhile as many checks as may run at once ended well so many times

	few = 4 // checks may have been short of something for reasons of their own
)

// hit notes a try that ended so.
func (s *Shortage[T]) hit(q *Queue[T], t Turn[T]) {
	if s.tries == 0 {
		s.since = q.well
	}
	if s.tries == 0 || s.last != q.well {
		q.wants++
	}
	s.last = q.well
	s.tries++
	s.q, s.t, s.node.of, s.alarm.who = q, t, s, s
}

// hopeless reports whether the check has waited for long enough, and nobody would give it
// what it lacks by ending: nobody runs, or others did well while it did not.
func (s *Shortage[T]) hopeless(now time.Time) bool {
	alone := s.tries >= fairTries && s.q.well-s.since >= uint64(fairTurns*s.q.allowed)
	return !now.Before(s.Until) && (s.q.running == 0 || alone)
}

// wait parks the check until its next try. The last one is when it has waited for long
// enough.
func (s *Shortage[T]) wait(now time.Time) {
	at := now.Add(min(ScarcityRest<<min(s.tries-1, 10), maxRest))
	if now.Before(s.Until) && s.Until.Before(at) {
		at = s.Until
	}
	s.t.host.refs++
	s.q.parked++
	s.q.short.pushBack(&s.node)
	s.q.p.alarms.set(&s.alarm, at)
}

// leave takes the check out of where it waits.
func (s *Shortage[T]) leave() {
	s.node.leave()
	s.q.p.alarms.clear(&s.alarm)
	s.t.host.refs--
}

// ring ends the wait: the check is the next of its host.
func (s *Shortage[T]) ring(now time.Time) {
	c := s.q.claim(s.t.host, nil)
	s.leave()
	c.items = append([]T{s.t.Item}, c.items...)
	if c.node.in == nil {
		c.wait(now)
	}
	s.q.join()
}
