package pace

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"
)

var giveUpLimits = []Limits{{HostWidth: 1}, {HostWidth: 1e6, Width: 1}, {HostWidth: 1e6, HostRate: 0.001, HostBurst: 1}, {HostWidth: 1e6, Rate: 0.001, Burst: 1}}

// Many that give up at once leave nothing, wherever they wait.
func TestSinglesGivenUpAtOnce(t *testing.T) {
	for _, limits := range giveUpLimits {
		giveUp(t, limits, 5000)
	}
}

// Many that give up at once do so in no time: each leaves by itself, from the middle of a
// list. The measure is what it takes this machine to wake as many goroutines, of which
// each takes a lock.
func BenchmarkGiveUp(b *testing.B) {
	const n = 50_000
	for _, limits := range giveUpLimits {
		b.Run(fmt.Sprintf("%+v", limits), func(b *testing.B) {
			var took, waking time.Duration
			for b.Loop() {
				waking += wakeUp(b, n)
				took += giveUp(b, limits, n)
			}
			b.ReportMetric(float64(took)/float64(waking), "×waking")
		})
	}
}

// wakeUp returns how long it takes to wake n goroutines that wait for a context.
func wakeUp(t testing.TB, n int) time.Duration {
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	var wg sync.WaitGroup
	waiting := 0
	for range n {
		wg.Go(func() {
			mu.Lock()
			waiting++
			mu.Unlock()
			select {
			case <-make(chan int):
			case <-ctx.Done():
			}
			mu.Lock()
			waiting--
			mu.Unlock()
		})
	}
	for all := false; !all; time.Sleep(time.Millisecond) {
		mu.Lock()
		all = waiting == n
		mu.Unlock()
	}
	start := time.Now()
	cancel()
	wg.Wait()
	return time.Since(start)
}

// giveUp lets n checks wait, and returns how long it takes them to give up.
func giveUp(t testing.TB, limits Limits, n int) time.Duration {
	p := newPacer(limits)
	first, _ := p.Start(t.Context(), item{host: "a"})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() { p.Start(ctx, item{host: "a"}) })
	}
	for waiting := 0; waiting < n; time.Sleep(time.Millisecond) {
		p.mu.Lock()
		waiting = p.calls.n + p.hosts.known["a"].line.n
		p.mu.Unlock()
	}
	start := time.Now()
	cancel()
	wg.Wait()
	took := time.Since(start)
	p.Done(first)
	if limits.HostRate == 0 {
		forgotten(t, p)
	}
	if len(p.alarms.heap) != 0 || p.alarms.timer != nil {
		t.Errorf("limits %+v: %d alarms are left; want none", limits, len(p.alarms.heap))
	}
	return took
}
