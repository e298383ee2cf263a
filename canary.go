package checker

import (
	"sync"
	"time"
)

const (
	canaryPause = 250 * time.Millisecond // at least, between the beginnings of two rounds
	fairChance  = time.Second            // within this a site that is up answers, as a rule
)

// canaries tell a site that is down from a network that is.
type canaries struct {
	tasks []*task

	mu sync.Mutex
	// The network is known to have worked from since to last: answers came, and
	// never more than fairChance apart.
	since, last time.Time
	round       *round
	began       time.Time // when the last round did
}

// A round asks all canaries at once. What it found may be read once done is
// closed.
type round struct {
	done  chan struct{}
	began time.Time
	up    bool // one of them answered
	void  bool // the round was broken off
}

// saw notes that there is an answer now.
func (cs *canaries) saw() {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	now := time.Now()
	if now.Sub(cs.last) > fairChance {
		cs.since = now
	}
	cs.last = now
}

// begin notes that a round begins now.
func (cs *canaries) begin() time.Time {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.began = time.Now()
	return cs.began
}

// worked reports whether the network is known to have worked from one moment to
// another.
func (cs *canaries) worked(from, to time.Time) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return !cs.since.After(from) && !cs.last.Before(to)
}
