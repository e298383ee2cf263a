package pace

import (
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/checker/internal/bubble"
)

// Stop lets what runs end, and Drain returns the rest, each once.
func TestStopDrain(t *testing.T) {
	for _, tt := range []struct {
		name   string
		limits Limits
	}{
		{"ready", Limits{HostWidth: 100}},
		{"blocked", Limits{HostWidth: 1}},
		{"timed", Limits{HostWidth: 9, HostRate: 1, HostBurst: 1}},
		{"held", Limits{HostWidth: 9, Rate: 1, Burst: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				p := New[item](tt.limits)
				c := newCrew(p, 2, 100)
				for n := range 20 {
					host := string(rune('a' + n%3))
					c.q.Push(host, item{host: host, n: n, take: time.Hour})
				}
				synctest.Wait()
				c.q.Stop()
				var ns []int
				for _, it := range c.q.Drain() {
					ns = append(ns, it.n)
				}
				if len(ns) < 18 {
					t.Errorf("Drain returned %d checks; want at least 18 of 20", len(ns))
				}
				c.workers.Wait()
				ns = append(ns, c.ended...)
				slices.Sort(ns)
				for i, n := range ns {
					if i != n || len(ns) != 20 {
						t.Fatalf("started or drained: %v; want 0 to 19", ns)
					}
				}
				if tt.limits.HostRate == 0 {
					forgotten(t, p)
				}
			})
		})
	}
}

// Stop wakes whoever waits in Wanted and in Next.
func TestStopWakes(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := newCrew(New[item](Limits{HostWidth: 1}), 3, 1)
		c.q.Push("a", item{host: "a", take: time.Second})
		synctest.Wait()
		c.q.Push("a", item{host: "a"})
		c.spawn() // one that finds nothing to do
		var wanted atomic.Int64
		wanted.Store(-1)
		go func() {
			n := int64(0)
			if c.q.Wanted() {
				n = 1
			}
			wanted.Store(n)
		}()
		synctest.Wait()
		if got := wanted.Load(); got != -1 {
			t.Fatalf("Wanted returned while the window was full")
		}
		c.q.Stop()
		synctest.Wait()
		if got := wanted.Load(); got != 0 {
			t.Errorf("after Stop, Wanted = %d; want 0", got)
		}
		c.workers.Wait()
		if item, ok := c.q.Next(); ok {
			t.Errorf("after Stop, Next = %v, true; want false", item)
		}
		if got := len(c.q.Drain()); got != 1 {
			t.Errorf("Drain returned %d checks; want 1", got)
		}
	})
}

func TestCloseEmpty(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := newCrew(New[item](Limits{HostWidth: 1}), 3, 10)
		if !c.q.Wanted() {
			t.Errorf("Wanted = false; want true")
		}
		c.q.Close()
		if _, ok := c.q.Next(); ok {
			t.Errorf("Next of an empty closed queue = true; want false")
		}
		if c.spawned != 0 {
			t.Errorf("%d workers were started for nothing; want 0", c.spawned)
		}
	})
}

// A worker that ends otherwise than by Next is replaced.
func TestGone(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := New[item](Limits{HostWidth: 1, HostRate: 10, HostBurst: 1})
		var c crew
		c.q = p.Queue(1, 100, func() {
			c.spawned++
			c.workers.Go(func() {
				defer c.q.Gone()
				it, ok := c.q.Next()
				if !ok {
					t.Errorf("Next = false; want a check")
					return
				}
				c.starts = append(c.starts, start{item: it})
				c.q.Done(it.host)
			})
		})
		c.push(0, "a", "b", "a", "", "a", "b")
		time.Sleep(time.Minute)
		c.workers.Wait()
		if len(c.starts) != 6 || c.spawned != 6 {
			t.Errorf("%d checks started by %d workers; want 6 by 6", len(c.starts), c.spawned)
		}
	})
}

// rivals returns two crews on one host of width 1. The first crew's check runs
// for a second; then comes the second crew's turn, then that of the check
// "late" of the first crew. The second crew's only slot is held for an hour
// if full is set.
func rivals(full bool) (first, second *crew) {
	p := New[item](Limits{HostWidth: 1})
	first, second = newCrew(p, 2, 10), newCrew(p, 1, 10)
	first.q.Push("a", item{host: "a", take: time.Second})
	synctest.Wait()
	second.q.Push("a", item{host: "a"})
	synctest.Wait()
	if full {
		second.q.Push("", item{take: time.Hour})
		synctest.Wait()
	}
	first.q.Push("a", item{host: "a", n: 1})
	first.q.Close()
	synctest.Wait()
	return first, second
}

// finish ends the crews, whatever state they are in.
func finish(crews ...*crew) {
	for _, c := range crews {
		c.q.Stop()
		c.q.Drain()
		c.workers.Wait()
	}
}

// A queue that has no slot for the host whose turn it is does not keep other
// queues from it.
func TestFullQueueHoldsNoHost(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		first, second := rivals(true)
		defer finish(first, second)
		// The one whose turn comes first cannot start, for want of a slot.
		time.Sleep(time.Minute)
		if got := len(first.times("a")); got != 2 {
			t.Errorf("%d checks of an idle host started beside a full queue; want 2", got)
		}
	})
}

// A queue that is stopped when its turn has come passes the turn on.
func TestStoppedQueueHoldsNoHost(t *testing.T) {
	for _, tt := range []struct {
		name string
		full bool
		stop time.Duration
	}{
		{"before its turn", false, time.Second / 2},
		{"drained after its turn", true, 2 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				first, second := rivals(tt.full)
				defer finish(first, second)
				time.Sleep(tt.stop)
				second.q.Stop()
				time.Sleep(2 * time.Second)
				second.q.Drain()
				time.Sleep(time.Minute)
				if got := len(first.times("a")); got != 2 {
					t.Errorf("%d checks of an idle host started after another queue's stop; want 2", got)
				}
			})
		})
	}
}

// What is pushed too late is not kept, and neither is its host.
func TestPushAfterClose(t *testing.T) {
	p := New[item](Limits{HostWidth: 1})
	q := p.Queue(1, 10, func() {})
	q.Stop()
	q.Close()
	q.Drain()
	q.Push("a", item{})
	if len(p.hosts.known) != 0 || q.parked != 0 {
		t.Errorf("%d hosts are known and %d checks parked; want none", len(p.hosts.known), q.parked)
	}
}
