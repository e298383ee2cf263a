//go:build !race

package pace

import (
	"context"
	"sync"
	"testing"
	"time"
)

// The race detector adds work of its own, so nothing here is for it.

// Many that give up at once do so in no time, wherever they wait: each leaves by itself,
// from the middle of a list. The measure is what it takes this machine, as busy as it is,
// to wake as many goroutines, of which each takes a lock.
func TestSinglesGivenUpAtOnce(t *testing.T) {
	const n = 50_000
	for _, limits := range []Limits{{HostWidth: 1}, {HostWidth: n, Width: 1}, {HostWidth: n, HostRate: 0.001, HostBurst: 1}, {HostWidth: n, Rate: 0.001, Burst: 1}} {
		var took, waking time.Duration
		for range 5 {
			waking, took = wakeUp(t, n), giveUp(t, limits, n)
			if took < 5*waking {
				break
			}
		}
		t.Logf("limits %+v: %d checks that wait took %v to give up; to wake takes %v", limits, n, took, waking)
		if took > 5*waking {
			t.Errorf("limits %+v: %d checks that wait took %v to give up; want at most 5 × %v", limits, n, took, waking)
		}
	}
}

// wakeUp returns how long it takes to wake n goroutines that wait for a context.
func wakeUp(t *testing.T, n int) time.Duration {
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
func giveUp(t *testing.T, limits Limits, n int) time.Duration {
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
