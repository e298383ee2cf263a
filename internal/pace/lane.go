package pace

import "time"

// A lane is the queue of one host within a Queue. It is in one place at a time:
// in ready, in timed, or in its host's singles or batches.
type lane[T any] struct {
	q      *Queue[T]
	h      *host[T]
	items  []T
	one    [1]T      // where items begins: most lanes never have more
	due    time.Time // when in timed
	called bool      // by its host, since it last waited for room or started a check
}

// call makes l ready, because its host has room.
func (l *lane[T]) call() {
	l.called = true
	l.q.enter(l)
}
