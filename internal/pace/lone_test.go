package pace

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/checker/internal/bubble"
)

// lone makes one check as Check does: in a queue of its own.
func lone(p *Pacer[item], it item, work func()) {
	q := p.Queue(1, 1, func() {})
	defer q.Drain()
	q.Push(it.host, it)
	if _, ok := q.Next(); ok {
		defer q.Done(it.host)
		work()
	}
}

// Checks that each have a queue of their own start in the order in which they
// came, whatever comes while one ends.
func TestLoneInOrder(t *testing.T) {
	for _, width := range []int{1, 3} {
		bubble.Test(t, func(t *testing.T) {
			const n, take = 200, time.Millisecond
			p := New[item](Limits{HostWidth: width})
			var mu sync.Mutex
			var order []int
			var wg sync.WaitGroup
			check := func(i int) {
				lone(p, item{host: "a", n: i}, func() {
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

// A single check and a queue of many checks of its host take turns, both ways.
func TestLoneBesideMany(t *testing.T) {
	for _, width := range []int{1, 3} {
		bubble.Test(t, func(t *testing.T) {
			const take = time.Millisecond
			p := New[item](Limits{HostWidth: width})
			c := newCrew(p, 10, 1000)
			c.push(take, repeat("a", 300)...)
			var wg sync.WaitGroup
			var mu sync.Mutex
			var last time.Duration
			for range 50 {
				wg.Go(func() {
					lone(p, item{host: "a"}, func() {
						mu.Lock()
						last = time.Since(c.began)
						mu.Unlock()
						time.Sleep(take)
					})
				})
			}
			wg.Wait()
			c.workers.Wait()
			all := 350 * take / time.Duration(width)
			if last > all/2 || last < all/10 || time.Since(c.began) > all+10*take {
				t.Errorf("width %d: the last of 50 single checks starts after %v beside 300 others, all end after %v; want about %v, %v",
					width, last, time.Since(c.began), 100*take/time.Duration(width), all)
			}
		})
	}
}

// Whoever waits for its turn and goes, before it or when it has come, holds up
// nobody.
func TestLoneGoes(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := New[item](Limits{HostWidth: 1})
		var wg sync.WaitGroup
		var done [3]time.Duration
		start := time.Now()
		queues := make([]*Queue[item], 3)
		for i := range queues {
			q := p.Queue(1, 1, func() {})
			queues[i] = q
			q.Push("a", item{})
			wg.Go(func() {
				defer q.Drain()
				if _, ok := q.Next(); ok {
					time.Sleep(time.Second)
					q.Done("a")
					done[i] = time.Since(start)
				}
			})
			synctest.Wait()
		}
		time.Sleep(time.Second)
		queues[1].Stop() // as its turn comes
		wg.Wait()
		if done[0] != time.Second || done[2] > 3*time.Second || done[2] == 0 {
			t.Errorf("checks ended after %v; want the last after the first, and after the second or in its place", done)
		}
	})
}

// BenchmarkLone measures what a check of a host costs that has a queue of its
// own, as many at once.
func BenchmarkLone(b *testing.B) {
	for _, n := range []int{10, 1000, 10_000} {
		b.Run(fmt.Sprintf("at once=%d", n), func(b *testing.B) {
			p := New[item](Limits{HostWidth: 6})
			for b.Loop() {
				var wg sync.WaitGroup
				for range n {
					wg.Go(func() { lone(p, item{host: "a"}, runtime.Gosched) })
				}
				wg.Wait()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/check")
		})
	}
}
