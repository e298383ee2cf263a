package pace

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
)

// hand is a worker that holds what it was given until it is asked for it.
type hand struct {
	q     *Queue[item]
	turns []Turn[item]
}

func newHand(limits Limits, slots, window int) *hand {
	h := new(hand)
	h.q = newPacer(limits).Queue(window, func(t Turn[item]) { h.turns = append(h.turns, t) })
	h.q.slots, h.q.allowed = slots, slots
	return h
}

// end ends the check that started first, and its worker.
func (h *hand) end() item {
	t := h.turns[0]
	h.turns = h.turns[1:]
	h.q.Done(t)
	h.q.Gone()
	return t.Item
}

// BenchmarkStart measures what one check costs to schedule, from Push to Done,
// while as many checks as there are hosts wait.
func BenchmarkStart(b *testing.B) {
	for _, limits := range []struct {
		name string
		Limits
	}{
		{"width", Limits{HostWidth: 6}},
		{"rates", Limits{HostWidth: 6, Rate: 1e9, Burst: 1e6, HostRate: 1e9, HostBurst: 1e6}},
	} {
		for _, hosts := range []int{1, 1000, 100_000} {
			b.Run(fmt.Sprintf("%s/hosts=%d", limits.name, hosts), func(b *testing.B) {
				h := newHand(limits.Limits, 100, 2*hosts)
				for i := range max(hosts, 7) {
					h.q.Push(item{host: fmt.Sprintf("host%d.test", i%hosts)})
				}
				b.ReportAllocs()
				for b.Loop() {
					h.q.Push(h.end())
				}
			})
		}
	}
}

// BenchmarkWaiting measures the same of one host while the others of its queue
// wait for their tokens.
func BenchmarkWaiting(b *testing.B) {
	for _, hosts := range []int{1, 1000, 100_000} {
		b.Run(fmt.Sprintf("hosts=%d", hosts), func(b *testing.B) {
			h := newHand(Limits{HostWidth: 6, HostRate: 1e-6, HostBurst: 1}, 100, 2*hosts)
			for range 2 {
				for i := range hosts {
					h.q.Push(item{host: fmt.Sprintf("host%d.test", i)})
				}
			}
			for len(h.turns) > 0 {
				h.end()
			}
			b.ReportAllocs()
			for b.Loop() {
				h.q.Push(item{})
				h.end()
			}
		})
	}
}

// BenchmarkSingles measures what a check of a host costs that has a queue of its
// own, as many at once.
func BenchmarkSingles(b *testing.B) {
	for _, n := range []int{10, 1000, 10_000} {
		b.Run(fmt.Sprintf("at once=%d", n), func(b *testing.B) {
			p := newPacer(Limits{HostWidth: 6})
			for b.Loop() {
				var wg sync.WaitGroup
				for range n {
					wg.Go(func() { single(p, item{host: "a"}, runtime.Gosched) })
				}
				wg.Wait()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/check")
		})
	}
}
