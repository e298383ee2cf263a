package checker

import (
	"fmt"
	"runtime"
	"sync"
	"time"
)

// A pulse knows whether this process gets to run. A site is not to blame for a timeout
// while it did not: the process was stopped, or others had its CPU, or more checks wanted
// it than it has. The zero pulse is ready. It is safe for concurrent use.
type pulse struct {
	mu     sync.Mutex
	missed time.Time // when it was last seen that it did not
}

const (
	lagShare = 8                     // what lags by 1/lagShare of the timeout leaves a site too little: an exchange waits as often
	leastLag = 50 * time.Millisecond // which an idle machine may take
	someLag  = 20 * time.Millisecond // the same where there is other evidence
)

// lag returns for how long this process did not get to run, as far as that can be seen
// at the end of a timeout, and 0 if that is no excuse. The end was noticed late by then,
// and it takes a turn of all that wants to run to come back from Gosched. A check that
// was under way when another one saw the like is excused as well, as the process has
// to catch up. Unread says that the site had sent something that nobody had read.
func (p *pulse) lag(end time.Time, timeout time.Duration, unread bool) time.Duration {
	p.mu.Lock()
	overlaps := p.missed.After(end.Add(-timeout))
	p.mu.Unlock()
	enough := max(leastLag, timeout/lagShare)
	lag := time.Since(end)
	if lag <= enough {
		runtime.Gosched()
		lag = time.Since(end)
	}
	switch {
	case lag > enough:
		p.mu.Lock()
		p.missed = time.Now()
		p.mu.Unlock()
	case overlaps, unread && lag > someLag:
	default:
		return 0
	}
	return lag
}

func hintStarved(lag, timeout time.Duration) hint {
	return hint(fmt.Sprintf("this process did not get to run for %v near the end of the timeout of %v; it was stopped or starved of CPU",
		lag.Round(time.Millisecond), timeout))
}
