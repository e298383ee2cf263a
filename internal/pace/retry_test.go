package pace

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"example.com/checker/internal/bubble"
)

// A supply is something of which this machine has only so much.
type supply struct{ has, used atomic.Int64 }

// work fails what finds the supply used up.
func (s *supply) work(it item) (short bool) {
	defer s.used.Add(-1)
	if s.used.Add(1) > s.has.Load() {
		return true
	}
	return sleep(it)
}

// However little there is, all checks are made in the end, and no more of them
// fail on the way than it takes to learn what there is.
func TestRetry(t *testing.T) {
	for _, has := range []int64{1, 3, 10, 64} {
		t.Run(fmt.Sprint(has), func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				const checks, slots = 2000, 100
				p := New[item](Limits{HostWidth: 6})
				c := newCrew(p, slots, 1000)
				var s supply
				s.has.Store(has)
				c.work = s.work
				var hosts []string
				for i := range checks {
					hosts = append(hosts, fmt.Sprint("h", i%500))
				}
				c.push(time.Second, hosts...)
				c.workers.Wait()
				slices.Sort(c.ended)
				if len(c.ended) != checks || len(slices.Compact(c.ended)) != checks {
					t.Errorf("%d checks ended; want %d, each once", len(c.ended), checks)
				}
				if failed := len(c.starts) - checks; failed > checks {
					t.Errorf("%d starts were in vain; want fewer than the %d checks", failed, checks)
				}
				best := time.Duration(checks/has) * time.Second
				if got := time.Since(c.began); got > 3*best {
					t.Errorf("%d checks, %d at once, took %v; want at most 3 × %v", checks, has, got, best)
				}
				forgotten(t, p)
			})
		})
	}
}

// When there is enough again, as many run as there are slots.
func TestRetryRecovers(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := newCrew(New[item](Limits{HostWidth: 2000}), 50, 2000)
		var s supply
		s.has.Store(2)
		c.work = s.work
		time.AfterFunc(10*time.Second, func() { s.has.Store(1000) })
		c.push(time.Second, repeat("a", 2000)...)
		c.workers.Wait()
		if got := time.Since(c.began); got > 70*time.Second {
			t.Errorf("2000 checks took %v; want 40s at 50 at once, 10s of scarcity and the way back", got)
		}
	})
}

// The check that was put back comes before the others of its host.
func TestRetryKeepsOrder(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := newCrew(New[item](Limits{HostWidth: 1}), 4, 100)
		tries := make(map[int]int)
		c.work = func(it item) bool { tries[it.n]++; return tries[it.n] < 3 }
		c.push(0, repeat("a", 5)...)
		c.workers.Wait()
		if want := []int{0, 1, 2, 3, 4}; !slices.Equal(c.ended, want) {
			t.Errorf("checks of one host ended in order %v; want %v", c.ended, want)
		}
		if got, want := time.Since(c.began), 10*scarcityHold; got != want {
			t.Errorf("10 retries with nothing else under way took %v; want %v", got, want)
		}
	})
}

// With nothing under way, the last try of a check is not put back.
func TestRetryLast(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		q := New[int](Limits{HostWidth: 9}).Queue(2, 9, func() {})
		for i := range 2 {
			q.Push("a", i)
			q.Next()
		}
		if !q.Retry("a", 0, true) {
			t.Errorf("Retry beside another check = false; want true")
		}
		if q.Retry("a", 1, true) {
			t.Errorf("Retry of the only check = true; want false")
		}
		if got, ok := q.Next(); got != 0 || !ok {
			t.Errorf("Next = %v, %t; want 0, true", got, ok)
		}
	})
}
