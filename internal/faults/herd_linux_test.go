package faults_test

import (
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"example.com/checker"
	"example.com/checker/internal/faults"
)

// processorTime returns what this process has used.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// S2: what a check takes of this machine's time does not grow with how many wait with it.
func TestSinglesAreNoHerd(t *testing.T) {
	const n = 2000
	cpu := func(opts ...checker.Option) time.Duration {
		m := &faults.Memory{}
		c := faults.NewChecker(t, append(opts, checker.WithTransport(m), checker.WithConcurrency(10_000), checker.WithHostConcurrency(10_000))...)
		var wg sync.WaitGroup
		before := processorTime(t)
		for range n {
			wg.Go(func() {
				if r := c.Check(t.Context(), "http://one.test/"); !r.Online() {
					t.Error(r)
				}
			})
		}
		wg.Wait()
		return (processorTime(t) - before) / n
	}
	cpu() // once for what is made once
	free := cpu()
	// A process that sleeps until each token takes that much for its waking.
	const interval = 500 * time.Microsecond
	before := processorTime(t)
	for range n / 4 {
		time.Sleep(interval)
	}
	waking := (processorTime(t) - before) / (n / 4)
	for name, opt := range map[string]checker.Option{
		"a rate":        checker.WithRateLimit(rate.Every(interval), 1),
		"a host's rate": checker.WithHostRateLimit(rate.Every(interval), 1),
	} {
		if limited := cpu(opt); limited > 2*(free+waking) {
			t.Errorf("a check takes %v of processor time under %s; want at most 2 × (%v without + %v to wake)", limited, name, free, waking)
		} else {
			t.Logf("a check takes %v of processor time under %s, %v without, and %v to wake", limited, name, free, waking)
		}
	}
}
