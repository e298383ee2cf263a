package pace

import (
	"math"
	"testing"
	"time"

	"golang.org/x/time/rate"
)

// A meter lets through as many as its limit and burst say, each as soon as may be.
func TestMeter(t *testing.T) {
	for _, tt := range []struct {
		limit rate.Limit
		burst int
	}{{1, 1}, {3, 1}, {7, 2}, {30, 5}, {1000, 1}, {0.3, 3}, {1e6, 1}, {1e-3, 1}, {1e9, 1000}} {
		m := newMeter(tt.limit, tt.burst)
		start := time.Now()
		now := start
		const n = 10_000
		for range n + tt.burst {
			if at := m.when(1, now); at.After(now) {
				if m.has(1, at.Add(-max(2, time.Duration(1e9/tt.limit/1e6)))) {
					t.Errorf("%v/s, burst %d: there is a token before the moment that when returned", tt.limit, tt.burst)
				}
				now = at
			}
			if !m.has(1, now) {
				t.Fatalf("%v/s, burst %d: there is no token at the moment that when returned", tt.limit, tt.burst)
			}
			m.take(now)
		}
		want := time.Duration(n / float64(tt.limit) * 1e9)
		if got := now.Sub(start); math.Abs(float64(got-want)) > float64(want)/1000+n {
			t.Errorf("%v/s, burst %d: %d tokens after the burst took %v; want %v", tt.limit, tt.burst, n, got, want)
		}
	}
}

// The next token comes at one moment, whenever it is asked for. A bucket that is full has
// gained nothing since it was.
func TestMeterMoment(t *testing.T) {
	m := newMeter(3, 1)
	start := time.Now()
	m.take(start)
	const every = 333333334 * time.Nanosecond
	for d := time.Duration(0); d < every; d += 7 * time.Millisecond {
		if at := m.when(1, start.Add(d)); !at.Equal(start.Add(every)) {
			t.Fatalf("%v after a token the next comes after %v; want %v", d, at.Sub(start), every)
		}
	}
	later := start.Add(time.Hour)
	if at := m.when(2, later); !at.Equal(later.Add(every)) {
		t.Errorf("an hour later the second token comes after %v; want %v", at.Sub(later), every)
	}
}

// Limits that let next to nothing through overflow nowhere, and hold all of their burst.
func TestMeterExtremes(t *testing.T) {
	now := time.Now()
	for _, limit := range []rate.Limit{1e-9, 1e-300, math.SmallestNonzeroFloat64} {
		m := newMeter(limit, 1000)
		for range 1000 {
			if !m.has(1, now) {
				t.Fatalf("%v/s: the burst is less than 1000", limit)
			}
			m.take(now)
		}
		if m.has(1, now.Add(time.Hour)) || !m.when(1, now).After(now.Add(20*365*24*time.Hour)) {
			t.Errorf("%v/s: the next token comes at %v; want it decades from now", limit, m.when(1, now))
		}
	}
	for _, limit := range []rate.Limit{math.MaxFloat64, 1e300} {
		if m := newMeter(limit, 1); m.when(5, now).Sub(now) > time.Second {
			t.Errorf("%v/s: five tokens take until %v; want them at once", limit, m.when(5, now))
		}
	}
}

// A timer that is late takes nothing from those who wait, unless it is very late: then a
// burst of what could have been would be against what the limit is for.
func TestMeterLate(t *testing.T) {
	for _, tt := range []struct {
		late time.Duration
		want int // tokens at once
	}{{0, 1}, {time.Millisecond, 1}, {11 * time.Millisecond, 2}, {35 * time.Millisecond, 4}, {time.Hour, 11}} {
		now := time.Now()
		m := newMeter(100, 1)
		m.take(now)
		m.alarm.at = m.when(1, now)
		rang := m.alarm.at.Add(tt.late)
		m.heard(rang)
		got := 0
		for ; m.has(1, rang); got++ {
			m.take(rang)
		}
		if got != tt.want {
			t.Errorf("a timer that is %v late gives %d tokens at once; want %d", tt.late, got, tt.want)
		}
		// What nobody waited for is not made good.
		if later := rang.Add(time.Second); m.held(later) > 1 {
			t.Errorf("a timer that was %v late leaves %v tokens a second later; want 1", tt.late, m.held(later))
		}
	}
}
