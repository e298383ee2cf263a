package pace

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
)

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
				keys := make([]string, hosts)
				q := New[int](limits.Limits).Queue(100, 2*hosts, func() {})
				for i := range keys {
					keys[i] = fmt.Sprintf("host%d.test", i)
					q.Push(keys[i], i)
				}
				b.ReportAllocs()
				for b.Loop() {
					i, _ := q.Next()
					q.Done(keys[i])
					q.Push(keys[i], i)
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
			limits := Limits{HostWidth: 6, HostRate: 1e-6, HostBurst: 1}
			q := New[int](limits).Queue(100, 2*hosts, func() {})
			for range 2 {
				for i := range hosts {
					q.Push(fmt.Sprintf("host%d.test", i), i)
				}
			}
			for range hosts {
				i, _ := q.Next()
				q.Done(fmt.Sprintf("host%d.test", i))
			}
			b.ReportAllocs()
			for b.Loop() {
				q.Push("", 0)
				q.Next()
				q.Done("")
			}
		})
	}
}

// BenchmarkSingles measures what a check of a host costs that has a queue of its
// own, as many at once.
func BenchmarkSingles(b *testing.B) {
	for _, n := range []int{10, 1000, 10_000} {
		b.Run(fmt.Sprintf("at once=%d", n), func(b *testing.B) {
			p := New[item](Limits{HostWidth: 6})
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
