package faults_test

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
)

// S: limits, shared by many calls on one Checker.

// endless yields a target for ever, not much faster than it can be checked: a computer
// would be 10 000 targets ahead.
func endless(target string, every time.Duration) iter.Seq[string] {
	return func(yield func(string) bool) {
		for yield(target) {
			time.Sleep(every)
		}
	}
}

// shares lets n endless Streams of one host run until they have had per checks each, on
// average, and returns how many each had. It leaves out how they began.
func shares(ctx context.Context, c *checker.Checker, n, per int) []int {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	had := make([]int, n)
	all := -n * per / 5
	for i := range n {
		wg.Go(func() {
			for range c.Stream(ctx, endless(fmt.Sprintf("http://one.test/%d", i), time.Duration(n)*100*time.Microsecond)) {
				mu.Lock()
				if all++; all > 0 && all <= n*per {
					had[i]++
				}
				if all == n*per {
					cancel()
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return had
}

// S1: calls share a host evenly, however many there are, and so they do with what
// limits them together.
func TestShares(t *testing.T) {
	check := func(t *testing.T, n, per int, opts ...checker.Option) {
		t.Helper()
		c := faults.NewChecker(t, append(opts, checker.WithTransport(&faults.Memory{Takes: time.Millisecond}))...)
		had := shares(t.Context(), c, n, per)
		if low, high := slices.Min(had), slices.Max(had); float64(low) < 0.9*float64(per) || float64(high) > 1.1*float64(per) {
			t.Errorf("%d Streams had %v checks; want each within a tenth of %d", n, had, per)
		}
	}
	limits := map[string][]checker.Option{
		"a host's rate":   {checker.WithHostRateLimit(1000, 1)},
		"a rate":          {checker.WithRateLimit(1000, 1)},
		"the concurrency": {checker.WithConcurrency(2), checker.WithHostConcurrency(100)},
		"one at a time":   {checker.WithConcurrency(1)},
		"all of them":     {checker.WithConcurrency(3), checker.WithHostConcurrency(2), checker.WithHostRateLimit(900, 2), checker.WithRateLimit(800, 3)},
	}
	for width := 1; width <= 6; width++ {
		limits[fmt.Sprint("width ", width)] = []checker.Option{checker.WithHostConcurrency(width)}
	}
	for name, opts := range limits {
		t.Run(name, func(t *testing.T) {
			queues := []int{2, 7, 50}
			if testing.Short() {
				queues = queues[:2]
			}
			for _, n := range queues {
				bubble.Test(t, func(t *testing.T) { check(t, n, 50, opts...) })
			}
			check(t, 2, 100, opts...)
			check(t, 7, 50, opts...)
		})
	}
}

// S2: single checks under a limit are made in the order in which they came, and no later
// than the limit makes it.
func TestSinglesInOrder(t *testing.T) {
	for name, opts := range map[string][]checker.Option{
		"a rate":          {checker.WithRateLimit(200, 1), checker.WithHostConcurrency(10_000), checker.WithConcurrency(10_000)},
		"a host's rate":   {checker.WithHostRateLimit(200, 1), checker.WithHostConcurrency(10_000), checker.WithConcurrency(10_000)},
		"a host's width":  {checker.WithHostConcurrency(1)},
		"the concurrency": {checker.WithConcurrency(1)},
	} {
		bubble.Test(t, func(t *testing.T) {
			const n = 2000
			var mu sync.Mutex
			var order []string
			c := faults.NewChecker(t, append(opts, checker.WithTransport(&faults.Memory{Takes: 5 * time.Millisecond, Answer: func(req *http.Request) (*http.Response, error) {
				mu.Lock()
				defer mu.Unlock()
				order = append(order, req.URL.Path)
				return faults.Respond(req, 200), nil
			}}))...)
			var wg sync.WaitGroup
			waits := make([]time.Duration, n)
			for i := range n {
				wg.Go(func() { waits[i] = c.Check(t.Context(), fmt.Sprintf("http://one.test/%04d", i)).Timing.Wait })
				synctest.Wait()
			}
			wg.Wait()
			if !slices.IsSorted(order) || len(order) != n {
				t.Errorf("%s: %d checks were made, in another order than that in which they came", name, len(order))
			}
			slices.Sort(waits)
			if ideal := n * 99 / 100 * 5 * time.Millisecond; waits[n*99/100] > ideal*11/10 {
				t.Errorf("%s: the 99th percentile of the waits is %v; want at most 1.1 × %v", name, waits[n*99/100], ideal)
			}
		})
	}
}

// S10: a Checker that With returns has its limits and pauses in common with the first.
func TestWithShares(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		m := &faults.Memory{Takes: time.Second, Answer: busyPort("8003")}
		first := faults.NewChecker(t, checker.WithTransport(m), checker.WithConcurrency(3), checker.WithHostConcurrency(2), checker.WithHeader("A", "1"))
		second, err := first.With(checker.WithHeader("B", "2"), checker.WithJudge(checker.StatusIn(200, 299)), checker.WithTimeout(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		third, err := second.With(checker.WithRetries(0))
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		var wg sync.WaitGroup
		for i, c := range []*checker.Checker{first, second, third} {
			for range 4 {
				wg.Go(func() { c.Check(t.Context(), "http://one.test/") })
				wg.Go(func() { c.Check(t.Context(), fmt.Sprintf("http://h%d.test/", i)) })
			}
		}
		wg.Wait()
		if took := time.Since(start); m.Most.Load() != 3 || took < 8*time.Second || took > 10*time.Second {
			t.Errorf("24 checks by three Checkers, %d at once, took %v; want 3 in some 8s", m.Most.Load(), took)
		}
		if r := third.Check(t.Context(), "http://one.test:8003"); r.Reason() != checker.ReasonRejected {
			t.Errorf("Check = %v; want it rejected by the judge of before", r)
		}
		if r := first.Check(t.Context(), "http://one.test:8003"); !r.Online() || r.Timing.Wait != 10*time.Second {
			t.Errorf("Check = %v after %v; want it online, after the pause of the other", r, r.Timing.Wait)
		}
	})
}

// What With adds is not seen by the Checker that it was added to.
func TestWithAdds(t *testing.T) {
	var got http.Header
	first := faults.NewChecker(t, checker.WithHeader("A", "1"), checker.WithTransport(&faults.Memory{Answer: func(req *http.Request) (*http.Response, error) {
		got = req.Header
		return faults.Respond(req, 404), nil
	}}))
	second, err := first.With(checker.WithHeader("A", "2"), checker.WithHeader("Authorization", "secret"), checker.WithJudge(checker.StatusIn(200, 299)))
	if err != nil {
		t.Fatal(err)
	}
	if r := second.Check(t.Context(), "http://site.test"); r.Online() || !slices.Equal(got["A"], []string{"1", "2"}) || got.Get("Authorization") != "secret" {
		t.Errorf("Check with further options = %v, sent %v; want it rejected, with all fields", r, got)
	}
	if r := first.Check(t.Context(), "http://site.test"); !r.Online() || !slices.Equal(got["A"], []string{"1"}) || got.Get("Authorization") != "" {
		t.Errorf("Check without them = %v, sent %v; want it online, with its own fields", r, got)
	}
}

// S10: every limit is the Checker's, over all calls.
func TestConcurrencyOfChecks(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		m := &faults.Memory{Takes: time.Second}
		c := faults.NewChecker(t, checker.WithTransport(m), checker.WithConcurrency(2))
		start := time.Now()
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() { c.Check(t.Context(), fmt.Sprintf("http://h%d.test/", i)) })
		}
		wg.Go(func() {
			for range c.Stream(t.Context(), faults.Sites(20, nil)) {
			}
		})
		wg.Go(func() { c.CheckAll(t.Context(), slices.Repeat([]string{"http://all.test/"}, 20)) })
		wg.Wait()
		if took := time.Since(start); m.Most.Load() != 2 || took != 40*time.Second {
			t.Errorf("80 checks, %d at once, took %v; want 2, 40s", m.Most.Load(), took)
		}
	})
}
