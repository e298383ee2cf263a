package pace

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/checker/internal/bubble"
)

// A host is remembered while its bucket fills up, and then no longer than it
// takes other hosts to come by.
func TestHostsForgotten(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := newPacer(Limits{HostWidth: 2})
		c := newCrew(p, 5, 100)
		c.push(time.Second, "a", "b", "a", "a", "", "c", "")
		c.wait()
		forgotten(t, p)
	})
	bubble.Test(t, func(t *testing.T) {
		p := newPacer(Limits{HostWidth: 2, HostRate: 1, HostBurst: 1})
		for i := range 10_000 {
			if err := p.Token(t.Context(), string(rune('a'+i))); err != nil {
				t.Fatalf("Token = %v; want nil", err)
			}
			time.Sleep(100 * time.Millisecond)
			if n := len(p.hosts.known); n > 12 {
				t.Fatalf("%d hosts are remembered, with 10 in a second; want at most 12", n)
			}
		}
	})
}

func TestHostsBounded(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := newPacer(Limits{HostWidth: 2, HostRate: 1, HostBurst: 1})
		for i := range maxCooling + 1000 {
			if err := p.Token(t.Context(), fmt.Sprint(i)); err != nil {
				t.Fatalf("Token = %v; want nil", err)
			}
		}
		if n := len(p.hosts.known); n != maxCooling+1 { // and no fewer: the last has not been looked at
			t.Errorf("%d hosts are remembered; want %d", n, maxCooling+1)
		}
	})
}

// busy counts the checks under way of one host, for all crews that use it.
type busy struct{ now, most atomic.Int64 }

func (b *busy) work(it item) (scarce bool) {
	n := b.now.Add(1)
	for {
		old := b.most.Load()
		if n <= old || b.most.CompareAndSwap(old, n) {
			break
		}
	}
	defer b.now.Add(-1)
	return sleep(it)
}

func TestWidthAcrossQueues(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := newPacer(Limits{HostWidth: 3})
		var b busy
		var crews []*crew
		for range 2 {
			c := newCrew(p, 10, 100)
			c.work = b.work
			c.push(time.Second, repeat("a", 30)...)
			crews = append(crews, c)
		}
		for _, c := range crews {
			c.wait()
		}
		if got := b.most.Load(); got != 3 {
			t.Errorf("at most %d checks at once; want 3", got)
		}
		if got, want := time.Since(crews[0].began), 20*time.Second; got != want {
			t.Errorf("60 checks, 3 at once, took %v; want %v", got, want)
		}
		forgotten(t, p)
	})
}

// A host that is slow or must wait keeps no other from starting.
func TestSlowHostAlone(t *testing.T) {
	for _, tt := range []struct {
		name   string
		limits Limits
	}{
		{"by its width", Limits{HostWidth: 1}},
		{"by its rate", Limits{HostWidth: 9, HostRate: 0.01, HostBurst: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				c := newCrew(newPacer(tt.limits), 3, 1000)
				for n := range 100 {
					c.q.Push(item{host: "slow", n: n, take: time.Minute})
				}
				for n := range 100 {
					host := string(rune('A' + n))
					c.q.Push(item{host: host, n: n, take: time.Second})
				}
				c.q.Close()
				c.wait()
				fast := c.times("*")
				fast = slices.DeleteFunc(fast, func(at time.Duration) bool { return at > time.Minute })
				if len(fast) < 101 {
					t.Errorf("%d checks started within a minute; want 101", len(fast))
				}
			})
		})
	}
}

// rivals returns two crews on one host of width 1. A check of the first crew runs
// for a second. A check of the second crew waits for it to end, and behind that
// another one of the first. If full is set, the only slot of the second crew is
// taken for an hour.
func rivals(full bool) (first, second *crew) {
	p := newPacer(Limits{HostWidth: 1})
	first, second = newCrew(p, 2, 10), newCrew(p, 1, 10)
	first.q.Push(item{host: "a", take: time.Second})
	synctest.Wait()
	second.q.Push(item{host: "a"})
	synctest.Wait()
	if full {
		second.q.Push(item{take: time.Hour})
		synctest.Wait()
	}
	first.q.Push(item{host: "a", n: 1})
	first.q.Close()
	synctest.Wait()
	return first, second
}

// finish ends the crews, whatever state they are in.
func finish(crews ...*crew) {
	for _, c := range crews {
		c.q.Stop()
		c.q.Drain()
		c.wait()
	}
}

