package pace

import "time"

// A lane holds the parked checks of one host in one Queue, in the order in which
// they will start. It is there as long as there are any.
type lane[T any] struct {
	q *Queue[T]
	h *host[T]

	items []T
	one   [1]T // where items begins: most lanes never have more

	place  place
	called bool      // by its host, since it last waited for room or started a check
	due    time.Time // in timed, when it becomes ready
}

// A place is where a lane is. It is in one at a time:
//
//	inReady → nowhere   its first check starts; if it has others, it is ready again
//	inReady → atHost    its host has no room, or others wait for that already
//	inReady → inTimed   its host asked for a pause, or has no token
//	atHost  → inReady   its host has room
//	inTimed → inReady   the pause has ended, or the token is there
//
// A lane that lacks nothing but a token of all hosts together stays the first of
// ready, and its queue is held until the token is there.
type place uint8

const (
	nowhere place = iota // new, or about to be moved
	inReady              // Queue.ready: a worker will look at it
	inTimed              // Queue.timed: it waits for due
	atHost               // host.singles or host.batches: it waits for room
)

// next takes the first check out of l.
func (l *lane[T]) next() T {
	item := l.items[0]
	l.items, l.called = l.items[1:], false
	return item
}

// call makes l ready, because its host has room.
func (l *lane[T]) call() {
	l.called = true
	l.q.makeReady(l)
}
