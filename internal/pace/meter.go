package pace

import (
	"math"
	"time"

	"golang.org/x/time/rate"
)

// maxLate bounds what is made good of the lateness of a timer.
const maxLate = 100 * time.Millisecond

// A meter is a token bucket, and those who wait for its tokens: further requests of
// checks that run, who come first and in the order in which they came, since they are
// on the site's time. Checks that have not started wait elsewhere for the alarm.
// The zero meter has no limit. Pacer.mu guards it.
//
// It is not a [rate.Limiter]: there what waits has reserved its token and keeps it when
// it gives up, so that others wait for nobody, and a token that is taken late, since a
// timer was, is late for all that come after.
type meter struct {
	limit  rate.Limit // tokens per second; 0 for no limit
	burst  float64    // tokens that it holds
	tokens float64    // that it held at last
	last   time.Time

	seekers list[*seeker]
	alarm   alarm
	rang    time.Time // when the alarm was last heard
	due     time.Time // when it should have been; no earlier than maxLate before
}

// A seeker waits for the token of a further request.
type seeker struct {
	node node[*seeker]
	got  chan struct{} // closed with the token
}

// newMeter returns a meter whose bucket is full.
func newMeter(limit rate.Limit, burst int) meter {
	return meter{limit: limit, burst: float64(burst), tokens: float64(burst)}
}

// held returns how many tokens there are. As they are counted in floating point, a
// billionth of one may be missing.
func (m *meter) held(now time.Time) float64 {
	return min(m.burst, m.tokens+now.Sub(m.last).Seconds()*float64(m.limit))
}

// has reports whether there are n tokens for checks that are to start.
func (m *meter) has(n int, now time.Time) bool {
	return m.limit == 0 || m.seekers.n == 0 && m.held(now) >= float64(n)-1e-9
}

// full reports whether nothing is known by which m differs from a new one.
func (m *meter) full(now time.Time) bool { return m.limit == 0 || m.held(now) >= m.burst }

// when returns when the nth token from now is there. It counts from when one was last
// taken, unless the bucket is full: so it is always the same moment.
func (m *meter) when(n int, now time.Time) time.Time {
	if m.limit == 0 {
		return now
	}
	has, from := m.tokens, m.last
	switch held := m.held(now); {
	case held >= float64(n)-1e-9:
		return now
	case held == m.burst:
		has, from = held, now
	}
	d := math.Ceil((float64(n) - has) / float64(m.limit) * float64(time.Second))
	return from.Add(time.Duration(min(d, math.MaxInt64/2)))
}

// take takes a token, which there is. If it was waited for, it is taken as of the moment
// at which it came, however late the timer was.
func (m *meter) take(now time.Time) {
	if m.limit == 0 {
		return
	}
	at := now
	if m.rang.Equal(now) {
		at = m.when(1, m.last)
		if at.Before(m.due) {
			at = m.due
		}
		if at.After(now) {
			at = now
		}
	}
	m.tokens, m.last = max(0, m.held(at)-1), at
}

// next returns when a further request from now would have its token.
func (m *meter) next(now time.Time) time.Time { return m.when(m.seekers.n+1, now) }

// heard notes that the alarm was, and gives the tokens to those who seek them.
func (m *meter) heard(now time.Time) {
	m.rang, m.due = now, m.alarm.at
	if late := now.Add(-maxLate); m.due.Before(late) {
		m.due = late
	}
	for m.seekers.n > 0 && m.held(now) >= 1-1e-9 {
		s := m.seekers.first.of
		s.node.leave()
		m.take(now)
		close(s.got)
	}
}