// A queue that was called by a host and has no slot does not keep other queues
// from it.
func TestFullQueueBlocksNoHost(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		first, second := rivals(true)
		defer finish(first, second)
		// What was called first cannot start, for want of a slot.
		time.Sleep(time.Minute)
		if got := len(first.times("a")); got != 2 {
			t.Errorf("%d checks of an idle host started beside a full queue; want 2", got)
		}
	})
}

// Neither does a queue that is stopped, before a host has called it or after.
func TestStoppedQueueBlocksNoHost(t *testing.T) {
	for _, tt := range []struct {
		name string
		full bool
		stop time.Duration
	}{
		{"before it is called", false, time.Second / 2},
		{"after it was called", true, 2 * time.Second},
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

// single makes one check as Check does.
func single(p *Pacer[item], it item, work func()) {
	if t, ok := p.Start(context.Background(), it); ok {
		defer p.Done(t)
		work()
	}
}

// Checks that each have a queue of their own start in the order in which they
// came, whatever comes while one ends.
func TestSinglesInOrder(t *testing.T) {
	for _, width := range []int{1, 3} {
		bubble.Test(t, func(t *testing.T) {
			const n, take = 200, time.Millisecond
			p := newPacer(Limits{HostWidth: width})
			var mu sync.Mutex
			var order []int
			var wg sync.WaitGroup
			check := func(i int) {
				single(p, item{host: "a", n: i}, func() {
					mu.Lock()
					order = append(order, i)
					mu.Unlock()
					time.Sleep(take)
				})
			}
			for i := range n {
				wg.Go(func() { check(i) })
				synctest.Wait()
			}
			for i := range n { // at the very moments at which others end
				time.Sleep(take)
				wg.Go(func() { check(n + i) })
			}
			wg.Wait()
			for i, at := range order {
				if len(order) != 2*n || at < i-20 || at > i+20 {
					t.Fatalf("width %d: checks started in the order %v; want that in which they came", width, order)
				}
			}
		})
	}
}

// Single checks and a queue of many checks of one host take turns: neither has to
// wait for all of the other.
func TestSinglesBesideMany(t *testing.T) {
	for _, width := range []int{1, 3} {
		bubble.Test(t, func(t *testing.T) {
			const take = time.Millisecond
			p := newPacer(Limits{HostWidth: width})
			c := newCrew(p, 10, 1000)
			c.push(take, repeat("a", 300)...)
			var wg sync.WaitGroup
			var mu sync.Mutex
			var last time.Duration
			for range 50 {
				wg.Go(func() {
					single(p, item{host: "a"}, func() {
						mu.Lock()
						last = time.Since(c.began)
						mu.Unlock()
						time.Sleep(take)
					})
				})
			}
			wg.Wait()
			c.wait()
			all := 350 * take / time.Duration(width)
			if last > all/2 || last < all/10 || time.Since(c.began) > all+10*take {
				t.Errorf("width %d: the last of 50 single checks starts after %v beside 300 others, all end after %v; want about %v, %v",
					width, last, time.Since(c.began), 100*take/time.Duration(width), all)
			}
		})
	}
}

// A single check that is given up while it waits, or just as it is called, keeps
// no other from its host.
func TestSinglesGivenUp(t *testing.T) {
	for _, limits := range []Limits{{HostWidth: 1}, {HostWidth: 9, Width: 1}, {HostWidth: 9, HostRate: 1, HostBurst: 1}, {HostWidth: 9, Rate: 1, Burst: 1}} {
		bubble.Test(t, func(t *testing.T) {
			p := newPacer(limits)
			var wg sync.WaitGroup
			var done [3]time.Duration
			start := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second) // just as it is called
			defer cancel()
			for i, ctx := range []context.Context{t.Context(), ctx, t.Context()} {
				wg.Go(func() {
					if turn, ok := p.Start(ctx, item{host: "a"}); ok {
						time.Sleep(time.Second)
						p.Done(turn)
						done[i] = time.Since(start)
					}
				})
				synctest.Wait()
			}
			wg.Wait()
			if done[0] != time.Second || done[2] > 3*time.Second || done[2] == 0 {
				t.Errorf("limits %+v: checks ended after %v; want the last after the first, and after the second or in its place", limits, done)
			}
			if p.running != 0 || p.calls.n != 0 || len(p.alarms.heap) != 0 || p.alarms.timer != nil {
				t.Errorf("limits %+v: %d checks, %d calls and %d alarms are left; want none", limits, p.running, p.calls.n, len(p.alarms.heap))
			}
		})
	}
}
