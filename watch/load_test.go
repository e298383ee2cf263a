package watch

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
)

// Where there is more to do than can be done, all sites are checked as often.
func TestRunOverload(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		m := &faults.Memory{Takes: time.Second}
		targets := slices.Collect(faults.Sites(37, nil))
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		n := make([]int, len(targets))
		for r := range Run(ctx, newChecker(t, m, checker.WithConcurrency(2)), 10*time.Second, targets) {
			n[r.Index]++
		}
		if low, high := slices.Min(n), slices.Max(n); high-low > 2 || low < 3600*2/37-2 {
			t.Errorf("two at a time, sites had %d to %d Results of a second each in an hour; want as many", low, high)
		}
	})
}

// A hundred thousand sites cost bytes, not goroutines.
func TestRunMany(t *testing.T) {
	if testing.Short() {
		t.Skip("not with -short: it takes a minute on an emulator")
	}
	const n, wide = 100_000, 50
	targets := slices.Collect(faults.Sites(n, nil))
	bubble.Test(t, func(t *testing.T) {
		m := new(faults.Memory)
		c := newChecker(t, m, checker.WithConcurrency(wide))
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		seen, start, most := make([]bool, n), time.Now(), 0
		results := Run(ctx, c, time.Hour, targets)
		for i := range n {
			r := <-results
			if seen[r.Index] {
				t.Fatalf("site %d has a second Result before all have one", r.Index)
			}
			if seen[r.Index] = true; i%1000 == 0 {
				most = max(most, runtime.NumGoroutine())
			}
		}
		if took := time.Since(start); took > 6*time.Minute {
			t.Errorf("the first round took %v; want a tenth of an hour", took)
		}
		if most > 5*wide {
			t.Errorf("there were %d goroutines; want no more than %d", most, 5*wide)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 64*n {
			t.Errorf("%d sites take %d bytes each; want 64 at most", n, grown/n)
		}
	})
}

// Whatever sites and readers do, no site is checked twice at a time, none is left out
// while it could be checked, and each Result is that of its site.
func TestRunProperties(t *testing.T) {
	for seed := range uint64(40) {
		bubble.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 3))
			every := time.Duration(1+random.IntN(20)) * time.Second
			names := "abcdefghijklmnop"[:1+random.IntN(16)]
			slow := make(map[string]time.Duration)
			for _, name := range names {
				slow[string(name)] = time.Duration(random.ExpFloat64() * float64(every) / 2)
			}
			l := newLog(t, func(path string) time.Duration { return slow[path] })
			c := newChecker(t, l, checker.WithConcurrency(len(names)), checker.WithTimeout(time.Hour))
			ctx, cancel := context.WithTimeout(t.Context(), 50*every)
			defer cancel()
			targets, n := sites(names), make([]int, len(names))
			var delays atomic.Int64
			for r := range Run(ctx, c, every, targets) {
				if r.Target != targets[r.Index] {
					t.Errorf("seed %d: a Result of %s is said to be of %s", seed, r.Target, targets[r.Index])
				}
				if r.Reason() != checker.ReasonCanceled {
					n[r.Index]++
				}
				if random.IntN(50) == 0 {
					d := time.Duration(random.Int64N(int64(3 * every)))
					delays.Add(int64(d))
					time.Sleep(d)
				}
			}
			for i, name := range names {
				// Each check takes up the intervals that it lasts, and each delay as many for all.
				takes := int(slow[string(name)]/every) + 1
				if most := 50/takes + 2; n[i] > most {
					t.Errorf("seed %d: %c, which takes %d intervals, has %d Results; want %d at most", seed, name, takes, n[i], most)
				}
				lost := int(delays.Load()/int64(every)) + 1
				if least := (50-2*lost)/(takes+1) - 2; n[i] < least {
					t.Errorf("seed %d: %c, which takes %d intervals, has %d Results with %d intervals of delay; want %d", seed, name, takes, n[i], lost, least)
				}
			}
		})
	}
}
