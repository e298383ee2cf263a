package pace

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"example.com/checker/internal/bubble"
)

// misplaced returns what is wrong with the places of the lanes of q, or "".
func misplaced(q *Queue[item]) string {
	parked, listed := 0, 0
	for key, l := range q.lanes {
		var in []place
		for place, list := range map[place][]*lane[item]{
			inReady: q.ready,
			inTimed: q.timed,
			atHost:  slices.Concat(l.h.singles, l.h.batches),
		} {
			for _, other := range list {
				if other == l {
					in = append(in, place)
				}
			}
		}
		if len(in) != 1 || in[0] != l.place {
			return fmt.Sprintf("lane %q is in place %d and listed in places %d", key, l.place, in)
		}
		if len(l.items) == 0 {
			return fmt.Sprintf("lane %q is empty", key)
		}
		parked += len(l.items)
		if l.place != atHost {
			listed++
		}
	}
	if listed != len(q.ready)+len(q.timed) {
		return fmt.Sprintf("%d lanes are ready and %d timed; want %d in all", len(q.ready), len(q.timed), listed)
	}
	if parked != q.parked {
		return fmt.Sprintf("%d checks are parked; want %d", q.parked, parked)
	}
	return ""
}

// Where the second check of a host waits, and until when, follows from what it
// lacks. Wherever it is, Drain takes it out.
func TestPlace(t *testing.T) {
	paused := func(q *Queue[item]) { q.p.Pause("a", time.Now(), time.Minute) }
	for _, tt := range []struct {
		name   string
		limits Limits
		slots  int
		before func(*Queue[item])
		want   place
		until  time.Duration // 0 for no moment
	}{
		{"no slot", Limits{HostWidth: 9}, 1, nil, inReady, 0},
		{"no room", Limits{HostWidth: 1}, 3, nil, atHost, 0},
		{"no token of the host", Limits{HostWidth: 9, HostRate: 0.1, HostBurst: 1}, 3, nil, inTimed, 10 * time.Second},
		{"no token of all hosts", Limits{HostWidth: 9, Rate: 0.1, Burst: 1}, 3, nil, inReady, 10 * time.Second},
		{"pause", Limits{HostWidth: 9}, 3, paused, inTimed, time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				p := New[item](tt.limits)
				c := newCrew(p, tt.slots, 9)
				if tt.before != nil {
					tt.before(c.q)
				}
				for n := range 2 {
					c.q.Push("a", item{host: "a", n: n, take: time.Hour})
					synctest.Wait()
				}
				p.mu.Lock()
				l := c.q.lanes["a"]
				until := c.q.heldUntil
				if l.place == inTimed {
					until = l.due
				}
				var want time.Time
				if tt.until > 0 {
					want = c.began.Add(tt.until)
				}
				if l.place != tt.want || !until.Equal(want) {
					t.Errorf("the lane is in place %d until %v; want %d until %v", l.place, until, tt.want, want)
				}
				if wrong := misplaced(c.q); wrong != "" {
					t.Error(wrong)
				}
				p.mu.Unlock()

				c.q.Stop()
				left := len(c.q.Drain())
				c.workers.Wait()
				if left+len(c.starts) != 2 || len(c.q.lanes) != 0 {
					t.Errorf("%d checks started, %d were drained, %d lanes are left; want 2 in all, and none",
						len(c.starts), left, len(c.q.lanes))
				}
				if tt.limits.HostRate == 0 && tt.before == nil {
					forgotten(t, p)
				}
			})
		})
	}
}

// A lane that waits for room waits there beside those of its kind, until it is
// drained.
func TestPlaceAtHost(t *testing.T) {
	p := New[item](Limits{HostWidth: 1})
	first := p.Queue(1, 1, func() {})
	first.Push("a", item{})
	first.Next()
	var waiting []*Queue[item]
	for _, window := range []int{1, 1, 9, 9} {
		q := p.Queue(1, window, func() {})
		q.Push("a", item{})
		p.mu.Lock()
		q.start(time.Now())
		p.mu.Unlock()
		waiting = append(waiting, q)
	}
	h := p.hosts.known["a"]
	for i, q := range waiting {
		if wrong := misplaced(q); wrong != "" {
			t.Error(wrong)
		}
		if s, b := len(h.singles), len(h.batches); s != max(0, 2-i) || b != min(2, 4-i) {
			t.Errorf("%d single checks and %d others wait for room; want %d and %d", s, b, max(0, 2-i), min(2, 4-i))
		}
		q.Stop()
		if n := len(q.Drain()); n != 1 {
			t.Errorf("Drain returned %d checks; want 1", n)
		}
	}
	first.Done("a")
	forgotten(t, p)
}
