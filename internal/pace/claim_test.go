package pace

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"example.com/checker/internal/bubble"
)

// misplaced returns what is wrong with where the claims of q are and with what they
// hold, or "".
func misplaced(q *Queue[item]) string {
	parked, holds := len(q.free)+q.short.n+q.urgent.n, 0
	for key, c := range q.claims {
		in := c.node.in
		if in != &q.ready && in != &c.h.line && (c.o == nil || in != &c.o.line) {
			return fmt.Sprintf("the claim on %q is in no list of its own", key.h.key)
		}
		if len(c.items) == 0 {
			return fmt.Sprintf("the claim on %q is empty", key.h.key)
		}
		if c.place {
			holds++
		}
		if c.pass {
			holds++
		}
		if in == &q.ready && (c.place || c.pass) && !q.able() {
			return fmt.Sprintf("the claim on %q holds what it cannot use", key.h.key)
		}
		parked += len(c.items)
	}
	if parked != q.parked {
		return fmt.Sprintf("%d checks are parked; want %d", q.parked, parked)
	}
	if holds != q.holds {
		return fmt.Sprintf("claims hold %d and say %d", holds, q.holds)
	}
	if (q.node.in == &q.p.calls) != (q.ready.n > 0 && q.able()) {
		return fmt.Sprintf("it waits for a slot: %t, with %d claims ready, able: %t", q.node.in != nil, q.ready.n, q.able())
	}
	return ""
}

// Where the second check of a host waits, and until when, follows from what it
// lacks. Wherever it is, Drain takes it out.
func TestPlace(t *testing.T) {
	paused := func(q *Queue[item]) { q.p.Pause("a", Origin{Host: "a"}, time.Now(), time.Minute, 429) }
	ready := func(c *claim[item]) any { return &c.q.ready }
	atHost := func(c *claim[item]) any { return &c.h.line }
	atOrigin := func(c *claim[item]) any { return &c.o.line }
	for _, tt := range []struct {
		name   string
		limits Limits
		slots  int
		before func(*Queue[item])
		want   func(*claim[item]) any
		until  time.Duration // 0 for no moment
	}{
		{"no worker", Limits{HostWidth: 9}, 1, nil, ready, 0},
		{"no slot", Limits{HostWidth: 9, Width: 1}, 9, nil, ready, 0},
		{"no room", Limits{HostWidth: 1}, 3, nil, atHost, 0},
		{"no token of the host", Limits{HostWidth: 9, HostRate: 0.1, HostBurst: 1}, 3, nil, atHost, 10 * time.Second},
		{"no token of all hosts", Limits{HostWidth: 9, Rate: 0.1, Burst: 1}, 3, nil, ready, 10 * time.Second},
		{"pause", Limits{HostWidth: 9}, 3, paused, atOrigin, time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				p := newPacer(tt.limits)
				c := newCrew(p, tt.slots, 9)
				if tt.before != nil {
					tt.before(c.q)
				}
				for n := range 2 {
					c.q.Push(item{host: "a", n: n, take: time.Hour})
					synctest.Wait()
				}
				p.mu.Lock()
				if len(c.q.claims) != 1 {
					t.Fatalf("%d claims; want 1", len(c.q.claims))
				}
				for _, l := range c.q.claims {
					if got := any(l.node.in); got != tt.want(l) {
						t.Errorf("the claim is in another list; want the one of %q", tt.name)
					}
				}
				var until, want time.Time
				if len(p.alarms.heap) > 0 {
					until = p.alarms.heap[0].at
				}
				if tt.until > 0 {
					want = c.began.Add(tt.until)
				}
				if !until.Equal(want) || !p.alarms.at.Equal(want) {
					t.Errorf("the claim waits until %v; want %v", until, want)
				}
				if wrong := misplaced(c.q); wrong != "" {
					t.Error(wrong)
				}
				p.mu.Unlock()

				c.q.Stop()
				left := len(c.q.Drain())
				c.wait()
				if left+len(c.starts) != 2 || len(c.q.claims) != 0 || p.alarms.timer != nil || len(p.alarms.heap) != 0 {
					t.Errorf("%d checks started, %d were drained, %d claims and %d alarms are left; want 2 in all, and none",
						len(c.starts), left, len(c.q.claims), len(p.alarms.heap))
				}
				if tt.limits.HostRate == 0 && tt.before == nil {
					forgotten(t, p)
				}
			})
		})
	}
}
