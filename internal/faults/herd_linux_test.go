package faults_test

import (
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// processorTime returns what this process has used.
func processorTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// singles makes so many single checks of one host at once, and returns the processor time
// that each takes.
func singles(tb testing.TB, n int, target string, opts ...checker.Option) time.Duration {
	c := faults.NewChecker(tb, append(opts, checker.WithConcurrency(10_000), checker.WithHostConcurrency(10_000))...)
	var wg sync.WaitGroup
	before := processorTime(tb)
	for range n {
		wg.Go(func() {
			if r := c.Check(tb.Context(), target); !r.Online() {
				tb.Error(r)
			}
		})
	}
	wg.Wait()
	return (processorTime(tb) - before) / time.Duration(n)
}

// S2: what a check takes of this machine's time does not grow with how many wait with it.
func TestSinglesAreNoHerd(t *testing.T) {
	const n = 2000
	if bubble.Race {
		t.Skip("under the race detector, whose own time counts as well")
	}
	cpu := func(opts ...checker.Option) time.Duration {
		return singles(t, n, "http://one.test/", append(opts, checker.WithTransport(new(faults.Memory)))...)
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
		limited := cpu(opt)
		for range 4 { // the least counts: what others do on this machine only adds
			if limited > 2*(free+waking) {
				limited = min(limited, cpu(opt))
			}
		}
		t.Logf("a check takes %v of processor time under %s, %v without, and %v to wake", limited, name, free, waking)
		if limited > 2*(free+waking) {
			t.Errorf("a check takes %v of processor time under %s; want at most 2 × (%v without + %v to wake)", limited, name, free, waking)
		}
	}
}

// BenchmarkSingles compares the processor time of 2 000 checks at once of a server on
// loopback with that of as many under a rate.
func BenchmarkSingles(b *testing.B) {
	target := "http://127.0.0.1:" + hostile.StartPlain(b)
	for name, opts := range map[string][]checker.Option{
		"free":          nil,
		"a rate":        {checker.WithRateLimit(2000, 1)},
		"a host's rate": {checker.WithHostRateLimit(2000, 1)},
	} {
		b.Run(name, func(b *testing.B) {
			var took time.Duration
			for b.Loop() {
				took += singles(b, 2000, target, opts...)
			}
			b.ReportMetric(float64(took)/float64(b.N), "cpu-ns/check")
		})
	}
}
