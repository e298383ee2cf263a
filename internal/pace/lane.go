package pace

import (
	"slices"
	"time"
)

// A lane is the queue of one host within a Queue. It is in one place at a time:
// in ready, in timed, or in its host's lone or blocked.
type lane[T any] struct {
	q     *Queue[T]
	h     *host[T]
	items []T
	one   [1]T      // where items begins: most lanes never have more
	due   time.Time // when in timed
	woken bool      // its turn on its host has come
}

// block lets l wait until its host has room. Whose turn had come and was taken by
// another is the next.
func (l *lane[T]) block() {
	list := &l.h.blocked
	if l.q.single() {
		list = &l.h.lone
	}
	at := len(*list)
	if l.woken {
		at = 0
	}
	*list, l.woken = slices.Insert(*list, at, l), false
}
